/**
 * Loads one segment into the store, whole, until it succeeds. Only when the engine says that the bytes cannot be parsed is
 * the segment halved, down to the body at fault, which goes to quarantine with the engine's reason.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../core/errors.ts';
import type { Clock, Log, SegmentFormat, SegmentLoad, Store } from '../../core/ports.ts';
import { isFormatError } from './errors.ts';

/** A sealed segment, as far as loading needs it. Plain data: it crosses a thread. */
export interface LoadableSegment {
  name: string;
  path: string;
  indexPath: string;
  signal: string;
  format: SegmentFormat;
  team: string;
  loNs: bigint;
  hiNs: bigint;
  bytes: number;
  bodies: number;
  items: number;
  /** When its first body arrived, Unix ms. */
  firstAppendMs: number;
  loadSettings: Record<string, string | number>;
}

export interface LoadableBody {
  offset: number;
  length: number;
  items: number;
  bytes: Buffer;
}

export interface LoaderDeps {
  store: Store;
  readBodies(segment: LoadableSegment): AsyncIterable<LoadableBody>;
  /** Keeps a body that cannot be loaded. Must be durable when it resolves: the segment is deleted after. */
  quarantine(segment: LoadableSegment, body: LoadableBody, reason: string): Promise<void>;
  /** Holds halves of a segment while they load. */
  scratchDir: string;
  clock: Clock;
  log: Log;
}

export interface LoadReport {
  name: string;
  bytes: number;
  /** Items loaded, without those in quarantine. */
  items: number;
  quarantinedBodies: number;
  /** Where they begin in the segment. */
  quarantinedOffsets: number[];
  attempts: number;
  /** Duration of the attempt that succeeded. */
  loadMs: number;
}

/** The store answers, and refuses this segment each time. It is tried again later, and must not keep others waiting. */
export class SegmentPostponed extends Error {}

/** Refusals in a row, about half a minute of them, after which a segment is postponed. */
const REFUSALS_MAX = 8;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 10_000;

/** Resolves when every good body is in the store. Rejects with SegmentPostponed, or when `signal` aborts. */
export async function loadSegment(
  deps: LoaderDeps,
  segment: LoadableSegment,
  signal: AbortSignal,
): Promise<LoadReport> {
  const report: LoadReport = {
    name: segment.name,
    bytes: segment.bytes,
    items: segment.items,
    quarantinedBodies: 0,
    quarantinedOffsets: [],
    attempts: 0,
    loadMs: 0,
  };
  const whole = { ...loadOf(segment), token: segment.name, path: segment.path };
  const parsed = await attempt(deps, whole, report, signal);
  if (parsed !== undefined) {
    deps.log.warn({ segment: segment.name, reason: parsed.message }, 'segment cannot be parsed whole, halving it');
    await bisect(deps, segment, await bodiesOf(deps, segment), report, signal);
  }
  return report;
}

function loadOf(segment: LoadableSegment): Omit<SegmentLoad, 'token' | 'path'> {
  const { signal, team, loNs, hiNs, loadSettings } = segment;
  return { signal, team, loNs, hiNs, settings: loadSettings };
}

/** Tries until the load succeeds (undefined) or the engine cannot parse the bytes (its error). */
async function attempt(
  deps: LoaderDeps,
  load: SegmentLoad,
  report: LoadReport,
  signal: AbortSignal,
): Promise<StoreError | undefined> {
  let refusals = 0;
  for (let delayMs = RETRY_MIN_MS; ; delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)) {
    signal.throwIfAborted();
    report.attempts += 1;
    const startedMs = deps.clock.monotonicMs();
    try {
      await deps.store.load(load);
      report.loadMs = deps.clock.monotonicMs() - startedMs;
      return undefined;
    } catch (error) {
      if (error instanceof StoreError && isFormatError(error.engineCode)) return error;
      refusals = error instanceof StoreError && error.code === 'query_failed' ? refusals + 1 : 0;
      if (refusals >= REFUSALS_MAX) throw new SegmentPostponed((error as Error).message);
      deps.log.warn({ segment: load.token, err: error, retryMs: delayMs }, 'load failed, will retry');
    }
    await sleep(deps.clock, delayMs, signal);
  }
}

async function bodiesOf(deps: LoaderDeps, segment: LoadableSegment): Promise<LoadableBody[]> {
  const bodies: LoadableBody[] = [];
  for await (const body of deps.readBodies(segment)) bodies.push(body);
  return bodies;
}

async function bisect(
  deps: LoaderDeps,
  segment: LoadableSegment,
  bodies: LoadableBody[],
  report: LoadReport,
  signal: AbortSignal,
): Promise<void> {
  const error = await loadRange(deps, segment, bodies, report, signal);
  if (error === undefined) return;
  const [only] = bodies;
  if (bodies.length === 1 && only !== undefined) {
    await deps.quarantine(segment, only, error.message);
    report.quarantinedBodies += 1;
    report.quarantinedOffsets.push(only.offset);
    report.items -= only.items;
    deps.log.error(
      { segment: segment.name, offset: only.offset, items: only.items, reason: error.message },
      'body quarantined',
    );
    return;
  }
  const middle = bodies.length >> 1;
  await bisect(deps, segment, bodies.slice(0, middle), report, signal);
  await bisect(deps, segment, bodies.slice(middle), report, signal);
}

/** The token comes from the byte range, so halving again after a crash repeats the same tokens. */
async function loadRange(
  deps: LoaderDeps,
  segment: LoadableSegment,
  bodies: LoadableBody[],
  report: LoadReport,
  signal: AbortSignal,
): Promise<StoreError | undefined> {
  const [first, last] = [bodies[0], bodies.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const token = `${segment.name}.${first.offset}-${last.offset + last.length}`;
  const path = join(deps.scratchDir, `${token}.part`);
  await writeFile(path, Buffer.concat(bodies.map((body) => body.bytes)));
  try {
    return await attempt(deps, { ...loadOf(segment), token, path }, report, signal);
  } finally {
    await rm(path, { force: true });
  }
}

function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      timer.cancel();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

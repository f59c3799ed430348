/** The product's own road from bytes to a sealed segment, in this process: decoding, walk, rewriting and journal. */
import { mkdirSync } from 'node:fs';
import { OTLP_COLLECTORS, REWRITERS } from '../../../collectors/index.ts';
import { systemClock } from '../../../core/clock.ts';
import { HeliographError } from '../../../core/errors.ts';
import type { BodyFormat, OtlpCollector } from '../../../core/ports.ts';
import { BODY_MAX_BYTES, decodeBody } from '../../../ingest/doors/body.ts';
import { createReceiver } from '../../../ingest/doors/receive.ts';
import { createJournal } from '../../../ingest/journal/journal.ts';
import type { DiskJournal, SealedSegment } from '../../../ingest/journal/types.ts';
import { PINNED_BLOCK_SETTINGS } from '../../../store/load.ts';
import { quietLog } from '../../support/quiet-log.ts';
import type { FuzzBody } from './body.ts';

export interface BatchResult {
  /** Bodies that came through the door. */
  passed: number;
  /** Spans that the door says are stored; those of a repeated body are not said twice. */
  accepted: number;
  /** Bodies turned away, by error code. */
  refused: Record<string, number>;
  /** Errors that are none of the table's: each is a violation. */
  crashes: { index: number; message: string }[];
  /** Longest stretch that one body kept the thread, and which. */
  longestMs: number;
  longestIndex: number;
  segments: SealedSegment[];
}

export interface FuzzDoor {
  /** Takes the bodies in, all under `team`, and seals. */
  take(bodies: Iterable<{ index: number; body: FuzzBody }>, format: BodyFormat, team: string): Promise<BatchResult>;
  journal: DiskJournal;
}

const DAY_MS = 86_400_000;
/** Bodies under way at once, as many as senders would have. */
const ABREAST = 64;

export async function openDoor(dir: string): Promise<FuzzDoor> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const options = {
    minFreeBytes: 0,
    segmentMaxAgeMs: 3_600_000,
    retentionMs: () => 14 * DAY_MS,
    loadSettings: { ...PINNED_BLOCK_SETTINGS },
  };
  const journal = await createJournal({ dir, clock: systemClock, log: quietLog, options });
  return { journal, take: (bodies, format, team) => take(journal, bodies, format, team) };
}

async function take(
  journal: DiskJournal,
  bodies: Iterable<{ index: number; body: FuzzBody }>,
  format: BodyFormat,
  team: string,
): Promise<BatchResult> {
  const result: BatchResult = {
    passed: 0,
    accepted: 0,
    refused: {},
    crashes: [],
    longestMs: 0,
    longestIndex: -1,
    segments: [],
  };
  let spentMs = 0;
  const timed = <T>(work: () => T): T => {
    const startedMs = performance.now();
    try {
      return work();
    } finally {
      spentMs += performance.now() - startedMs;
    }
  };
  const [traces] = OTLP_COLLECTORS;
  if (traces === undefined) throw new Error('no collector of traces');
  const collector: OtlpCollector = { ...traces, walk: (bytes, bounds) => timed(() => traces.walk(bytes, bounds)) };
  const receive = createReceiver({
    door: 'otlp_http',
    rewrite: async (signal, form, bytes) => {
      const rewriter = REWRITERS[signal]?.[form];
      if (rewriter === undefined) throw new Error(`no rewriter for ${form}`);
      return timed(() => rewriter(bytes, BODY_MAX_BYTES));
    },
    journal,
    ledger: {
      accepted: ({ spans, duplicate }) => void (result.accepted += duplicate ? 0 : spans),
      refused: () => undefined,
      totals: () => {
        throw new Error('nobody asks');
      },
    },
    keepRejected: () => undefined,
  });
  const one = async (index: number, { bytes, encoding }: FuzzBody): Promise<void> => {
    try {
      const plain = await decodeBody(bytes, encoding);
      spentMs = 0;
      const done = receive(collector, { bytes: plain, format, sender: { team, key: '' } });
      if (spentMs > result.longestMs) [result.longestMs, result.longestIndex] = [spentMs, index];
      await done;
      result.passed += 1;
    } catch (error) {
      if (error instanceof HeliographError && error.code !== 'internal')
        result.refused[error.code] = (result.refused[error.code] ?? 0) + 1;
      else result.crashes.push({ index, message: error instanceof Error ? `${error.stack}` : String(error) });
    }
  };
  let underWay: Promise<void>[] = [];
  for (const { index, body } of bodies) {
    underWay.push(one(index, body));
    if (underWay.length < ABREAST) continue;
    await Promise.all(underWay);
    underWay = [];
  }
  await Promise.all(underWay);
  await journal.sealAll();
  result.segments = journal.sealed().filter((segment) => segment.team === team);
  return result;
}

/** Keeps bodies with rejected spans or events, so that a reject can be looked at and not only counted. */
import type { Clock, Log } from '../../core/ports.ts';
import { quarantine } from '../journal/quarantine.ts';

/** A sender with a broken clock rejects on every body: one sample a minute explains it, thousands would fill the disk. */
const SAMPLE_INTERVAL_MS = 60_000;

export interface RejectKeeper {
  /** What a door calls after its answer: keeps one body a minute per set of reasons, and logs each that it keeps. Never throws. */
  keep(signal: string, bytes: Uint8Array, rejected: Readonly<Record<string, number>>): void;
  /** Resolves once nothing is being written any more. */
  settled(): Promise<void>;
}

/** Keeps bodies in `dir`, the quarantine. `items` says what is counted: spans, events. */
export function createRejectKeeper(dir: string, clock: Clock, log: Log, items = 'spans'): RejectKeeper {
  const keptAtMs = new Map<string, number>();
  const writing = new Set<Promise<void>>();
  let sequence = 0;
  const keep = (signal: string, bytes: Uint8Array, rejected: Readonly<Record<string, number>>): void => {
    const reasons = Object.entries(rejected).filter(([, count]) => count > 0);
    const key = `${signal} ${reasons.map(([reason]) => reason).join(' ')}`;
    const nowMs = clock.monotonicMs();
    if (nowMs - (keptAtMs.get(key) ?? -SAMPLE_INTERVAL_MS) < SAMPLE_INTERVAL_MS) return;
    keptAtMs.set(key, nowMs);
    sequence += 1;
    const reason = `${items} rejected: ${reasons.map(([name, count]) => `${name} ${count}`).join(', ')}`;
    log.warn({ signal, ...Object.fromEntries(reasons) }, `${items} rejected`);
    const written = quarantine(dir, {
      name: `rejected-${items}-${clock.nowMs()}-${sequence}`,
      bytes,
      reason,
      signal,
      segment: '',
      offset: 0,
      kind: 'sample',
    })
      .catch((error: unknown) => log.warn({ err: error }, `rejected ${items} not kept`))
      .finally(() => writing.delete(written));
    writing.add(written);
  };
  return { keep, settled: async () => void (await Promise.all(writing)) };
}

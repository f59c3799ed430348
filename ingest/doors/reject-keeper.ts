/** Keeps bodies with rejected spans or events, so that a reject can be looked at and not only counted. */
import type { Clock, Log } from '../../core/ports.ts';
import { quarantine } from '../journal/quarantine.ts';

/** A sender with a broken clock rejects on every body: one sample a minute explains it, thousands would fill the disk. */
const SAMPLE_INTERVAL_MS = 60_000;

/**
 * Returns what a door calls after its answer: keeps one body a minute per set of reasons, and logs each that it keeps. `items` says
 * what is counted: spans, events.
 */
export function createRejectKeeper(dir: string, clock: Clock, log: Log, items = 'spans') {
  const keptAtMs = new Map<string, number>();
  let sequence = 0;
  return (signal: string, bytes: Uint8Array, rejected: Readonly<Record<string, number>>): void => {
    const reasons = Object.entries(rejected).filter(([, count]) => count > 0);
    const key = `${signal} ${reasons.map(([reason]) => reason).join(' ')}`;
    const nowMs = clock.monotonicMs();
    if (nowMs - (keptAtMs.get(key) ?? -SAMPLE_INTERVAL_MS) < SAMPLE_INTERVAL_MS) return;
    keptAtMs.set(key, nowMs);
    sequence += 1;
    const reason = `${items} rejected: ${reasons.map(([name, count]) => `${name} ${count}`).join(', ')}`;
    log.warn({ signal, ...Object.fromEntries(reasons) }, `${items} rejected`);
    quarantine(dir, {
      name: `rejected-${items}-${clock.nowMs()}-${sequence}`,
      bytes,
      reason,
      signal,
      segment: '',
      offset: 0,
      kind: 'sample',
    }).catch((error: unknown) => log.warn({ err: error }, `rejected ${items} not kept`));
  };
}

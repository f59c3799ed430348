/** Keeps bodies with rejected spans, so that a reject can be looked at and not only counted. */
import type { Clock, Log } from '../../core/ports.ts';
import { quarantine } from '../journal/quarantine.ts';

/** A sender with a broken clock rejects on every body: one sample a minute explains it, thousands would fill the disk. */
const SAMPLE_INTERVAL_MS = 60_000;

/** Returns what the door calls after its ack: keeps one body a minute per set of reasons, and logs each that it keeps. */
export function createRejectKeeper(dir: string, clock: Clock, log: Log) {
  const keptAtMs = new Map<string, number>();
  let sequence = 0;
  return (signal: string, bytes: Uint8Array, rejected: Readonly<Record<string, number>>): void => {
    const reasons = Object.entries(rejected).filter(([, count]) => count > 0);
    const key = `${signal} ${reasons.map(([reason]) => reason).join(' ')}`;
    const nowMs = clock.monotonicMs();
    if (nowMs - (keptAtMs.get(key) ?? -SAMPLE_INTERVAL_MS) < SAMPLE_INTERVAL_MS) return;
    keptAtMs.set(key, nowMs);
    sequence += 1;
    const reason = `spans rejected: ${reasons.map(([name, count]) => `${name} ${count}`).join(', ')}`;
    log.warn({ signal, ...Object.fromEntries(reasons) }, 'spans rejected');
    quarantine(dir, {
      name: `rejected-${clock.nowMs()}-${sequence}`,
      bytes,
      reason,
      signal,
      segment: '',
      offset: 0,
    }).catch((error: unknown) => log.warn({ err: error }, 'rejected spans not kept'));
  };
}

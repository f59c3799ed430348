/** Keeps the quarantine within its bounds and knows what is in it. */
import type { Log } from '../../core/ports.ts';
import { boundQuarantine, type QuarantineLimits, type QuarantineSums } from './quarantine-shelf.ts';

/** A person has to look at each of these: more than this is a flood of the same fault. */
export const QUARANTINE_LIMITS: QuarantineLimits = { maxBytes: 256 * 1024 * 1024, maxItems: 10_000 };

export interface QuarantineState extends QuarantineSums {
  /** Items dropped unseen since the start, because newer ones needed the room. */
  droppedItems: number;
}

export interface QuarantineKeeper {
  /** One look. Throws what the file system throws. */
  keep(): Promise<void>;
  /** As of the last look. */
  state(): QuarantineState;
}

export function createQuarantineKeeper(dir: string, limits: QuarantineLimits, log: Log): QuarantineKeeper {
  let sums: QuarantineSums = { items: 0, bytes: 0, replayedItems: 0 };
  let droppedItems = 0;
  return {
    async keep() {
      const { dropped, left } = await boundQuarantine(dir, limits);
      sums = left;
      droppedItems += dropped.length;
      if (dropped.length === 0) return;
      const bytes = dropped.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0);
      log.warn({ items: dropped.length, bytes, ...limits }, 'quarantine is full: its oldest items were dropped');
    },
    state: () => ({ ...sums, droppedItems }),
  };
}

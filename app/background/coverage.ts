/** In which minutes a source was collected: what `coverage` beside every figure is computed from. */
import type { Clock } from '../../core/ports.ts';
import type { RowSink } from '../../core/rows.ts';

/** Marks the current minute of a source as covered. */
export type MarkCovered = (source: string) => void;

export interface Coverage {
  mark: MarkCovered;
  /**
   * Stores what was marked: at once where a source is new, else all sources together once a minute, since each store of them
   * costs the engine as much as one of a thousand rows. What fails is kept for the next call.
   */
  flush(): Promise<void>;
  /** Stores what was marked, now. */
  flushAll(): Promise<void>;
}

/** Under a minute, so that a caller that comes by every ten seconds finds each minute's marks due. */
const STORE_EVERY_MS = 50_000;

export function createCoverage(rows: RowSink, clock: Clock): Coverage {
  const newest = new Map<string, number>();
  const stored = new Set<string>();
  let pending: { source: string; minute: number }[] = [];
  let storedAtMs = Number.NEGATIVE_INFINITY;

  async function flushAll(): Promise<void> {
    const taken = pending;
    if (taken.length === 0) return;
    pending = [];
    try {
      await rows.append('source_minutes', taken);
    } catch (error) {
      pending = [...taken, ...pending];
      throw error;
    }
    storedAtMs = clock.monotonicMs();
    for (const { source } of taken) stored.add(source);
  }

  return {
    mark(source) {
      const minute = Math.floor(clock.nowMs() / 60_000) * 60;
      if (newest.get(source) === minute) return;
      newest.set(source, minute);
      pending.push({ source, minute });
    },
    async flush() {
      const isDue = clock.monotonicMs() - storedAtMs >= STORE_EVERY_MS;
      if (isDue || pending.some(({ source }) => !stored.has(source))) await flushAll();
    },
    flushAll,
  };
}

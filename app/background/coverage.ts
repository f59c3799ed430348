/** In which minutes a source was collected: what `coverage` beside every figure is computed from. */
import type { Clock } from '../../core/ports.ts';
import type { RowSink } from '../../core/rows.ts';

/** Marks the current minute of a source as covered; writes at most one row a minute and source. */
export type MarkCovered = (source: string) => Promise<void>;

export function createCoverage(rows: RowSink, clock: Clock): MarkCovered {
  const newest = new Map<string, number>();
  return async (source) => {
    const minute = Math.floor(clock.nowMs() / 60_000) * 60;
    if (newest.get(source) === minute) return;
    newest.set(source, minute);
    try {
      await rows.append('source_minutes', [{ source, minute }]);
    } catch (error) {
      newest.delete(source);
      throw error;
    }
  };
}

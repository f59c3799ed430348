/** Garbage collections of the main thread, counted one by one. */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';

export interface GcTotals {
  minor: number;
  major: number;
  incremental: number;
  weakCallbacks: number;
  /** Time spent in all of them. */
  seconds: number;
}

type GcEntry = PerformanceEntry & { detail: { kind: number } };

const KINDS: Readonly<Record<number, Exclude<keyof GcTotals, 'seconds'>>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakCallbacks',
};

/**
 * Counts from now on until the process ends; the result reads the totals. prom-client has a series of its own, which misses
 * all but the first of the collections that fall into one turn of the event loop.
 */
export function countGc(): () => Readonly<GcTotals> {
  const totals: GcTotals = { minor: 0, major: 0, incremental: 0, weakCallbacks: 0, seconds: 0 };
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as GcEntry[]) {
      const kind = KINDS[entry.detail.kind];
      if (kind !== undefined) totals[kind] += 1;
      totals.seconds += entry.duration / 1000;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => totals;
}

/** The panels of the Go runtime board about memory and its collection. */
import { stat, timeseries } from '../../kit/panels.ts';
import type { ViewQuery } from '../../kit/query.ts';
import { HEADLINE, OF_SERVICE, OF_TARGET, TALL } from './scope.ts';
import { NO_TARGETS, NO_TARGETS_SHORT } from '../texts.ts';

const THIRD = { width: 8, height: 9 };

const byTarget = (...values: string[]): ViewQuery => ({
  view: 'runtime',
  step: 'interval',
  select: ['time', 'target', ...values],
  where: [OF_SERVICE, OF_TARGET],
  orderBy: ['time', 'target'],
});

export const heap = () =>
  timeseries({
    ...TALL,
    id: 10,
    title: 'Heap',
    unit: 'bytes',
    plain: true,
    description:
      'Live and dead objects (alloc), the spans that hold them (inuse) and the size at which the collector aims next (goal), largest of each bucket. Bad: a goal that climbs for hours is a leak of memory; inuse far above alloc is fragmentation.',
    noValue: NO_TARGETS,
    query: byTarget('heap_alloc_bytes AS alloc', 'heap_inuse_bytes AS inuse', 'next_gc_bytes AS goal'),
  });

export const allocation = () =>
  timeseries({
    ...TALL,
    id: 11,
    title: 'Allocation rate',
    unit: 'Bps',
    description:
      'Bytes allocated per second, from the differences of MemStats.TotalAlloc. Bad: a step up with a deploy at the same load; every allocated byte is the collector’s work. Unknown after a restart until the second scrape.',
    noValue: NO_TARGETS,
    query: byTarget('alloc_rate_bytes AS Value'),
  });

export const gcCycles = () =>
  timeseries({
    ...THIRD,
    id: 12,
    title: 'GC cycles per minute',
    unit: 'short',
    plain: true,
    description:
      'Garbage collections per minute. Bad: many more than allocation explains, which is what a heap near GOMEMLIMIT or calls of runtime.GC look like.',
    noValue: NO_TARGETS,
    query: byTarget('gc_cycles * 60 / $__interval_s AS Value'),
  });

export const gcPauses = () =>
  timeseries({
    ...THIRD,
    id: 13,
    title: 'Longest GC pause',
    unit: 's',
    plain: true,
    description:
      'Longest time that one collection stopped the world, in each bucket. Usual is well under 1 ms. Bad: more than a few milliseconds, which requests feel in their p99.',
    noValue: NO_TARGETS,
    query: byTarget('gc_pause_max_ms / 1000 AS Value'),
  });

export const gcStopped = () =>
  timeseries({
    ...THIRD,
    id: 14,
    title: 'Stopped per minute',
    unit: 's',
    plain: true,
    description:
      'Time per minute in which the world stood still for the collector, all pauses together. Bad: above 60 ms, a thousandth, or rising with a deploy.',
    noValue: NO_TARGETS,
    query: byTarget('gc_pause_ms / 1000 * 60 / $__interval_s AS Value'),
  });

export const lastCollection = () =>
  stat({
    ...HEADLINE,
    id: 5,
    title: 'Last GC',
    unit: 'dateTimeFromNow',
    description:
      'End of the newest garbage collection of any chosen target. Go forces one every two minutes. Bad: older than that while the target is up.',
    noValue: NO_TARGETS_SHORT,
    query: {
      view: 'runtime',
      step: 'whole',
      select: ['toUnixTimestamp64Milli(toDateTime64(assumeNotNull(max(last_gc)), 3)) AS last_gc_ms'],
      where: [OF_SERVICE, OF_TARGET],
      having: 'max(last_gc) IS NOT NULL',
    },
  });

export const collectorShare = () =>
  stat({
    ...HEADLINE,
    id: 6,
    title: 'CPU taken by GC',
    unit: 'percentunit',
    description:
      'The largest share of a process’s CPU that its collector has taken since it started, and whose. Amber from 5 %, red from 10 %: it allocates too much, or GOMEMLIMIT is too tight.',
    noValue: NO_TARGETS_SHORT,
    named: true,
    thresholds: ['green', [0.05, 'orange'], [0.1, 'red']],
    query: {
      view: 'runtime',
      step: 'whole',
      select: ['target', 'gc_cpu_fraction'],
      where: [OF_SERVICE, OF_TARGET, 'gc_cpu_fraction IS NOT NULL'],
      orderBy: ['gc_cpu_fraction DESC', 'target'],
      limit: 1,
    },
  });

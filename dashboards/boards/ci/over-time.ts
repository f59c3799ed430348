/** The panels of the CI board over time. */
import { timeseries } from '../../kit/panels.ts';
import type { ViewQuery } from '../../kit/query.ts';
import { NO_RUNS } from '../texts.ts';
import { CHOSEN, NAME } from './scope.ts';

/** Room for six lines of legend. */
const HALF = { width: 12, height: 11 };
/** Runs are rare beside spans: buckets of an hour at least, and not many of them. */
const RARE = { interval: '1h', points: 30 } as const;
/** Of one workflow there are fewer still. */
const RARER = { interval: '1h', points: 14, plain: true } as const;

const byWorkflow = (value: string): ViewQuery => ({
  view: 'ci_workflows',
  step: 'interval',
  select: ['time', `${NAME} AS name`, `${value} AS Value`],
  where: CHOSEN,
  orderBy: ['time', 'name'],
});

export const outcomes = () =>
  timeseries({
    ...HALF,
    ...RARE,
    id: 7,
    title: 'Runs by outcome',
    unit: 'short',
    description:
      'Attempts by how they ended, stacked, by the time they were created. Others were cancelled, skipped or ended without a verdict. Bad: red that stays, which is a broken main branch.',
    noValue: NO_RUNS,
    bars: true,
    colors: { succeeded: 'green', failed: 'red', other: 'yellow', running: 'blue' },
    query: {
      view: 'ci_workflows',
      step: 'interval',
      select: [
        'time',
        'sum(success_count) AS succeeded',
        'sum(failure_count) AS failed',
        'sum(other_count) AS other',
        'sum(running_count) AS running',
      ],
      where: CHOSEN,
      groupBy: ['time'],
      orderBy: ['time'],
    },
  });

export const successOverTime = () =>
  timeseries({
    ...HALF,
    ...RARER,
    id: 8,
    title: 'Success by workflow',
    unit: 'percentunit',
    description:
      'Share of runs that succeeded, of those that succeeded or failed. Buckets with few runs jump; a gap is a bucket in which none ended either way. Bad: below 90 % for days.',
    noValue: NO_RUNS,
    max: 1,
    query: byWorkflow('success_ratio'),
  });

export const durations = (id: number, percentile: 'p50' | 'p95', meaning: string) =>
  timeseries({
    ...HALF,
    ...RARER,
    id,
    title: `Duration by workflow, ${percentile}`,
    unit: 's',
    description: `From the start of a run’s first job to the end of its last: ${meaning}. The wait for a runner is not in it. Bad: a climb that nobody decided on.`,
    noValue: NO_RUNS,
    query: byWorkflow(`duration_${percentile}_s`),
  });

export const queues = (id: number, percentile: 'p50' | 'p95', meaning: string) =>
  timeseries({
    ...HALF,
    ...RARER,
    id,
    title: `Wait for a runner, ${percentile}`,
    unit: 's',
    description: `From when a job was queued to when a runner took it: ${meaning}. Waits that are not known are left out. Bad: minutes at the hours when everybody pushes.`,
    noValue: NO_RUNS,
    query: byWorkflow(`queue_${percentile}_s`),
  });

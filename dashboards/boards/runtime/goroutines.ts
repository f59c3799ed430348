/** The panels of the Go runtime board about goroutines and what keeps them. */
import { stat, table, timeseries } from '../../kit/panels.ts';
import { type ViewQuery, viewCall } from '../../kit/query.ts';
import { NO_TARGETS, NO_TARGETS_SHORT } from '../texts.ts';
import { HEADLINE, OF_SERVICE, OF_TARGET, TALL } from './scope.ts';

const SUSPECTS: ViewQuery = { view: 'goroutine_suspects', select: [], where: [OF_SERVICE, OF_TARGET] };
/** `shop.example/checkout/order.(*Service).Place` -> `order.(*Service).Place`. */
const SHORT_FUNCTION = "replaceRegexpOne(function, '^[^([{]*/', '')";

export const mostGoroutines = () =>
  stat({
    ...HEADLINE,
    id: 3,
    title: 'Most goroutines now',
    unit: 'locale',
    description:
      'The target with the most goroutines at its newest poll, and how many. Bad: far above its siblings, or above what it had an hour ago.',
    noValue: NO_TARGETS_SHORT,
    named: true,
    query: {
      view: 'goroutines',
      step: 'interval',
      select: ['target', 'argMax(goroutines, time) AS newest'],
      where: [OF_SERVICE, OF_TARGET],
      groupBy: ['target'],
      orderBy: ['newest DESC', 'target'],
      limit: 1,
    },
  });

export const suspectCount = () =>
  stat({
    ...HEADLINE,
    id: 4,
    title: 'Leak suspects',
    unit: 'locale',
    description:
      'Stacks whose least number of goroutines rose in each of the last four windows of ten minutes before the end of the range. Bad: even one; the table names them.',
    noValue: NO_TARGETS_SHORT,
    thresholds: ['green', [1, 'red']],
    query: {
      ...SUSPECTS,
      select: ['count() AS suspects'],
      // no suspects among no polls is not none
      having: `(SELECT sum(polls) FROM ${viewCall('goroutines', 'whole')} WHERE ${OF_SERVICE} AND ${OF_TARGET}) > 0`,
    },
  });

export const goroutines = () =>
  timeseries({
    ...TALL,
    id: 7,
    title: 'Goroutines by target',
    unit: 'short',
    description:
      'Most goroutines of any poll in a bucket. Bad: a line that only climbs, most of all after a deploy, while the others follow the load. A gap is a target that was not read.',
    noValue: NO_TARGETS,
    query: {
      view: 'goroutines',
      step: 'interval',
      select: ['time', 'target', 'goroutines AS Value'],
      where: [OF_SERVICE, OF_TARGET],
      orderBy: ['time', 'target'],
    },
  });

export const topStacks = () =>
  timeseries({
    ...TALL,
    id: 8,
    title: 'Where goroutines stand',
    unit: 'short',
    plain: true,
    description:
      'Goroutines by the function they stand in, all chosen targets together, the eight functions with the most in this range. Bad: one that climbs while the load does not.',
    noValue: NO_TARGETS,
    query: {
      view: 'goroutine_stacks',
      step: 'interval',
      select: ['time', `${SHORT_FUNCTION} AS stands_in`, 'sum(goroutines) AS Value'],
      where: [
        OF_SERVICE,
        OF_TARGET,
        `function IN (SELECT function FROM ${viewCall('goroutine_stacks', 'whole')} WHERE ${OF_SERVICE} AND ${OF_TARGET} GROUP BY function ORDER BY sum(goroutines) DESC, function LIMIT 8)`,
      ],
      groupBy: ['time', 'stands_in'],
      orderBy: ['time', 'stands_in'],
    },
  });

export const suspects = () =>
  table({
    id: 9,
    width: 24,
    height: 6,
    title: 'Leak suspects',
    unit: 'none',
    description:
      'Stacks whose least number of goroutines rose from window to window, four windows of ten minutes up to the end of the range. Load that comes and goes lets the least number fall; a leak does not. A function leads to the goroutines’ flame graph.',
    noValue:
      'No stack gathers goroutines, as far as forty minutes of polls tell. A target that was polled for less, or not at all, cannot be judged: see Targets.',
    query: {
      ...SUSPECTS,
      select: [
        `${SHORT_FUNCTION} AS stands_in`,
        'location',
        'target',
        "arrayStringConcat(minima, ' → ') AS least",
        'growth',
        'since',
        'polls',
      ],
      orderBy: ['growth DESC', 'target', 'stands_in'],
      limit: 100,
    },
    columns: {
      stands_in: {
        title: 'Function',
        link: {
          title: 'Goroutines of ${__data.fields.target} as a flame graph',
          url: '/d/heliograph-flamegraph?${__url_time_range}&${service:queryparam}&var-target=${__data.fields.target:percentencode}&var-profile=goroutine&var-sample_type=goroutine',
        },
      },
      location: { title: 'Location', width: 150 },
      target: { title: 'Target', width: 140 },
      least: { title: 'Least goroutines, oldest window first', width: 260 },
      growth: { title: 'Growth', unit: 'locale', width: 90, thresholds: ['text', [10, 'orange'], [100, 'red']] },
      since: { title: 'Since', unit: 'dateTimeAsIso', width: 165 },
      polls: { title: 'Polls', unit: 'locale', width: 80 },
    },
  });

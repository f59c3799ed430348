/** The panels of the Go runtime board about the targets and what they publish of their own. */
import { stat, table, timeseries } from '../../kit/panels.ts';
import type { ViewQuery } from '../../kit/query.ts';
import { NO_TARGETS, NO_TARGETS_SHORT } from '../texts.ts';
import { HALF, HEADLINE, OF_SERVICE, OF_TARGET } from './scope.ts';

/** A poll that came to nothing; a target that does not mount a profile still answers. */
const FAILED = "outcome NOT IN ('ok', 'not_mounted')";

const ofTargets = (select: string): ViewQuery => ({
  view: 'target_status',
  select: [select],
  where: [OF_SERVICE, OF_TARGET],
  having: 'count() > 0',
});

export const targetsUp = () =>
  stat({
    ...HEADLINE,
    id: 1,
    title: 'Targets up',
    unit: 'locale',
    description:
      'Targets whose newest polls of every kind were answered; one that does not mount a profile still counts. Bad: fewer than you run.',
    noValue: NO_TARGETS_SHORT,
    query: ofTargets(`uniqExact(target) - uniqExactIf(target, ${FAILED}) AS up`),
  });

export const targetsDown = () =>
  stat({
    ...HEADLINE,
    id: 2,
    title: 'Targets down',
    unit: 'locale',
    description:
      'Targets of which the newest poll of some kind failed: unreachable, too slow, refused. The table Targets says why. Bad: even one.',
    noValue: NO_TARGETS_SHORT,
    thresholds: ['green', [1, 'red']],
    query: ofTargets(`uniqExactIf(target, ${FAILED}) AS down`),
  });

export const ownVariable = () =>
  timeseries({
    ...HALF,
    id: 15,
    title: 'Chosen variable by target',
    unit: 'short',
    description:
      'Last value of each bucket of the variable chosen above, as the target published it: a counter climbs until the process restarts. What is bad depends on the variable.',
    noValue:
      'No target publishes numeric variables of its own in this range. Publish some with the package expvar, or choose another under Variable.',
    query: {
      view: 'expvars',
      step: 'interval',
      select: ['time', 'target', 'value AS Value'],
      where: [OF_SERVICE, OF_TARGET, 'name = ${expvar:singlequote}'],
      orderBy: ['time', 'target'],
    },
  });

export const ownVariables = () =>
  table({
    ...HALF,
    id: 16,
    title: 'Variables of the targets',
    unit: 'none',
    description:
      'Newest values of the numeric variables at /debug/vars, memstats and cmdline apart. A name shows that variable in the chart beside. Bad: a queue or pool that differs between targets of one load.',
    noValue:
      'No target publishes numeric variables of its own in this range. Publish some with the package expvar and mount /debug/vars.',
    query: {
      view: 'expvars',
      step: 'whole',
      select: ['name', 'target', 'value'],
      where: [OF_SERVICE, OF_TARGET],
      orderBy: ['name', 'target'],
      limit: 500,
    },
    columns: {
      name: {
        title: 'Variable',
        link: {
          title: 'Chart ${__data.fields.name}',
          url: '/d/heliograph-runtime?${__url_time_range}&${service:queryparam}&${target:queryparam}&var-expvar=${__data.fields.name:percentencode}',
        },
      },
      target: { title: 'Target' },
      value: { title: 'Newest value', unit: 'locale' },
    },
  });

export const targets = () =>
  table({
    id: 17,
    width: 24,
    height: 10,
    title: 'Targets',
    unit: 'none',
    description:
      'One line per target and kind of poll: what came of the newest, and of all in this range. Not mounted is an answer: the target has no such profile. Bad: failed; the reason says what to mend.',
    noValue: NO_TARGETS,
    query: {
      view: 'target_status',
      select: [
        'target',
        'kind',
        `multiIf(${FAILED}, 'failed', outcome = 'not_mounted', 'not mounted', 'ok') AS state`,
        'outcome',
        'reason',
        'last_poll',
        'last_ok',
        'if(polls = 0, NULL, ok_polls / polls) AS ok_ratio',
        'polls',
        'duration_p50_ms',
      ],
      where: [OF_SERVICE, OF_TARGET],
      orderBy: ["state = 'failed' DESC", 'target', 'kind'],
      limit: 500,
    },
    columns: {
      target: { title: 'Target', width: 150 },
      kind: { title: 'Poll', width: 90 },
      state: { title: 'State', width: 100, states: { ok: 'green', failed: 'red', 'not mounted': 'text' } },
      outcome: { title: 'Outcome', width: 110 },
      reason: { title: 'Reason', noValue: '–' },
      last_poll: { title: 'Last poll', unit: 'dateTimeFromNow', width: 100 },
      last_ok: { title: 'Last good poll', unit: 'dateTimeFromNow', width: 120, noValue: 'none in range' },
      ok_ratio: {
        title: 'Good',
        unit: 'percentunit',
        width: 80,
        thresholds: ['red', [0.9, 'orange'], [0.99, 'text']],
      },
      polls: { title: 'Polls', unit: 'locale', width: 80 },
      duration_p50_ms: { title: 'Usual duration', unit: 'ms', width: 120, noValue: '–' },
    },
  });

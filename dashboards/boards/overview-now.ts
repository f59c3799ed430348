/** The row of the Overview board that says what is wrong now, and what has just changed. */
import { ROW_TO_LATENCY } from './links.ts';
import { stat, table } from '../kit/panels.ts';
import { viewCall } from '../kit/query.ts';
import { NO_DEPLOYS } from './texts.ts';

const FIGURE = { width: 3, height: 4 };

export const alertsFiring = () =>
  stat({
    ...FIGURE,
    id: 11,
    title: 'Alerts firing',
    unit: 'locale',
    description:
      'Alerts that fire at the end of this range; pending ones are not yet among them. The table beside names them. Bad: even one.',
    noValue: 'Nothing is stored yet that a rule could look at.',
    thresholds: ['green', [1, 'red']],
    query: {
      view: 'alerts',
      select: ["countIf(status = 'firing') AS firing"],
      // no alerts while nothing was received that rules look at is not none
      having: `(SELECT count() FROM ${viewCall('source_status')} WHERE source IN ('otlp_traces', 'targets') AND coverage > 0) > 0`,
    },
  });

export const targetsDown = () =>
  stat({
    ...FIGURE,
    id: 12,
    title: 'Targets down',
    unit: 'locale',
    description:
      'Targets of which the newest poll of some kind failed. The board Go runtime and goroutines says which, and why. Bad: even one.',
    noValue: 'No target was polled. Set targets in heliograph.yaml.',
    thresholds: ['green', [1, 'red']],
    query: {
      view: 'target_status',
      select: ["uniqExactIf((service, target), outcome NOT IN ('ok', 'not_mounted')) AS down"],
      having: 'count() > 0',
    },
  });

export const openAlerts = () =>
  table({
    width: 10,
    height: 4,
    id: 13,
    title: 'Alerts',
    unit: 'none',
    description:
      'Alerts that were open at some time of this range, newest change first. Pending ones fire if it lasts. A service leads to its goroutines. Bad: firing, for longer than it takes to look.',
    noValue: 'No alert was open in this range. Rules stand under alerts in heliograph.yaml.',
    query: {
      view: 'alerts',
      select: ['status', 'changed_at', "labels['service'] AS service", 'summary'],
      orderBy: ["indexOf(['firing', 'pending', 'resolved'], status)", 'changed_at DESC'],
      limit: 20,
    },
    columns: {
      status: { title: 'Status', width: 80, states: { firing: 'red', pending: 'orange', resolved: 'green' } },
      changed_at: { title: 'Since', unit: 'dateTimeFromNow', width: 90 },
      service: {
        title: 'Service',
        width: 100,
        link: {
          title: 'Goroutines and memory of ${__data.fields.service}',
          url: '/d/heliograph-runtime?${__url_time_range}&var-service=${__data.fields.service:percentencode}',
        },
      },
      summary: { title: 'What' },
    },
  });

export const latestDeploys = () =>
  table({
    width: 8,
    height: 4,
    id: 14,
    title: 'Latest deploys',
    unit: 'none',
    description:
      'Deploys of this range, newest first, as they stand in the charts below. A service leads to its latency. Bad: a rollback, or errors that begin with a deploy.',
    noValue: NO_DEPLOYS,
    query: {
      view: 'deploys',
      select: ['time', 'service', 'version', "multiIf(kind IN ('rollback', 'hotfix'), kind, status) AS state"],
      orderBy: ['time DESC', 'service'],
      limit: 20,
    },
    columns: {
      time: { title: 'When', unit: 'dateTimeFromNow', width: 100 },
      service: {
        title: 'Service',
        link: ROW_TO_LATENCY,
      },
      version: { title: 'Version' },
      state: {
        title: 'State',
        width: 100,
        states: { success: 'green', failure: 'red', rollback: 'orange', hotfix: 'orange' },
      },
    },
  });

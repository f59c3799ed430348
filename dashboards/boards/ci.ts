import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, exportBoard, queryVariable } from '../kit/board.ts';
import { stat, table, timeseries } from '../kit/panels.ts';
import type { ViewQuery } from '../kit/query.ts';
import type { Board } from '../shared/model.ts';
import { deployMarks, SERVICE_TITLE } from './deploy-marks.ts';
import { NO_DEPLOYS, NO_RUNS } from './texts.ts';

const OF_REPOSITORY = '$__conditionalAll(repository IN (${repository:singlequote}), $repository)';
const OF_WORKFLOW = '$__conditionalAll(workflow IN (${workflow:singlequote}), $workflow)';
const CHOSEN = [OF_REPOSITORY, OF_WORKFLOW];
const NAME = "concat(repository, ' ', workflow)";

/** CI and deploys: does CI succeed, how long does it keep people waiting, and what was deployed? */
export function ciAndDeploys(): Board {
  return exportBoard(
    board({
      uid: 'heliograph-ci',
      title: 'CI and deploys',
      description: 'Success, duration and queue of CI workflows, their runs, and what was deployed.',
      tags: ['delivery'],
      from: 'now-14d',
      refresh: '1m',
      annotations: [deployMarks(SERVICE_TITLE, [OF_REPOSITORY])],
    })
      .withVariable(repositoryVariable())
      .withVariable(workflowVariable())
      .withPanel(successRatio())
      .withPanel(runs())
      .withPanel(failures())
      .withPanel(reruns())
      .withPanel(slowest())
      .withPanel(longestQueue())
      .withRow(new RowBuilder('Outcome'))
      .withPanel(outcomes())
      .withPanel(successOverTime())
      .withRow(new RowBuilder('Duration and queue'))
      .withPanel(durations(9, 'p50', 'half of the runs were faster'))
      .withPanel(durations(10, 'p95', 'nineteen of twenty runs were faster'))
      .withPanel(queues(11, 'p50', 'half of the jobs waited less'))
      .withPanel(queues(12, 'p95', 'nineteen of twenty jobs waited less'))
      .withRow(new RowBuilder('Runs and deploys'))
      .withPanel(runList())
      .withPanel(deployList()),
  );
}

const repositoryVariable = () =>
  queryVariable({
    name: 'repository',
    label: 'Repository',
    description: 'Repositories with CI runs in the time range, busiest first.',
    query: {
      view: 'ci_workflows',
      step: 'whole',
      select: ['repository'],
      groupBy: ['repository'],
      orderBy: ['sum(runs) DESC', 'repository'],
    },
    multi: true,
  });

const workflowVariable = () =>
  queryVariable({
    name: 'workflow',
    label: 'Workflow',
    description: 'Workflows of the chosen repositories, busiest first.',
    query: {
      view: 'ci_workflows',
      step: 'whole',
      select: ['workflow'],
      where: [OF_REPOSITORY],
      groupBy: ['workflow'],
      orderBy: ['sum(runs) DESC', 'workflow'],
    },
    multi: true,
  });

const HEADLINE = { width: 4, height: 3 };
const HALF = { width: 12, height: 11 };
const NO_RUNS_SHORT = 'No run of this choice in this range. Point a GitHub webhook at /hooks/github.';

const whole = (select: string, having = 'sum(runs) > 0'): ViewQuery => ({
  view: 'ci_workflows',
  step: 'whole',
  select: [select],
  where: CHOSEN,
  having,
});

/** One figure of the workflow that has most of it. */
const worst = (column: string): ViewQuery => ({
  view: 'ci_workflows',
  step: 'whole',
  select: [`${NAME} AS name`, column],
  where: [...CHOSEN, `${column} IS NOT NULL`],
  orderBy: [`${column} DESC`, 'name'],
  limit: 1,
});

const successRatio = () =>
  stat({
    ...HEADLINE,
    id: 1,
    title: 'Success',
    unit: 'percentunit',
    description:
      'Runs that succeeded, of those that succeeded or failed (timed out included); cancelled and skipped ones do not count. Amber below 90 %, red below 75 %.',
    noValue: NO_RUNS_SHORT,
    thresholds: ['red', [0.75, 'orange'], [0.9, 'green']],
    query: whole(
      'sum(success_count) / (sum(success_count) + sum(failure_count)) AS success_ratio',
      'sum(success_count) + sum(failure_count) > 0',
    ),
  });

const runs = () =>
  stat({
    ...HEADLINE,
    id: 2,
    title: 'Runs',
    unit: 'locale',
    description:
      'Attempts created in this range, re-runs among them: what the figures of this board are computed from. Bad: far fewer than pushes, which means that runs are not reported.',
    noValue: NO_RUNS_SHORT,
    query: whole('sum(runs) AS all_runs'),
  });

const failures = () =>
  stat({
    ...HEADLINE,
    id: 3,
    title: 'Failed runs',
    unit: 'locale',
    description:
      'Runs that concluded with failure or timed out. Bad: the same run failing and passing on one commit, which is a flaky test; the runs below show it.',
    noValue: NO_RUNS_SHORT,
    query: whole('sum(failure_count) AS failures'),
  });

const reruns = () =>
  stat({
    ...HEADLINE,
    id: 4,
    title: 'Re-runs',
    unit: 'percentunit',
    description:
      'Share of attempts that repeat an earlier attempt of the same run. People re-run what they do not trust. Amber from 5 %, red from 15 %.',
    noValue: NO_RUNS_SHORT,
    thresholds: ['green', [0.05, 'orange'], [0.15, 'red']],
    query: whole('sum(rerun_count) / sum(runs) AS rerun_ratio'),
  });

const slowest = () =>
  stat({
    ...HEADLINE,
    id: 5,
    title: 'Slowest workflow, p95',
    unit: 's',
    description:
      'The highest p95 duration of a workflow over the range, and whose. From the start of the first job to the end of the last. Amber from ten minutes, red from half an hour.',
    noValue: NO_RUNS_SHORT,
    named: true,
    thresholds: ['green', [600, 'orange'], [1800, 'red']],
    query: worst('duration_p95_s'),
  });

const longestQueue = () =>
  stat({
    ...HEADLINE,
    id: 6,
    title: 'Longest queue, p95',
    unit: 's',
    description:
      'The highest p95 wait of a workflow’s jobs for a runner over the range, and whose. Amber from one minute, red from five: there are too few runners.',
    noValue: NO_RUNS_SHORT,
    named: true,
    thresholds: ['green', [60, 'orange'], [300, 'red']],
    query: worst('queue_p95_s'),
  });

/** Runs are rare beside spans: buckets of an hour at least, and not many of them. */
const RARE = { interval: '1h', points: 30 } as const;
/** Of one workflow there are fewer still. */
const RARER = { interval: '1h', points: 14, plain: true } as const;

const outcomes = () =>
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

const byWorkflow = (value: string): ViewQuery => ({
  view: 'ci_workflows',
  step: 'interval',
  select: ['time', `${NAME} AS name`, `${value} AS Value`],
  where: CHOSEN,
  orderBy: ['time', 'name'],
});

const successOverTime = () =>
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

const durations = (id: number, percentile: 'p50' | 'p95', meaning: string) =>
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

const queues = (id: number, percentile: 'p50' | 'p95', meaning: string) =>
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

const CONCLUSIONS = {
  success: 'green',
  failure: 'red',
  timed_out: 'red',
  cancelled: 'yellow',
  running: 'blue',
} as const;

const runList = () =>
  table({
    width: 24,
    height: 12,
    id: 13,
    title: 'Newest runs',
    unit: 'none',
    description:
      'The newest attempts of the chosen workflows, two hundred at most. The number leads to the run at GitHub. Bad: failures on main, and second attempts that pass.',
    noValue: NO_RUNS,
    query: {
      view: 'ci_run_list',
      select: [
        'time',
        'repository',
        'workflow',
        'toString(run_id) AS run',
        'attempt',
        'branch',
        'event',
        'left(sha, 7) AS commit',
        "if(status = 'completed', ifNull(conclusion, 'unknown'), 'running') AS state",
        'duration_s',
        'queue_s',
      ],
      where: CHOSEN,
      orderBy: ['time DESC', 'run DESC', 'attempt DESC'],
      limit: 200,
    },
    columns: {
      time: { title: 'Created', unit: 'dateTimeAsIso', width: 165 },
      repository: { title: 'Repository' },
      workflow: { title: 'Workflow' },
      run: {
        title: 'Run',
        link: {
          title: 'Run ${__data.fields.run} at GitHub',
          url: 'https://github.com/${__data.fields.repository}/actions/runs/${__data.fields.run:percentencode}',
          targetBlank: true,
        },
        width: 130,
      },
      attempt: { title: 'Attempt', unit: 'locale', width: 80, thresholds: ['text', [2, 'orange']] },
      branch: { title: 'Branch' },
      event: { title: 'Event', width: 120 },
      commit: { title: 'Commit', width: 90 },
      state: { title: 'Outcome', width: 100, states: CONCLUSIONS },
      duration_s: { title: 'Duration', unit: 's', width: 100, noValue: '–' },
      queue_s: { title: 'Longest wait', unit: 's', width: 110, noValue: '–' },
    },
  });

const deployList = () =>
  table({
    width: 24,
    height: 9,
    id: 14,
    title: 'Newest deploys',
    unit: 'none',
    description:
      'What was deployed from the chosen repositories, newest first: reported deploys, and versions first seen in spans. Bad: rollbacks and hotfixes in a row. A service leads to its latency.',
    noValue: NO_DEPLOYS,
    query: {
      view: 'deploys',
      select: ['time', 'service', 'version', 'environment', 'status', 'kind', 'left(sha, 7) AS commit', 'source'],
      where: [OF_REPOSITORY],
      orderBy: ['time DESC', 'service'],
      limit: 100,
    },
    columns: {
      time: { title: 'Deployed', unit: 'dateTimeAsIso', width: 165 },
      service: {
        title: 'Service',
        link: {
          title: 'Latency of ${__data.fields.service}',
          url: '/d/heliograph-service-latency?${__url_time_range}&var-service=${__data.fields.service:percentencode}',
        },
      },
      version: { title: 'Version' },
      environment: { title: 'Environment' },
      status: { title: 'Status', states: { success: 'green', failure: 'red', error: 'red' } },
      kind: { title: 'Kind', noValue: '–', states: { rollback: 'orange', hotfix: 'orange' } },
      commit: { title: 'Commit' },
      source: { title: 'Known from' },
    },
  });

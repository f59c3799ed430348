import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, exportBoard, queryVariable } from '../../kit/board.ts';
import { stat } from '../../kit/panels.ts';
import type { ViewQuery } from '../../kit/query.ts';
import type { Board } from '../../shared/model.ts';
import { deployMarks, SERVICE_TITLE } from '../deploy-marks.ts';
import { deployList, runList } from './lists.ts';
import { durations, outcomes, queues, successOverTime } from './over-time.ts';
import { CHOSEN, NAME, OF_REPOSITORY } from './scope.ts';

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

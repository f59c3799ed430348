/** The panels of the CI board that list what its figures are made of. */
import { ROW_TO_LATENCY } from '../links.ts';
import { table } from '../../kit/panels.ts';
import { NO_DEPLOYS, NO_RUNS } from '../texts.ts';
import { CHOSEN, OF_REPOSITORY } from './scope.ts';

const CONCLUSIONS = {
  success: 'green',
  failure: 'red',
  timed_out: 'red',
  cancelled: 'yellow',
  running: 'blue',
} as const;

export const runList = () =>
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

export const deployList = () =>
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
        link: ROW_TO_LATENCY,
      },
      version: { title: 'Version' },
      environment: { title: 'Environment' },
      status: { title: 'Status', states: { success: 'green', failure: 'red', error: 'red' } },
      kind: { title: 'Kind', noValue: '–', states: { rollback: 'orange', hotfix: 'orange' } },
      commit: { title: 'Commit' },
      source: { title: 'Known from' },
    },
  });

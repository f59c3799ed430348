import type { Analyzer, ViewColumn, ViewParameter } from '../types.ts';

const WINDOW: readonly ViewParameter[] = [
  { name: 'from', type: 'DateTime', description: 'Start of the window.' },
  { name: 'to', type: 'DateTime', description: 'End of the window, exclusive.' },
];

const REPOSITORY: ViewColumn = { name: 'repository', type: 'String', unit: '', description: 'owner/name.' };
const WORKFLOW: ViewColumn = { name: 'workflow', type: 'String', unit: '', description: 'Name of the workflow.' };
const QUEUE_NEGATIVE: ViewColumn = {
  name: 'queue_negative_count',
  type: 'UInt64',
  unit: 'jobs',
  description: 'Jobs whose times contradict each other: they count to no queue figure.',
};

const LIST: readonly ViewColumn[] = [
  {
    name: 'time',
    type: 'DateTime64(3)',
    unit: '',
    description: 'When the attempt was created: the run’s creation, for a re-run the start of the re-run.',
  },
  REPOSITORY,
  WORKFLOW,
  { name: 'run_id', type: 'UInt64', unit: '', description: 'GitHub’s id of the run.' },
  { name: 'attempt', type: 'UInt32', unit: '', description: '1 for the first, more for a re-run.' },
  { name: 'branch', type: 'String', unit: '', description: 'Head branch; empty where absent.' },
  { name: 'event', type: 'String', unit: '', description: 'What started the run.' },
  { name: 'sha', type: 'String', unit: '', description: 'Head commit, lower hex.' },
  { name: 'status', type: 'String', unit: '', description: 'Newest status; completed stays completed.' },
  { name: 'conclusion', type: 'Nullable(String)', unit: '', description: 'NULL until it is completed.' },
  {
    name: 'duration_s',
    type: 'Nullable(Float64)',
    unit: 's',
    description: 'From the start of the first job to the end of the last; NULL where unknown.',
  },
  {
    name: 'queue_s',
    type: 'Nullable(Float64)',
    unit: 's',
    description: 'Longest wait of one of its jobs for a runner; NULL where none is known.',
  },
  {
    name: 'duration_source',
    type: 'String',
    unit: '',
    description:
      'jobs, or run (updated_at - run_started_at) where the times of some job are missing; empty without duration.',
  },
  {
    name: 'jobs',
    type: 'UInt64',
    unit: 'jobs',
    description: 'Jobs that this attempt ran; skipped and inherited ones apart.',
  },
  { name: 'queues_s', type: 'Array(Float64)', unit: 's', description: 'Known waits of those jobs, in order.' },
  { ...QUEUE_NEGATIVE, type: 'UInt32' },
];

const WORKFLOWS: readonly ViewColumn[] = [
  { name: 'time', type: 'DateTime', unit: '', description: 'Start of the step, UTC.' },
  REPOSITORY,
  WORKFLOW,
  { name: 'runs', type: 'UInt64', unit: 'runs', description: 'Attempts created in the step, re-runs among them.' },
  { name: 'success_count', type: 'UInt64', unit: 'runs', description: 'Concluded with success.' },
  { name: 'failure_count', type: 'UInt64', unit: 'runs', description: 'Concluded with failure or timed_out.' },
  {
    name: 'other_count',
    type: 'UInt64',
    unit: 'runs',
    description: 'Completed otherwise: cancelled, skipped, neutral, action_required, …',
  },
  { name: 'running_count', type: 'UInt64', unit: 'runs', description: 'Not known to be completed.' },
  {
    name: 'success_ratio',
    type: 'Nullable(Float64)',
    unit: 'ratio',
    description: 'success_count / (success_count + failure_count); NULL where that is 0.',
  },
  {
    name: 'duration_p50_s',
    type: 'Nullable(Float64)',
    unit: 's',
    description: 'Median of the known durations, exact.',
  },
  { name: 'duration_p95_s', type: 'Nullable(Float64)', unit: 's', description: 'Their 95th percentile, exact.' },
  { name: 'queue_p50_s', type: 'Nullable(Float64)', unit: 's', description: 'Median wait of a job, exact.' },
  { name: 'queue_p95_s', type: 'Nullable(Float64)', unit: 's', description: '95th percentile of the same, exact.' },
  { name: 'rerun_count', type: 'UInt64', unit: 'runs', description: 'Attempts after the first.' },
  { name: 'duration_count', type: 'UInt64', unit: 'runs', description: 'Durations that the percentiles rest on.' },
  { name: 'queue_count', type: 'UInt64', unit: 'jobs', description: 'Waits that the percentiles rest on.' },
  QUEUE_NEGATIVE,
];

/** How CI does. Definitions, denominators and known bias: README.md in this folder. */
export const ci: Analyzer = {
  name: 'ci',
  sql: 'analyzers/ci/ci.sql',
  views: [
    {
      name: 'ci_workflows',
      question: 'How often do workflows succeed, how long do they take, how long do their jobs wait?',
      description: 'One row per step, repository and workflow. No row where no run was created.',
      parameters: [...WINDOW, { name: 'step', type: 'UInt32', description: 'Seconds per row.' }],
      columns: WORKFLOWS,
      countColumn: 'runs',
      source: 'github',
    },
    {
      name: 'ci_run_list',
      question: 'Which runs were there, and how did each go?',
      description: 'One row per attempt of a run.',
      parameters: WINDOW,
      columns: LIST,
      orderBy: ['time DESC', 'repository', 'run_id', 'attempt'],
      source: 'github',
    },
  ],
};

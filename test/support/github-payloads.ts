/** Webhook bodies in the shape that GitHub documents, people and all: what must not be stored is in them. */
import { createHmac } from 'node:crypto';

export const PERSON = { login: 'octo-dev', id: 583_231, type: 'User', email: 'octo-dev@example.org' };

const REPOSITORY_ID = 186_853_002;

function repositoryOf(fullName: string): object {
  const [owner, name] = fullName.split('/');
  return {
    id: REPOSITORY_ID,
    node_id: 'MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=',
    name,
    full_name: fullName,
    private: true,
    owner: { login: owner, id: 21_031_067, type: 'Organization', site_admin: false },
    html_url: `https://github.com/${fullName}`,
    default_branch: 'main',
    visibility: 'internal',
  };
}

export interface RunInput {
  repository?: string;
  workflow?: string;
  id?: number;
  attempt?: number;
  action?: string;
  status?: string;
  conclusion?: string | null;
  branch?: string;
  sha?: string;
  event?: string;
  createdAt?: string;
  startedAt?: string;
  updatedAt?: string;
}

const SHA = '7638417db6d59f3c431d3e1f261cc637155684cd';

/** Body of a `workflow_run` delivery. */
export function workflowRun(input: RunInput = {}): Record<string, unknown> {
  const {
    repository = 'octo-org/shop',
    workflow = 'CI',
    id = 289_782_451,
    attempt = 1,
    status = 'completed',
    conclusion = status === 'completed' ? 'success' : null,
    branch = 'main',
    sha = SHA,
    event = 'push',
    createdAt = '2026-03-02T09:00:00Z',
    startedAt = createdAt,
    updatedAt = createdAt,
  } = input;
  return {
    action: input.action ?? status,
    workflow_run: {
      id,
      name: workflow,
      node_id: 'WFR_kwLOB4tqCs4RRbpz',
      head_branch: branch,
      head_sha: sha,
      path: '.github/workflows/ci.yml',
      display_title: 'Make the checkout faster',
      run_number: 412,
      event,
      status,
      conclusion,
      workflow_id: 72_844,
      check_suite_id: 42_811_201,
      url: `https://api.github.com/repos/${repository}/actions/runs/${id}`,
      pull_requests: [],
      created_at: createdAt,
      updated_at: updatedAt,
      actor: PERSON,
      run_attempt: attempt,
      referenced_workflows: [],
      run_started_at: startedAt,
      triggering_actor: PERSON,
      head_commit: {
        id: sha,
        tree_id: '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
        message: 'Make the checkout faster',
        timestamp: createdAt,
        author: { name: 'Octo Developer', email: PERSON.email },
        committer: { name: 'GitHub', email: 'noreply@github.com' },
      },
      repository: { full_name: repository },
      head_repository: { full_name: repository },
    },
    workflow: { id: 72_844, name: workflow, path: '.github/workflows/ci.yml', state: 'active' },
    repository: repositoryOf(repository),
    organization: { login: repository.split('/')[0], id: 21_031_067 },
    sender: PERSON,
  };
}

export interface JobInput {
  repository?: string;
  workflow?: string;
  runId?: number;
  attempt?: number;
  id?: number;
  name?: string;
  status?: string;
  conclusion?: string | null;
  createdAt?: string;
  startedAt?: string;
  completedAt?: string | null;
}

/** Body of a `workflow_job` delivery. */
export function workflowJob(input: JobInput = {}): Record<string, unknown> {
  const {
    repository = 'octo-org/shop',
    workflow = 'CI',
    runId = 289_782_451,
    attempt = 1,
    id = 2_832_853_555,
    name = 'build',
    status = 'completed',
    conclusion = status === 'completed' ? 'success' : null,
    createdAt = '2026-03-02T09:00:00Z',
    startedAt = createdAt,
    completedAt = null,
  } = input;
  const isWaiting = status === 'queued' || status === 'waiting';
  return {
    action: status,
    workflow_job: {
      id,
      run_id: runId,
      workflow_name: workflow,
      head_branch: 'main',
      run_url: `https://api.github.com/repos/${repository}/actions/runs/${runId}`,
      run_attempt: attempt,
      node_id: 'CR_kwDOB4tqCs6o2XEz',
      head_sha: SHA,
      url: `https://api.github.com/repos/${repository}/actions/jobs/${id}`,
      status,
      conclusion,
      created_at: createdAt,
      started_at: startedAt,
      completed_at: completedAt,
      name,
      steps: isWaiting
        ? []
        : [{ name: 'Set up job', status: 'completed', conclusion: 'success', number: 1, started_at: startedAt }],
      check_run_url: `https://api.github.com/repos/${repository}/check-runs/${id}`,
      labels: ['ubuntu-24.04', 'x64'],
      runner_id: isWaiting ? null : 4,
      runner_name: isWaiting ? null : 'runner-4',
      runner_group_id: isWaiting ? null : 1,
      runner_group_name: isWaiting ? null : 'Default',
    },
    repository: repositoryOf(repository),
    sender: PERSON,
  };
}

/** `X-Hub-Signature-256` of a body. */
export function signatureOf(secret: string, body: string | Uint8Array): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** What a team of nine did: commits of 26 weeks, CI runs and deploys of thirty days, alerts of today. */
import { createHash } from 'node:crypto';
import type {
  AlertRow,
  CiJobRow,
  CiRunRow,
  CommitCiRow,
  CommitRow,
  DeploymentRow,
  GitTipRow,
} from '../../../core/rows.ts';
import type { TestEngine } from '../../support/engine.ts';
import { loadRows } from '../../support/profile-rows.ts';
import { createRandom, pick } from './demo-random.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

const hash = (text: string) => createHash('sha1').update(text).digest('hex');
const pseudonym = (number: number) => `p_${hash(`person ${number}`).slice(0, 16)}`;

/** Repository and those who commit to it: three people are too few to be counted in the open. */
const REPOSITORIES: readonly (readonly [repository: string, people: number, commitsPerWeek: number])[] = [
  ['shop/storefront', 9, 42],
  ['shop/checkout', 7, 31],
  ['shop/mailer', 3, 6],
];

/** Loads everything that ends at `nowMs`. */
export async function loadDemoTeam(engine: TestEngine, nowMs: number): Promise<void> {
  const { commits, tips, ci } = demoCommits(nowMs);
  const { runs, jobs } = demoRuns(nowMs);
  await loadRows(engine, 'commits', commits);
  await loadRows(engine, 'commit_ci', ci);
  await loadRows(engine, 'git_tips', tips);
  await loadRows(engine, 'ci_runs', runs);
  await loadRows(engine, 'ci_jobs', jobs);
  await loadRows(engine, 'deployments', demoDeployments(nowMs));
  await loadRows(engine, 'alerts', demoAlerts(nowMs));
}

function demoCommits(nowMs: number): { commits: CommitRow[]; tips: GitTipRow[]; ci: CommitCiRow[] } {
  const random = createRandom(5);
  const commits: CommitRow[] = [];
  const ci: CommitCiRow[] = [];
  for (const [repository, people, perWeek] of REPOSITORIES) {
    for (let week = 0; week < 26; week += 1) {
      const holidays = week === 12 || week === 13 ? 0.35 : 1;
      const wanted = Math.max(3, Math.round(perWeek * holidays * (0.75 + 0.5 * random())));
      for (let number = 0; number < wanted; number += 1) {
        const atMs = nowMs - week * WEEK_MS - Math.floor(random() * WEEK_MS) - MINUTE_MS;
        // Everybody commits in a usual week; in the holidays few do.
        const author = number < people * holidays ? number : Math.floor(random() * people * holidays);
        const commit = commitOf(repository, `${week} ${number}`, author, atMs, nowMs, random);
        commits.push(commit);
        if (random() < 0.93) ci.push({ repository, sha: commit.sha, successful: random() < 0.92, version_ms: nowMs });
      }
    }
  }
  const tips = REPOSITORIES.map(([repository], index) => ({
    repository,
    branch: 'main',
    tip:
      commits
        .filter((commit) => commit.repository === repository)
        .toSorted((a, b) => b.commit_time_s - a.commit_time_s)[0]?.sha ?? '',
    collected_at_ms: nowMs - (40 + 35 * index) * 1000,
  }));
  return { commits, tips, ci };
}

function commitOf(
  repository: string,
  name: string,
  author: number,
  atMs: number,
  nowMs: number,
  random: () => number,
): CommitRow {
  const bot = random() < 0.11;
  const merge = !bot && random() < 0.16;
  const size = Math.round(4 + 160 * random() ** 3);
  const seconds = Math.floor(atMs / 1000);
  return {
    repository,
    sha: hash(`${repository} ${name}`),
    parents: merge ? [hash(`${name} a`), hash(`${name} b`)] : [hash(`${name} a`)],
    author: bot ? pseudonym(100) : pseudonym(author),
    committer: bot ? pseudonym(100) : pseudonym(author),
    co_authors: [],
    bot_rule: bot ? 'name ends in [bot]' : '',
    agent_assisted: !bot && !merge && random() < 0.08 + 0.3 * Math.max(0, 1 - (nowMs - atMs) / (20 * WEEK_MS)),
    author_time_s: seconds - 600,
    author_offset_min: pick(random, [0, 60, 120, -300, 330]),
    commit_time_s: seconds,
    commit_offset_min: 0,
    time_quality: merge ? 'merge_click' : 'author',
    additions: size,
    deletions: Math.round(size * (0.2 + 0.6 * random())),
    files: 1 + Math.round(size / 30),
    binary_files: 0,
    renames: 0,
    gone: false,
    version_ms: nowMs,
  };
}

const WORKFLOWS: readonly (readonly [workflow: string, minutes: number, failing: number])[] = [
  ['CI', 7, 0.12],
  ['Integration', 14, 0.2],
  ['Release', 5, 0.05],
];

function demoRuns(nowMs: number): { runs: CiRunRow[]; jobs: CiJobRow[] } {
  const random = createRandom(17);
  const runs: CiRunRow[] = [];
  const jobs: CiJobRow[] = [];
  let runId = 9_100_000_000;
  for (let atMs = nowMs - 30 * DAY_MS; atMs < nowMs - HOUR_MS; atMs += HOUR_MS * (0.4 + 1.6 * random())) {
    const [workflow, minutes, failing] = pick(random, [...WORKFLOWS, ...WORKFLOWS.slice(0, 1)]);
    const repository = pick(random, ['shop/storefront', 'shop/storefront', 'shop/checkout']);
    // A runner pool that was short for a week, and a test that was broken for two days.
    const age = (nowMs - atMs) / DAY_MS;
    const queueMs = 4_000 + 26_000 * random() + (age > 5 && age < 9 ? 240_000 * random() : 0);
    const failed = random() < failing + (age > 2 && age < 4 ? 0.35 : 0);
    const attempts = failed && random() < 0.5 ? 2 : 1;
    runId += 17 + Math.floor(random() * 900);
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const began = attempt === 1 ? atMs : atMs + 25 * MINUTE_MS;
      if (began > nowMs - 3 * MINUTE_MS) continue;
      const shape = { workflow, repository, runId, attempt, began, queueMs, failed: failed && attempt === 1 };
      addRun(runs, jobs, { ...shape, durationMs: minutes * MINUTE_MS * (0.8 + 0.5 * random()) }, nowMs);
    }
  }
  for (const [index, [minutesAgo, workflow, minutes, failed]] of NEWEST_RUNS.entries()) {
    const began = nowMs - minutesAgo * MINUTE_MS;
    const shape = { workflow, repository: 'shop/checkout', runId: 9_200_000_000 + index * 51, attempt: 1, began };
    addRun(runs, jobs, { ...shape, queueMs: 9_000 + index * 4_000, durationMs: minutes * MINUTE_MS, failed }, nowMs);
  }
  return { runs, jobs };
}

/** Minutes ago, workflow, minutes it takes, whether it fails: the last one still runs. */
const NEWEST_RUNS: readonly (readonly [minutesAgo: number, workflow: string, minutes: number, failed: boolean])[] = [
  [52, 'CI', 6.4, false],
  [38, 'Integration', 11.2, true],
  [21, 'Integration', 13.6, false],
  [4, 'CI', 7, false],
];

interface RunShape {
  workflow: string;
  repository: string;
  runId: number;
  attempt: number;
  began: number;
  queueMs: number;
  durationMs: number;
  failed: boolean;
}

function addRun(runs: CiRunRow[], jobs: CiJobRow[], shape: RunShape, nowMs: number): void {
  const { workflow, repository, runId, attempt, began, queueMs, durationMs, failed } = shape;
  const endedMs = began + queueMs + durationMs;
  const over = endedMs < nowMs;
  const sha = hash(`run ${runId}`);
  const conclusion = over ? (failed ? 'failure' : runId % 41 === 0 ? 'cancelled' : 'success') : null;
  const status = over ? 'completed' : 'in_progress';
  const received = Math.round(over ? endedMs + 800 : began + queueMs + 800);
  const common = {
    provider: 'github',
    repository,
    run_id: runId,
    attempt,
    workflow,
    branch: runId % 3 === 0 ? 'main' : `feature-${runId % 23}`,
    sha,
    status,
    conclusion,
  };
  const startedMs = Math.round(began);
  runs.push({
    ...common,
    delivery: `r${runId}-${attempt}`,
    event: runId % 3 === 0 ? 'push' : 'pull_request',
    created_at_ms: startedMs,
    started_at_ms: startedMs,
    updated_at_ms: Math.round(over ? endedMs : began + queueMs),
    received_at_ms: received,
  });
  ['build', 'test'].forEach((name, index) => {
    jobs.push({
      ...common,
      job_id: runId * 10 + index,
      delivery: `j${runId}-${attempt}-${index}`,
      name,
      labels: ['ubuntu-24.04'],
      created_at_ms: startedMs,
      started_at_ms: Math.round(began + queueMs * (1 - index * 0.3)),
      completed_at_ms: over ? Math.round(endedMs - index * 20_000) : null,
      received_at_ms: received,
    });
  });
}

/** Newest first: service, minutes ago, version, status, kind. */
const NEWEST_DEPLOYS: readonly (readonly [
  service: string,
  minutesAgo: number,
  version: string,
  status: string,
  kind: string | null,
])[] = [
  ['storefront', 14, '2026.11.3', 'success', 'planned'],
  ['checkout', 47, '1.42.0', 'success', 'planned'],
  ['payments', 104, '0.9.7-rc1', 'success', 'rollback'],
];

function demoDeployments(nowMs: number): DeploymentRow[] {
  const random = createRandom(29);
  const rows = NEWEST_DEPLOYS.map(([service, minutesAgo, version, status, kind]) =>
    deployment(service, nowMs - minutesAgo * MINUTE_MS, version, status, kind),
  );
  for (const [service, everyDays, line] of [
    ['storefront', 1.7, '2026.10.'],
    ['checkout', 3.4, '1.41.'],
    ['payments', 6, '0.8.'],
  ] as const) {
    for (let day = 1; day < 30; day += everyDays * (0.6 + 0.8 * random())) {
      const status = random() < 0.1 ? 'failure' : 'success';
      const kind = random() < 0.1 ? 'hotfix' : 'planned';
      rows.push(deployment(service, nowMs - day * DAY_MS, `${line}${Math.round(30 - day)}`, status, kind));
    }
  }
  return rows;
}

function deployment(
  service: string,
  atMs: number,
  version: string,
  status: string,
  kind: string | null,
): DeploymentRow {
  return {
    id: `${service}-${Math.floor(atMs / 1000)}`,
    service,
    environment: 'production',
    version,
    sha: hash(`${service} ${version}`),
    repository: `shop/${service}`,
    status,
    kind,
    started_at_ms: Math.round(atMs - 3 * MINUTE_MS),
    finished_at_ms: Math.round(atMs),
    received_at_ms: Math.round(atMs + 500),
  };
}

function demoAlerts(nowMs: number): AlertRow[] {
  const leak = {
    rule: 'goroutines',
    labels: {
      service: 'checkout',
      target: 'checkout-2',
      function: 'shop.example/checkout/internal/notify.(*Webhook).Send.func1',
    },
    summary:
      'checkout-2 gathers goroutines in notify.(*Webhook).Send.func1: their least number rose in four windows of ten minutes.',
  };
  const slow = {
    rule: 'latency',
    labels: { service: 'payments', route: 'payments.v1.Payments/Authorize' },
    summary: 'p99 of payments.v1.Payments/Authorize is 1.9 times what it was right before.',
  };
  const transition = (
    of: typeof leak | typeof slow,
    status: AlertRow['status'],
    startsAgo: number,
    ago: number,
  ): AlertRow => ({
    fingerprint: hash(JSON.stringify(of.labels)).slice(0, 16),
    ...of,
    status,
    starts_at_ms: nowMs - startsAgo * MINUTE_MS,
    ends_at_ms: status === 'resolved' ? nowMs - ago * MINUTE_MS : null,
    changed_at_ms: nowMs - ago * MINUTE_MS,
    evidence: '{}',
  });
  return [
    transition(leak, 'pending', 12, 12),
    transition(leak, 'firing', 12, 7),
    transition(slow, 'pending', 58, 58),
    transition(slow, 'firing', 58, 53),
    transition(slow, 'resolved', 58, 31),
  ];
}

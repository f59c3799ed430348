/** Git repositories, each collected by a job of its own. */
import { basename } from 'node:path';
import { HeliographError } from '../../core/errors.ts';
import type { Store } from '../../core/ports.ts';
import type { CommitRow } from '../../core/rows.ts';
import type { GitTool } from '../../collectors/git/command.ts';
import { collectHistory, type KnownTip } from '../../collectors/git/poll.ts';
import { GitProblem } from '../../collectors/git/problem.ts';
import { enclosingRepository, nameOfUrl, openRepository } from '../../collectors/git/repository.ts';
import type { RepositorySpec } from '../../collectors/git/spec.ts';
import { processEnvironment } from '../config/environment.ts';
import type { Task } from '../scheduler/task.ts';
import { createGate, type Gate } from './gate.ts';
import type { BackgroundDeps } from './deps.ts';
import { createPeopleOpener, type OpenPeople } from './people.ts';

/** A first collection reads the whole history; on the largest repositories known it takes hours. */
const TIMEOUT_MS = 12 * 3600_000;
/** How often a repository that cannot be collected is named again. */
const REMIND_MS = 3600_000;
/** How often the time of an unchanged repository is renewed. */
const RENEW_MS = 600_000;
const JITTER_RATIO = 0.05;
/** Histories read at once: each keeps a core busy. */
const READERS = 2;

/** What the jobs of one start share. */
interface Shared {
  deps: BackgroundDeps;
  tool: GitTool;
  openPeople: OpenPeople;
  gate: Gate;
  /** Name -> the job that has it. */
  names: Map<string, string>;
}

/** One job per configured repository, or one for the repository that the process was started in. */
export function gitTasks(
  deps: BackgroundDeps,
  cwd: string = process.cwd(),
  env = processEnvironment(),
): readonly Task[] {
  const shared: Shared = {
    deps,
    tool: { env },
    openPeople: createPeopleOpener(deps),
    gate: createGate(READERS),
    names: new Map(),
  };
  const { repositories, every } = deps.config.git;
  const timing = { intervalMs: every, jitterRatio: JITTER_RATIO, timeoutMs: TIMEOUT_MS, overlap: 'skip' as const };
  if (repositories.length === 0) {
    const job = createJob(shared, 'git', undefined, cwd);
    return [{ id: 'git', initialDelayMs: 0, ...timing, run: job }];
  }
  return repositories.map((spec, index) => {
    const id = `git ${index + 1} ${labelOf(spec)}`;
    return { id, initialDelayMs: Math.min(every, index * 200), ...timing, run: createJob(shared, id, spec, cwd) };
  });
}

/** For job ids and log lines: no credentials. */
function labelOf({ name, url, path }: RepositorySpec): string {
  return name ?? nameOfUrl(url ?? '') ?? basename(path ?? '');
}

function createJob(shared: Shared, id: string, configured: RepositorySpec | undefined, cwd: string) {
  const { deps } = shared;
  const { clock } = deps;
  const log = deps.log.child({ part: 'git', repository: configured === undefined ? '' : labelOf(configured) });
  let known: KnownTip | undefined;
  let hasAsked = false;
  let renewedMs = Number.NEGATIVE_INFINITY;
  let told = { rule: '', atMs: 0 };
  let announced = '';

  const collect = async (signal: AbortSignal): Promise<void> => {
    const spec = configured ?? (await defaultRepository(shared, cwd, signal));
    if (configured === undefined && spec.path !== announced) {
      log.info(
        { path: spec.path },
        'no repository is configured, so the one that Heliograph was started in is collected',
      );
      announced = spec.path ?? '';
    }
    const people = await shared.openPeople();
    const repository = await openRepository({ tool: shared.tool, dataDir: deps.config.dataDir }, spec, signal);
    const { name, tip, branch } = repository;
    const owner = shared.names.get(name) ?? id;
    if (owner !== id)
      throw new GitProblem(`the name ${name} is already that of another repository; give it one of its own`);
    shared.names.set(name, id);
    if (tip === undefined) throw new GitProblem('has no commit yet');
    if (!hasAsked) known = await storedTip(deps.store, name, signal);
    hasAsked = true;
    const startedMs = clock.monotonicMs();
    const storedCommits = (repo: string, during: AbortSignal) => readStored(deps.store, repo, during);
    const pollDeps = { tool: shared.tool, people, rows: deps.rows, storedCommits, clock, log };
    const collected = await shared.gate(signal, () => collectHistory(pollDeps, { ...repository, tip }, known, signal));
    known = { tip, branch };
    if (collected.mode !== 'none') {
      const seconds = (clock.monotonicMs() - startedMs) / 1000;
      log.info({ repository: name, branch, tip, ...collected, seconds }, 'repository collected');
      renewedMs = clock.monotonicMs();
    } else if (clock.monotonicMs() - renewedMs >= RENEW_MS) {
      await deps.rows.append('git_tips', [{ repository: name, branch, tip, collected_at_ms: clock.nowMs() }]);
      renewedMs = clock.monotonicMs();
    }
    deps.markCovered('git');
    if (told.rule !== '') log.info({ repository: name }, 'the repository can be collected again');
    told = { rule: '', atMs: 0 };
  };

  return async (signal: AbortSignal): Promise<void> => {
    try {
      await collect(signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof GitProblem || isRefusal(error))) throw error;
      const atMs = clock.monotonicMs();
      if (error.message === told.rule && atMs - told.atMs < REMIND_MS) return;
      told = { rule: error.message, atMs };
      log.warn({ rule: error.message }, 'the repository is not collected');
    }
  };
}

/** A key that is refused is said once, like any other rule. */
function isRefusal(error: unknown): error is HeliographError {
  return error instanceof HeliographError && error.code === 'bad_config';
}

async function defaultRepository({ tool }: Shared, cwd: string, signal: AbortSignal): Promise<RepositorySpec> {
  const path = await enclosingRepository(tool, cwd, signal);
  if (path === undefined)
    throw new GitProblem(
      'git.repositories is empty and Heliograph was not started inside of a repository (or there is no git)',
    );
  return { path };
}

async function storedTip(store: Store, repository: string, signal: AbortSignal): Promise<KnownTip | undefined> {
  const { rows } = await store.query({
    sql: 'SELECT branch, tip FROM heliograph.git_tips FINAL WHERE repository = {repository:String}',
    params: { repository },
    signal,
  });
  const row = rows[0];
  return row === undefined ? undefined : { branch: String(row[0]), tip: String(row[1]) };
}

/** Columns of heliograph.commits as the keys of its row. */
const STORED: Readonly<Record<keyof CommitRow, string>> = {
  repository: 'repository',
  sha: 'sha',
  parents: 'parents',
  author: 'author',
  committer: 'committer',
  co_authors: 'co_authors',
  bot_rule: 'bot_rule',
  agent_assisted: 'agent_assisted',
  author_time_s: 'toInt64(author_time)',
  author_offset_min: 'author_offset_min',
  commit_time_s: 'toInt64(commit_time)',
  commit_offset_min: 'commit_offset_min',
  time_quality: 'time_quality',
  additions: 'additions',
  deletions: 'deletions',
  files: 'files',
  binary_files: 'binary_files',
  renames: 'renames',
  gone: 'gone',
  version_ms: 'version',
};

/** Every commit of a repository that is not gone, as its row. */
async function readStored(store: Store, repository: string, signal: AbortSignal): Promise<CommitRow[]> {
  const { rows } = await store.query({
    sql: `SELECT ${Object.values(STORED).join(', ')} FROM heliograph.commits FINAL WHERE repository = {repository:String} AND NOT gone`,
    params: { repository },
    signal,
  });
  const keys = Object.keys(STORED);
  return rows.map((row) => Object.fromEntries(keys.map((key, index) => [key, row[index]])) as unknown as CommitRow);
}

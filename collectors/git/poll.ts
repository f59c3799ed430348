/**
 * Collects a repository: the whole history of its branch once, then what is new. Rows of a commit are the same whenever it is
 * collected, and tables replace by key, so every step may be repeated; the tip is written last, once all before it is durable.
 */
import { createInterface } from 'node:readline';
import { HeliographError } from '../../core/errors.ts';
import type { Clock, Log } from '../../core/ports.ts';
import type { People } from '../../core/people.ts';
import type { CommitRow, Rows, RowSignal, RowSink } from '../../core/rows.ts';
import { type GitTool, gitIn, logArguments, streamGit } from './command.ts';
import { createGitDecoder, type DecodedCommit, type GitReject } from './decode.ts';
import { createMailmap } from './mailmap.ts';
import { GitProblem } from './problem.ts';
import type { OpenRepository } from './repository.ts';
import { createRowMaker, type RowMaker } from './rows.ts';

export interface GitPollDeps {
  tool: GitTool;
  people: People;
  rows: RowSink;
  /** The commits of a repository that were collected before and are not gone; asked for where git itself has lost them. */
  storedCommits(repository: string, signal: AbortSignal): Promise<readonly CommitRow[]>;
  clock: Clock;
  log: Log;
}

/** Up to which commit a repository has been collected. */
export interface KnownTip {
  branch: string;
  tip: string;
}

export interface Collected {
  /** 'none' where the tip has not moved. */
  mode: 'none' | 'full' | 'new';
  commits: number;
  rejected: number;
  /** Commits that the old tip reached and the new one does not. */
  gone: number;
}

/**
 * Commits, or files, after which a batch is handed on. Batches are small so that git seldom waits for us, and several are on
 * their way to the disk at once so that we seldom wait for it; git waits when that many are not durable yet.
 */
const BATCH_COMMITS = 250;
const BATCHES_UNDER_WAY = 8;
const BATCH_FILES = 2500;
const PIECE_ROWS = 2500;
const RETRY_MS = 1000;

/** Collects what `known` does not reach. Throws GitProblem; rejects with the signal's reason when that is raised. */
export async function collectHistory(
  deps: GitPollDeps,
  repository: OpenRepository & { tip: string },
  known: KnownTip | undefined,
  signal: AbortSignal,
): Promise<Collected> {
  const { tip, branch, name, gitDir } = repository;
  if (known?.tip === tip && known.branch === branch) return { mode: 'none', commits: 0, rejected: 0, gone: 0 };
  const relation = known === undefined ? 'none' : await relate(deps.tool, gitDir, known.tip, tip, signal);
  const isFull = relation !== 'known';
  const common = { deps, repository, versionMs: deps.clock.nowMs(), signal };
  const added = await stream(common, tip, isFull ? undefined : known?.tip, false);
  let gone = { commits: 0, rejected: 0 };
  if (relation === 'lost') gone = { commits: await buryLost(common), rejected: 0 };
  // What a tip that was thrown away alone reached is written once more, as gone; nothing, where it is an ancestor.
  else if (known !== undefined && known.tip !== tip) gone = await stream(common, known.tip, tip, true);
  const reached = { repository: name, branch, tip, collected_at_ms: deps.clock.nowMs() };
  await appendPatiently(deps, 'git_tips', [reached], signal);
  return {
    mode: isFull ? 'full' : 'new',
    commits: added.commits,
    rejected: added.rejected + gone.rejected,
    gone: gone.commits,
  };
}

/**
 * How the old tip stands to the new one: 'known' where it is still there; 'lost' where it is not; 'mailmap' where names may have
 * changed all through the history, because .mailmap has.
 */
async function relate(
  tool: GitTool,
  gitDir: string,
  old: string,
  tip: string,
  signal: AbortSignal,
): Promise<'known' | 'lost' | 'mailmap'> {
  if (!/^[0-9a-f]{40,64}$/.test(old)) return 'lost';
  const git = gitIn(tool, { cwd: gitDir, signal, env: { GIT_DIR: gitDir } });
  const blob = (name: string): Promise<string> =>
    git.raw('rev-parse', '--verify', name).catch(() => {
      signal.throwIfAborted();
      return '';
    });
  if ((await blob(`${old}^{commit}`)) === '') return 'lost';
  return (await blob(`${old}:.mailmap`)) === (await blob(`${tip}:.mailmap`)) ? 'known' : 'mailmap';
}

interface Stream {
  deps: GitPollDeps;
  repository: OpenRepository & { tip: string };
  versionMs: number;
  signal: AbortSignal;
}

/** Streams the history of `from` without what `not` reaches into rows. */
async function stream(
  { deps, repository, versionMs, signal }: Stream,
  from: string,
  not: string | undefined,
  gone: boolean,
) {
  const { tool, people, log } = deps;
  const { gitDir, name, tip } = repository;
  const { child, done } = streamGit(tool, gitDir, logArguments(from, not, tip), signal);
  child.stdin.end();
  const mailmap = createMailmap(tool, gitDir, tip, signal);
  const decoder = createGitDecoder();
  const maker = createRowMaker({ repository: name, versionMs, gone, people });
  const count = { commits: 0, rejected: 0 };
  let batch: DecodedCommit[] = [];
  let files = 0;
  const underWay: Promise<void>[] = [];
  const flush = async (): Promise<void> => {
    const commits = batch;
    batch = [];
    files = 0;
    await mailmap.learn(commits);
    if (underWay.length >= BATCHES_UNDER_WAY) await underWay.shift();
    const writing = writeRows(deps, maker, commits, mailmap.mapped, signal);
    writing.catch(() => {}); // awaited in its turn, or at the end
    underWay.push(writing);
  };
  const take = (decoded: { commits: DecodedCommit[]; rejects: GitReject[] }): void => {
    for (const commit of decoded.commits) files += commit.files.length;
    batch = batch.length === 0 ? decoded.commits : batch.concat(decoded.commits);
    count.commits += decoded.commits.length;
    count.rejected += decoded.rejects.length;
    for (const { sha, rule } of decoded.rejects) {
      if (sha === '') throw new GitProblem(`the output of git log is not understood: ${rule}`);
      log.warn({ repository: name, sha, rule }, 'a commit was rejected');
    }
  };
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      take(decoder.push(chunk));
      if (batch.length >= BATCH_COMMITS || files >= BATCH_FILES) await flush();
    }
    await done;
    take(decoder.end());
    await flush();
    await Promise.all(underWay);
    await writeIdentities(deps, maker, signal);
    return count;
  } finally {
    child.kill();
    mailmap.close();
  }
}

/** The old tip is not here any more: of what was collected before, whatever the new one does not reach is gone. */
async function buryLost({ deps, repository, versionMs, signal }: Stream): Promise<number> {
  const reachable = new Set<string>();
  const { child, done } = streamGit(deps.tool, repository.gitDir, ['rev-list', repository.tip, '--'], signal);
  child.stdin.end();
  for await (const line of createInterface({ input: child.stdout })) reachable.add(line);
  await done;
  const stored = await deps.storedCommits(repository.name, signal);
  const lost = stored.filter(({ sha }) => !reachable.has(sha));
  const rows = lost.map((row) => ({ ...row, gone: true, version_ms: versionMs }));
  await appendPatiently(deps, 'commits', rows, signal);
  return rows.length;
}

async function writeRows(
  deps: GitPollDeps,
  maker: RowMaker,
  commits: readonly DecodedCommit[],
  mailmap: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const rows = maker.make(commits, mailmap);
  await Promise.all([
    appendPatiently(deps, 'commits', rows.commits, signal),
    appendPatiently(deps, 'commit_files', rows.files, signal),
  ]);
}

/** The one place where names are kept, sealed. Last seen with their latest commit, but not in the future. */
async function writeIdentities(deps: GitPollDeps, maker: RowMaker, signal: AbortSignal): Promise<void> {
  const nowMs = deps.clock.nowMs();
  const rows = [...maker.met()].map(([pseudonym, { person, lastSeen }]) => ({
    pseudonym,
    sealed: deps.people.seal(pseudonym, person),
    last_seen_ms: Math.max(0, Math.min(nowMs, lastSeen * 1000)),
  }));
  await appendPatiently(deps, 'identities', rows, signal);
}

/**
 * Waits for the journal to take the rows, however long it is full: nothing is lost, git only waits. A commit of a million files
 * goes in pieces, as the journal takes only so much at once.
 */
async function appendPatiently<S extends RowSignal>(
  { rows: sink, clock }: GitPollDeps,
  signalName: S,
  rows: readonly Rows[S][],
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at < rows.length; ) {
    signal.throwIfAborted();
    try {
      await sink.append(signalName, rows.slice(at, at + PIECE_ROWS));
      at += PIECE_ROWS;
    } catch (error) {
      const isPassing =
        error instanceof HeliographError && (error.code === 'journal_full' || error.code === 'journal_unavailable');
      if (!isPassing) throw error;
      await new Promise<void>((resolve) => void clock.after((error.retryAfterSeconds ?? 1) * RETRY_MS, resolve));
    }
  }
}

/** Where a repository's history lies: in a clone on this machine, read as it is, or in our own mirror of a URL. */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type GitRun, type GitTool, gitIn } from './command.ts';
import { fetchMirror } from './mirror.ts';
import { GitProblem, problemOf } from './problem.ts';
import type { RepositoryDeps, RepositorySpec } from './spec.ts';

/** A repository whose history can be read now. */
export interface OpenRepository {
  /** As configured, else owner/name of the remote, else the folder. */
  name: string;
  gitDir: string;
  /** What HEAD points to where no branch is configured; 'HEAD' where it points to none. */
  branch: string;
  /** Full hash; undefined while there is no commit. */
  tip: string | undefined;
}

/** Looks at a repository, and fetches it where it is a URL. Throws GitProblem naming the rule it breaks. */
export async function openRepository(
  deps: RepositoryDeps,
  spec: RepositorySpec,
  signal: AbortSignal,
): Promise<OpenRepository> {
  for (const value of [spec.branch, spec.url, spec.path])
    if (value?.startsWith('-') === true) throw new GitProblem('a branch, URL or path does not begin with a dash');
  if (spec.url !== undefined) {
    const { gitDir, branch, tip } = await fetchMirror(deps, { ...spec, url: spec.url }, signal);
    return { name: spec.name ?? nameOfUrl(spec.url) ?? 'repository', gitDir, branch, tip };
  }
  if (spec.path === undefined) throw new GitProblem('has a path or a url');
  return openClone(deps.tool, { ...spec, path: spec.path }, signal);
}

async function openClone(
  tool: GitTool,
  spec: RepositorySpec & { path: string },
  signal: AbortSignal,
): Promise<OpenRepository> {
  const isThere = await stat(spec.path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isThere) throw new GitProblem('there is no such directory');
  const path = await realpath(spec.path);
  // A folder inside of some other repository is not that repository.
  const run: GitRun = { cwd: path, signal, env: { GIT_CEILING_DIRECTORIES: dirname(path) } };
  const [found, remote] = await Promise.all([
    lookAt(tool, run, spec.branch),
    spec.name === undefined ? quietly(tool, run, 'config', '--default', '', '--get', 'remote.origin.url') : '',
  ]);
  signal.throwIfAborted();
  return { name: spec.name ?? nameOfUrl(remote) ?? folderName(found.gitDir, path), ...found };
}

/** Mostly one process: where the branch is there, all is said at once. */
async function lookAt(tool: GitTool, run: GitRun, branch: string | undefined): Promise<Omit<OpenRepository, 'name'>> {
  const wanted = branch === undefined ? 'HEAD' : `refs/heads/${branch}`;
  const place = ['--absolute-git-dir', '--is-shallow-repository'];
  const all = await quietly(tool, run, 'rev-parse', ...place, `${wanted}^{commit}`, '--abbrev-ref', 'HEAD');
  if (all !== '') {
    const [gitDir = '', isShallow, tip, head = 'HEAD'] = all.split('\n');
    refuseShallow(isShallow);
    return { gitDir, branch: branch ?? head, tip };
  }
  let text: string;
  try {
    text = await gitIn(tool, run).raw('rev-parse', ...place);
  } catch (error) {
    run.signal.throwIfAborted();
    throw problemOf(error, 'cannot be opened');
  }
  const [gitDir = '', isShallow] = text.split('\n');
  refuseShallow(isShallow);
  if (branch === undefined) {
    const head = await quietly(tool, run, 'symbolic-ref', '--short', 'HEAD');
    return { gitDir, branch: head === '' ? 'HEAD' : head, tip: undefined };
  }
  const tip = await quietly(tool, run, 'rev-parse', '--verify', `refs/remotes/origin/${branch}^{commit}`);
  run.signal.throwIfAborted();
  if (tip === '') throw new GitProblem(`has no branch ${branch}`);
  return { gitDir, branch, tip };
}

/** What git answers, '' where it refuses. */
async function quietly(tool: GitTool, run: GitRun, ...args: string[]): Promise<string> {
  return gitIn(tool, run)
    .raw(...args)
    .catch(() => '');
}

function refuseShallow(answer: string | undefined): void {
  if (answer === 'true')
    throw new GitProblem('is a shallow clone, whose history is cut off; git fetch --unshallow brings the rest');
}

/** `/src/shop/.git` -> shop, `/srv/shop.git` -> shop; of a worktree the folder it lies in. */
function folderName(gitDir: string, path: string): string {
  const folder = basename(gitDir) === '.git' ? dirname(gitDir) : path;
  return basename(folder).replace(/\.git$/, '') || 'repository';
}

/** owner/name of a remote's address; undefined for a plain path. */
export function nameOfUrl(url: string): string | undefined {
  const match = /^[a-z][a-z0-9+.-]*:\/\/[^/]*\/(.+)$/i.exec(url) ?? /^[^/\s]+:(?!\/\/)(.+)$/.exec(url);
  const parts = (match?.[1] ?? '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .split('/')
    .filter((part) => part !== '');
  return parts.length === 0 ? undefined : parts.slice(-2).join('/');
}

/** The top of the repository that a directory lies in, undefined where it lies in none (or there is no git). */
export async function enclosingRepository(
  tool: GitTool,
  directory: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return await gitIn(tool, { cwd: directory, signal }).raw('rev-parse', '--show-toplevel');
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

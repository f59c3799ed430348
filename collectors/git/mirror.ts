/** Our own bare copy of one branch of a remote: fetched when the remote's branch has moved, asked for otherwise. */
import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gitIn } from './command.ts';
import { GitProblem, problemOf } from './problem.ts';
import type { RepositoryDeps, RepositorySpec } from './spec.ts';

interface Mirror {
  gitDir: string;
  branch: string;
  tip: string | undefined;
}

/** Where the fetched branch lies in the mirror. */
const REF = 'refs/heliograph/tip';
const ALLOWED = /^(https?:\/\/|ssh:\/\/|file:\/\/\/|git@)[^\s]+$/;

/** Brings the mirror up to date. Throws GitProblem; credentials are in no message and in no argument of a process. */
export async function fetchMirror(
  { tool, dataDir }: RepositoryDeps,
  spec: RepositorySpec & { url: string },
  signal: AbortSignal,
): Promise<Mirror> {
  if (!ALLOWED.test(spec.url)) throw new GitProblem('the URL is none of https://, http://, ssh://, git@ and file:///');
  const { url, env } = withoutPassword(spec.url);
  const parent = join(dataDir, 'git');
  const gitDir = join(parent, folderOf(url, spec.name));
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 });
    if (!(await exists(join(gitDir, 'HEAD'))))
      await gitIn(tool, { cwd: parent, signal }).raw('init', '--bare', '--quiet', '--template=', gitDir);
    const git = gitIn(tool, { cwd: gitDir, signal, env, online: true });
    const wanted = spec.branch === undefined ? 'HEAD' : `refs/heads/${spec.branch}`;
    const { branch, tip } = parseRemote(await git.raw('ls-remote', '--symref', '--', url, wanted), wanted);
    if (tip === undefined && spec.branch !== undefined) throw new GitProblem(`has no branch ${spec.branch}`);
    const has = await git.raw('rev-parse', '--verify', `${REF}^{commit}`).catch(() => '');
    if (tip !== undefined && tip !== has)
      await git.raw(
        'fetch',
        '--quiet',
        '--progress',
        '--no-tags',
        '--no-write-fetch-head',
        '--',
        url,
        `+${wanted}:${REF}`,
      );
    // The branch may have moved on between the two: what was fetched counts.
    const fetched = tip === undefined || tip === has ? tip : await git.raw('rev-parse', '--verify', `${REF}^{commit}`);
    return { gitDir, branch: spec.branch ?? branch, tip: fetched };
  } catch (error) {
    signal.throwIfAborted();
    throw problemOf(error, 'cannot be fetched');
  }
}

/** User and password of an http(s) URL travel in a header that git is handed in its environment. */
function withoutPassword(address: string): { url: string; env: Record<string, string> } {
  if (!/^https?:/.test(address)) return { url: address, env: {} };
  let parsed: URL;
  try {
    parsed = new URL(address);
  } catch (error) {
    throw new GitProblem('the URL cannot be read', { cause: error });
  }
  const { username, password } = parsed;
  if (username === '' && password === '') return { url: address, env: {} };
  parsed.username = '';
  parsed.password = '';
  const pair = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const env = {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${parsed.origin}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${pair}`,
  };
  return { url: parsed.href, env };
}

/** Readable, and another folder for another address. */
function folderOf(url: string, name: string | undefined): string {
  const hash = createHash('sha256').update(url).digest('hex').slice(0, 12);
  const readable = (name ?? url.split('/').at(-1) ?? '').replace(/\.git$/, '').replace(/[^A-Za-z0-9_-]+/g, '-');
  return `${readable.slice(0, 40)}-${hash}`;
}

/** `ref: refs/heads/main<TAB>HEAD` and `<sha><TAB>HEAD`; no line where the remote has no commit. */
function parseRemote(text: string, wanted: string): { branch: string; tip: string | undefined } {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const target = lines.find(([left, right]) => right === wanted && left?.startsWith('ref: ') === true)?.[0];
  const tip = lines.find(([left, right]) => right === wanted && /^[0-9a-f]{40,64}$/.test(left ?? ''))?.[0];
  return { branch: target?.replace(/^ref: (refs\/heads\/)?/, '') ?? 'HEAD', tip };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

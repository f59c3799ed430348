/**
 * How git is run. A repository is somebody else's, and so is its configuration: nothing in it may start a program, reach the
 * network or change a figure. What a user of this machine configured for themselves (proxies, credential helpers, ssh) holds for
 * the one thing that needs it, fetching into our own mirrors.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { devNull } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { type SimpleGit, simpleGit } from 'simple-git';
import { LOG_FORMAT } from './decode.ts';
import { GitProblem, problemOf } from './problem.ts';

/** Variables of this process that git is not to see: settings of whoever started us, and our own secrets. */
const DROPPED = /^(GIT_|HELIOGRAPH_|EDITOR$|VISUAL$|PAGER$|PREFIX$|SSH_ASKPASS)/i;
/** Of git's own, what says where the user's settings lie and how the network is reached. */
const KEPT = /^GIT_(SSH$|SSH_COMMAND$|SSH_VARIANT$|SSL_|CONFIG_GLOBAL$|CONFIG_SYSTEM$|CONFIG_NOSYSTEM$|PROXY_)/;

/** Nothing waits for a person, nothing locks, nothing is fetched on the side, messages come in English. */
const FIXED: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '',
  SSH_ASKPASS: 'false',
  SSH_ASKPASS_REQUIRE: 'force',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_PAGER: 'cat',
};

/** No hook, no monitor, no signature checker, no command of an alternate; `ext::` addresses run whatever they name. */
const SAFE_CONFIG = [
  'core.fsmonitor=false',
  `core.hooksPath=${devNull}`,
  'core.alternateRefsCommand=true',
  'log.showSignature=false',
  'protocol.ext.allow=never',
];
/** Reading needs no network at all. */
const OFFLINE_CONFIG = ['protocol.allow=never'];

/** What a setting of the repository or of the user could change in the figures, at git's own defaults. */
const EXACT_CONFIG = [
  'log.showRoot=true',
  'diff.renameLimit=1000',
  `core.attributesFile=${devNull}`,
  'trailer.separators=:',
];
const LOG_ARGUMENTS = [
  'log',
  '--reverse',
  '-M',
  '-z',
  '--raw',
  '--no-abbrev',
  '--numstat',
  '--diff-merges=first-parent',
  '--use-mailmap',
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '--no-decorate',
  '--diff-algorithm=default',
  '--ignore-submodules=none',
  `-O${devNull}`,
  '--date=raw',
  '--encoding=UTF-8',
  `--format=${LOG_FORMAT}`,
];

/** How git is reached. */
export interface GitTool {
  /** Variables of this process. */
  env: Readonly<Record<string, string | undefined>>;
}

/** A short command in a directory, through simple-git. */
export interface GitRun {
  cwd: string;
  signal: AbortSignal;
  /** Further variables. */
  env?: Readonly<Record<string, string>>;
  /** Whether it may reach a remote. */
  online?: boolean;
}

/** Without a word for this long, a fetch has died. */
const SILENT_MS = 120_000;

/**
 * A simple-git that is allowed exactly what is set here. It waits 50 ms for a command that prints nothing, so none is asked to be
 * quiet that may well have nothing to say. Throws GitProblem where there is no such
 * directory.
 */
export function gitIn(tool: GitTool, run: GitRun): SimpleGit {
  const env = { ...environmentOf(tool), ...run.env };
  try {
    return simpleGit({
      baseDir: run.cwd,
      abort: run.signal,
      config: [...SAFE_CONFIG, ...(run.online === true ? ['gc.autoDetach=false'] : OFFLINE_CONFIG)],
      allowEnvironment: Object.keys(env),
      timeout: { block: SILENT_MS },
      completion: { onClose: true, onExit: false },
      trimmed: true,
      // What is refused elsewhere is set here, to values that switch things off, and to what the user themselves set.
      unsafe: {
        allowUnsafeAskPass: true,
        allowUnsafeConfigEnvCount: true,
        allowUnsafeConfigPaths: true,
        allowUnsafeFsMonitor: true,
        allowUnsafeGitProxy: true,
        allowUnsafeHooksPath: true,
        allowUnsafePager: true,
        allowUnsafeProtocolOverride: true,
        allowUnsafeSshCommand: true,
        allowUnsafeTemplateDir: true,
      },
    }).env(env);
  } catch (error) {
    throw new GitProblem('there is no such directory', { cause: error });
  }
}

function environmentOf(tool: GitTool): Record<string, string> {
  const kept = Object.entries(tool.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && (!DROPPED.test(entry[0]) || KEPT.test(entry[0])),
  );
  return { ...Object.fromEntries(kept), ...FIXED };
}

type Streaming = ChildProcessByStdio<Writable, Readable, Readable>;

export interface GitStream {
  child: Streaming;
  /** Resolves when git has ended well; rejects with a GitProblem, or with the signal's reason. */
  done: Promise<void>;
}

/**
 * A command that streams, in the repository whose git directory is given. Attributes and .mailmap of a working tree and of an
 * index play no part: what is read depends on the commits alone, wherever they lie.
 */
export function streamGit(
  tool: GitTool,
  gitDir: string,
  args: readonly string[],
  signal: AbortSignal,
  flush: 'each answer' | 'when full' = 'when full',
): GitStream {
  const config = [...SAFE_CONFIG, ...OFFLINE_CONFIG, ...EXACT_CONFIG].flatMap((setting) => ['-c', setting]);
  const child = spawn('git', [...config, ...args], {
    cwd: gitDir,
    env: {
      ...environmentOf(tool),
      GIT_DIR: gitDir,
      GIT_INDEX_FILE: join(gitDir, 'no-index'),
      // Into a pipe git writes commit by commit, and each write wakes us: a third of the time of a large log.
      GIT_FLUSH: flush === 'when full' ? '0' : '1',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < 4096) stderr += chunk.toString('utf8');
  });
  child.stdin.on('error', () => {}); // it ended first; `done` says why
  const done = new Promise<void>((resolve, reject) => {
    child.on('error', (error) => reject(signal.aborted ? signal.reason : problemOf(error, `git ${args[0]}`)));
    child.on('close', (code, killedBy) => {
      if (code === 0) return resolve();
      reject(problemOf(stderr === '' ? `ended with ${code ?? killedBy}` : stderr, `git ${args.find(isCommand) ?? ''}`));
    });
  });
  done.catch(() => {}); // whoever waits for it will hear
  return { child, done };
}

function isCommand(argument: string): boolean {
  return /^[a-z]+(-[a-z]+)*$/.test(argument);
}

const SHA = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/** History of `tip` without what `not` reaches, oldest first, as decode.ts takes it; names after the .mailmap of `mailmapOf`. */
export function logArguments(tip: string, not: string | undefined, mailmapOf: string): string[] {
  for (const sha of [tip, not ?? tip, mailmapOf]) if (!SHA.test(sha)) throw new GitProblem('a tip is a full hash');
  const range = not === undefined ? [tip] : [tip, '--not', not];
  return ['-c', `mailmap.blob=${mailmapOf}:.mailmap`, ...LOG_ARGUMENTS, ...range, '--'];
}

/** Contacts in, one a line; each is answered by a line, after the .mailmap of `mailmapOf`. */
export function mailmapArguments(mailmapOf: string): string[] {
  return ['-c', `mailmap.blob=${mailmapOf}:.mailmap`, 'check-mailmap', '--stdin'];
}

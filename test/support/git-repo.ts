/** Real repositories for tests, made by git itself, independent of the settings and identity of whoever runs them. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Ada Lovelace',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada Lovelace',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};

/** Runs git in a directory. */
export interface TestRepo {
  dir: string;
  /** Standard output without its last newline; throws what git says. */
  git(...args: string[]): string;
  bytes(args: readonly string[], input?: Uint8Array | string, env?: Record<string, string>): Buffer;
  /** Commits everything at the given Unix seconds; `env` names other people. Returns the hash. */
  commit(message: string, atS: number, env?: Record<string, string>): string;
}

/** The variables git is run with in tests: nobody's settings, and a fixed author. */
export function gitEnvironment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  };
}

/** A repository that is already there. */
export function repoIn(dir: string): TestRepo {
  const bytes: TestRepo['bytes'] = (args, input, env = {}) => {
    const result: SpawnSyncReturns<Buffer> = spawnSync('git', args, {
      cwd: dir,
      env: { ...gitEnvironment(), ...IDENTITY, ...env },
      maxBuffer: 1 << 30,
      ...(input === undefined ? {} : { input }),
    });
    if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr.toString()}`);
    return result.stdout;
  };
  const git = (...args: string[]): string => bytes(args).toString('utf8').replace(/\n$/, '');
  return {
    dir,
    git,
    bytes,
    commit(message, atS, env = {}) {
      const date = `${atS} +0000`;
      bytes(['add', '-A']);
      bytes(['commit', '--quiet', '--allow-empty', '-F', '-'], message, {
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_DATE: date,
        ...env,
      });
      return git('rev-parse', 'HEAD');
    },
  };
}

/** An empty repository on branch main. */
export function createRepo(dir: string, ...options: string[]): TestRepo {
  mkdirSync(dir, { recursive: true });
  const repo = repoIn(dir);
  repo.git('init', '--quiet', '--initial-branch=main', ...options);
  return repo;
}

/** Lines of a commit object as they are, hash of the object that was written. `{tree}` is the empty tree. */
export function writeRawCommit(repo: TestRepo, text: Uint8Array | string): string {
  return repo.bytes(['hash-object', '-t', 'commit', '-w', '--stdin', '--literally'], text).toString().trim();
}

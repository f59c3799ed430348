/** Collects a repository by the real road, into whatever sink a test hands in. */
import { randomBytes } from 'node:crypto';
import { type Collected, collectHistory, type GitPollDeps, type KnownTip } from '../../collectors/git/poll.ts';
import { type OpenRepository, openRepository } from '../../collectors/git/repository.ts';
import { systemClock } from '../../core/clock.ts';
import { createPeople, type People } from '../../core/people.ts';
import type { RowSink } from '../../core/rows.ts';
import { gitEnvironment } from './git-repo.ts';
import { quietLog } from './quiet-log.ts';

export const TEST_PEOPLE: People = createPeople(Buffer.alloc(32, 7), randomBytes);
export const TEST_TOOL = { env: gitEnvironment() };

export interface CollectOptions {
  name?: string;
  branch?: string;
  known?: KnownTip;
  signal?: AbortSignal;
  deps?: Partial<GitPollDeps>;
}

/** Opens the clone at `path` and collects it. Throws what the collector throws, or where there is no commit. */
export async function collect(
  rows: RowSink,
  path: string,
  options: CollectOptions = {},
): Promise<{ collected: Collected; repository: OpenRepository & { tip: string } }> {
  const { name, branch, signal = new AbortController().signal } = options;
  const repository = await openRepository({ tool: TEST_TOOL, dataDir: '/nonexistent' }, { path, name, branch }, signal);
  if (repository.tip === undefined) throw new Error(`${path} has no commit`);
  const opened = { ...repository, tip: repository.tip };
  const deps: GitPollDeps = {
    tool: TEST_TOOL,
    people: TEST_PEOPLE,
    rows,
    storedCommits: () => Promise.resolve([]),
    clock: systemClock,
    log: quietLog,
    ...options.deps,
  };
  return { collected: await collectHistory(deps, opened, options.known, signal), repository: opened };
}

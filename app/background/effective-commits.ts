/** Keeps heliograph.commit_ci: which commits are contained in the heads of completed CI runs. Looks only where something changed. */
import { commitCoverage, type GraphCommit, type RunHead } from '../../analyzers/contributors/compute.ts';
import type { CommitCiRow } from '../../core/rows.ts';
import type { Task } from '../scheduler/task.ts';
import type { BackgroundDeps } from './deps.ts';

const EVERY_MS = 60_000;
const TIMEOUT_MS = 600_000;
const JITTER_RATIO = 0.1;
const BATCH = 20_000;

export function effectiveCommitsTasks(deps: BackgroundDeps): readonly Task[] {
  const update = createEffectiveCommits(deps);
  return [
    {
      id: 'effective-commits',
      initialDelayMs: 15_000,
      intervalMs: EVERY_MS,
      jitterRatio: JITTER_RATIO,
      timeoutMs: TIMEOUT_MS,
      overlap: 'skip',
      run: update,
    },
  ];
}

/** One look: repositories whose commits, or any runs, are not those of the last look are computed anew, O(commits) each. */
export function createEffectiveCommits(
  deps: Pick<BackgroundDeps, 'store' | 'rows' | 'clock'>,
): (signal: AbortSignal) => Promise<void> {
  /** Repository -> what it was computed from. */
  const seen = new Map<string, string>();
  return async (signal) => {
    const query = async (sql: string, params: Record<string, unknown> = {}): Promise<unknown[][]> =>
      (await deps.store.query({ sql, params, signal })).rows;
    const [runs = []] = await query(
      "SELECT count(), toString(max(received_at)) FROM heliograph.ci_runs WHERE status = 'completed'",
    );
    if (runs[0] === 0) return; // no run is known, so nothing is known of any commit
    const states = await query(
      'SELECT repository, count(), toString(max(version)) FROM heliograph.commits GROUP BY repository',
    );
    const changed = states.filter(([repository, ...state]) => seen.get(String(repository)) !== stateOf(state, runs));
    if (changed.length === 0) return;
    const heads = await readHeads(query);
    for (const [name, ...state] of changed) {
      const repository = String(name);
      const rows = await changesOf(query, repository, heads, deps.clock.nowMs());
      for (let at = 0; at < rows.length; at += BATCH) await deps.rows.append('commit_ci', rows.slice(at, at + BATCH));
      seen.set(repository, stateOf(state, runs));
    }
  };
}

function stateOf(state: readonly unknown[], runs: readonly unknown[]): string {
  return [...state, ...runs].join(' ');
}

type Query = (sql: string, params?: Record<string, unknown>) => Promise<unknown[][]>;

/** Runs are named by their provider, commits by our configuration: what they share is the hash. */
async function readHeads(query: Query): Promise<RunHead[]> {
  const rows = await query(
    "SELECT sha, max(conclusion = 'success') FROM heliograph.ci_runs WHERE status = 'completed' AND sha != '' GROUP BY sha",
  );
  return rows.map(([sha, successful]) => ({ sha: String(sha), successful: Number(successful) === 1 }));
}

/** Rows that are not stored yet, or not as successful. What a run has once covered stays covered when the run itself expires. */
async function changesOf(
  query: Query,
  repository: string,
  heads: readonly RunHead[],
  versionMs: number,
): Promise<CommitCiRow[]> {
  const graph = await query(
    'SELECT sha, parents FROM heliograph.commits FINAL WHERE repository = {repository:String} AND NOT gone',
    { repository },
  );
  const commits = graph.map(([sha, parents]): GraphCommit => ({ sha: String(sha), parents: parents as string[] }));
  const stored = new Map(
    (
      await query('SELECT sha, successful FROM heliograph.commit_ci FINAL WHERE repository = {repository:String}', {
        repository,
      })
    ).map(([sha, successful]) => [String(sha), successful === true]),
  );
  return [...commitCoverage(commits, heads)]
    .filter(([sha, successful]) => !stored.has(sha) || (successful && stored.get(sha) === false))
    .map(([sha, successful]) => ({ repository, sha, successful, version_ms: versionMs }));
}

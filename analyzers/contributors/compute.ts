/** Which commits CI has seen: those contained in the head of a completed run, and of these the ones in the head of a successful one. */

/** A commit and what it follows. Parents that are not among the commits are ignored. */
export interface GraphCommit {
  sha: string;
  parents: readonly string[];
}

/** The head of a completed run. */
export interface RunHead {
  sha: string;
  successful: boolean;
}

/**
 * Commit -> whether a successful run contains it; a commit that no completed run contains is not in the map. Heads that are not
 * among the commits (a pull request's own, a branch's) say nothing about them. Each commit is visited at most twice.
 */
export function commitCoverage(commits: readonly GraphCommit[], heads: readonly RunHead[]): Map<string, boolean> {
  const parentsOf = new Map(commits.map(({ sha, parents }) => [sha, parents]));
  const coverage = new Map<string, boolean>();
  // The successful first: what they reach needs no second look.
  for (const successful of [true, false]) {
    const pending = heads.filter((head) => head.successful === successful).map(({ sha }) => sha);
    for (let sha = pending.pop(); sha !== undefined; sha = pending.pop()) {
      const parents = parentsOf.get(sha);
      if (parents === undefined || coverage.has(sha)) continue;
      coverage.set(sha, successful);
      pending.push(...parents);
    }
  }
  return coverage;
}

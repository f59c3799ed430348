/**
 * `dev_commit_total`, the one series about persons, and off unless `people.developerSeries` is on. Its developer is the keyed
 * pseudonym that the commits bear; names stand in `people` alone. It reads the table itself, as every view is public and no view
 * tells commits by person.
 */
import type { Family } from './exposition.ts';
import type { ReadRows } from './read.ts';

/** Pseudonyms and repositories with a series of their own, the busiest first; the rest are summed as `other`. */
const MAX_SERIES = 1000;
/**
 * The table has no bound in time, so it is counted when a repository has a new tip, and at this interval all the same: a tip can
 * be stored before its commits are.
 */
const INTERVAL_MS = 5 * 60_000;
const OTHER = 'other';

const TIPS = `
SELECT repository, argMax(tip, collected_at) FROM heliograph.git_tips
GROUP BY repository ORDER BY repository`;

/** Commits of people: no bots, no merges, and none that a rewritten branch has left behind. */
const COMMITS = `
SELECT author, repository, count() AS commits
FROM (
  SELECT
    repository, sha,
    argMax(author, version) AS author,
    argMax(bot_rule, version) AS bot_rule,
    argMax(length(parents), version) AS parent_count,
    argMax(gone, version) AS gone
  FROM heliograph.commits
  GROUP BY repository, sha
)
WHERE bot_rule = '' AND parent_count < 2 AND NOT gone
GROUP BY author, repository
ORDER BY commits DESC, author, repository`;

/** A reader of the family. Fails as the store fails. */
export function createDeveloperFamily(read: ReadRows): (nowMs: number, signal: AbortSignal) => Promise<Family> {
  const series = new Map<string, { developer: string; repo: string; commits: number }>();
  let counted = { atMs: Number.NEGATIVE_INFINITY, tips: '' };
  return async (nowMs, signal) => {
    const tips = JSON.stringify(await read(TIPS, {}, signal));
    if (tips !== counted.tips || nowMs - counted.atMs >= INTERVAL_MS) {
      for (const entry of fold(await read(COMMITS, {}, signal), series)) raise(series, entry);
      counted = { atMs: nowMs, tips };
    }
    return {
      name: 'dev_commit_total',
      type: 'counter',
      help: 'Commits of a person, by pseudonym; merges and bots are not counted.',
      samples: [...series.values()].map(({ developer, repo, commits }) => ({
        labels: { developer, repo },
        value: commits,
      })),
    };
  };
}

interface Entry {
  key: string;
  developer: string;
  repo: string;
  commits: number;
}

/** Rows by series. Who has a series keeps it; of the others, the busiest get what is left. */
function fold(rows: readonly (readonly unknown[])[], series: ReadonlyMap<string, unknown>): Iterable<Entry> {
  const folded = new Map<string, Entry>();
  let free = MAX_SERIES - series.size;
  for (const [author, repository, commits] of rows) {
    let entry = entryOf(String(author), String(repository));
    if (!series.has(entry.key) && free-- <= 0) entry = entryOf(OTHER, OTHER);
    const known = folded.get(entry.key) ?? entry;
    known.commits += Number(commits);
    folded.set(entry.key, known);
  }
  return folded.values();
}

function entryOf(developer: string, repo: string): Entry {
  return { key: JSON.stringify([developer, repo]), developer, repo, commits: 0 };
}

/** A rewritten branch can take commits away; a counter that fell would be read as a restart and counted anew. */
function raise(series: Map<string, Omit<Entry, 'key'>>, { key, developer, repo, commits }: Entry): void {
  series.set(key, { developer, repo, commits: Math.max(commits, series.get(key)?.commits ?? 0) });
}

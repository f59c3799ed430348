/** What git itself answers, each by the plainest command there is, one figure at a time; the collector's road is not used. */
import type { People } from '../../../core/people.ts';
import type { TestRepo } from '../../support/git-repo.ts';

export interface GitCommit {
  sha: string;
  parents: string[];
  additions: number;
  deletions: number;
  files: number;
  binary: number;
}

/** Sums of `git log --numstat`, commit by commit; figures of merges against their first parent. */
export function numstatOf(repo: TestRepo, tip = 'HEAD'): Map<string, GitCommit> {
  const found = new Map<string, GitCommit>();
  let current: GitCommit | undefined;
  const text = repo
    .bytes(['log', '--numstat', '-M', '--diff-merges=first-parent', '--format=commit %H %P', tip])
    .toString('latin1');
  for (const line of text.split('\n')) {
    const head = /^commit ([0-9a-f]{40}) ?(.*)$/.exec(line);
    const stat = /^(\d+|-)\t(\d+|-)\t/.exec(line);
    if (head?.[1] !== undefined) {
      const parents = (head[2] ?? '').split(' ').filter((parent) => parent !== '');
      current = { sha: head[1], parents, additions: 0, deletions: 0, files: 0, binary: 0 };
      found.set(current.sha, current);
    } else if (stat !== null && current !== undefined) {
      current.files += 1;
      if (stat[1] === '-') current.binary += 1;
      else {
        current.additions += Number(stat[1]);
        current.deletions += Number(stat[2]);
      }
    }
  }
  return found;
}

/** Renames as `git diff-tree -r -M` counts them against the first parent. */
export function renamesOf(repo: TestRepo, tip = 'HEAD'): number {
  const pairs = repo
    .git('log', '--format=%H %P', tip)
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, parent]) => parent !== undefined && parent !== '')
    .map(([sha, parent]) => `${parent} ${sha}\n`);
  if (pairs.length === 0) return 0;
  // `diff-tree --stdin` takes two trees a line; of a commit it would show all parents.
  const trees = repo
    .bytes(
      ['cat-file', '--batch-check=%(objectname)'],
      pairs
        .map(
          (pair) =>
            `${pair
              .trim()
              .split(' ')
              .map((sha) => `${sha}^{tree}`)
              .join('\n')}\n`,
        )
        .join(''),
    )
    .toString()
    .trim()
    .split('\n');
  const input = trees.flatMap((tree, index) => (index % 2 === 0 ? [`${tree} ${trees[index + 1]}\n`] : [])).join('');
  return repo
    .bytes(['diff-tree', '--stdin', '-r', '-M', '--name-status'], input)
    .toString('latin1')
    .split('\n')
    .filter((line) => /^R\d/.test(line)).length;
}

/** `git shortlog -se`: name and address after .mailmap -> commits. */
export function shortlogOf(repo: TestRepo, tip = 'HEAD'): Map<string, number> {
  const lines = repo.git('shortlog', '-se', tip).split('\n');
  return new Map(
    lines.map((line) => {
      const match = /^\s*(\d+)\t(.*)$/.exec(line);
      return [match?.[2] ?? '', Number(match?.[1])];
    }),
  );
}

/** Commit -> pseudonyms of its human co-authors besides the author, sorted. Bots are told by the one sign the test data have. */
export function coAuthorsOf(repo: TestRepo, people: People, tip = 'HEAD'): Map<string, string[]> {
  const person = (contact: string) => {
    const [name = '', email = ''] = contact.replace(/>$/, '').split(' <');
    return people.pseudonymOf({ name, email });
  };
  const known = new Map<string, string>();
  const mapped = (contact: string): string => {
    const answer = known.get(contact) ?? repo.git('check-mailmap', contact);
    known.set(contact, answer);
    return answer;
  };
  const format = '%H%x1f%aN <%aE>%x1f%(trailers:key=co-authored-by,valueonly,unfold,separator=%x1f)';
  const found = new Map<string, string[]>();
  for (const line of repo.git('log', `--format=${format}`, tip).split('\n')) {
    const [sha = '', author = '', ...contacts] = line.split('\x1f');
    const others = new Set(
      contacts
        .filter((contact) => contact.includes('<'))
        .map(mapped)
        .filter((contact) => !/\bbot\b/i.test(contact))
        .map(person),
    );
    others.delete(person(author));
    if (others.size > 0) found.set(sha, [...others].sort());
  }
  return found;
}

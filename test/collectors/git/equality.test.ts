import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseContact } from '../../../collectors/git/rows.ts';
import { PACKAGE_ROOT } from '../../../core/paths.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { engineSink } from '../../support/engine-sink.ts';
import { collect, TEST_PEOPLE } from '../../support/git-collect.ts';
import { generateRepo } from '../../support/git-generated.ts';
import { repoIn, type TestRepo } from '../../support/git-repo.ts';
import { coAuthorsOf, numstatOf, renamesOf, shortlogOf } from './peer-git.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

const select = async (sql: string, repository: string): Promise<unknown[][]> =>
  (await engine.store.query({ sql, params: { repository } })).rows;

const SUBJECTS: Record<string, () => TestRepo> = {
  'this repository': () => repoIn(PACKAGE_ROOT),
  'a repository of 10,000 commits': () => generateRepo(join(engine.dir, 'generated'), 10_000).repo,
};

describe.each(Object.keys(SUBJECTS))('%s, collected and read back, is what git says', (name) => {
  let repo: TestRepo;
  beforeAll(async () => {
    repo = SUBJECTS[name]?.() as TestRepo;
    const { collected } = await collect(engineSink(engine), repo.dir, { name });
    expect(collected).toMatchObject({ mode: 'full', rejected: 0 });
  });
  afterAll(() => rmSync(join(engine.dir, 'generated'), { recursive: true, force: true }));

  test('commits: git rev-list --count, with and without merges', async () => {
    const [row] = await select(
      'SELECT count(), countIf(length(parents) < 2), countIf(length(parents) = 0) FROM heliograph.commits FINAL WHERE repository = {repository:String}',
      name,
    );
    const counts = [[], ['--no-merges'], ['--max-parents=0']].map((options) =>
      Number(repo.git('rev-list', '--count', ...options, 'HEAD')),
    );
    expect(row).toEqual(counts);
  });

  test('lines, files and binary files of every commit: git log --numstat', async () => {
    const rows = await select(
      `SELECT sha, parents, additions, deletions, files, binary_files FROM heliograph.commits FINAL
       WHERE repository = {repository:String}`,
      name,
    );
    const found = new Map(
      rows.map(([sha, parents, additions, deletions, files, binary]) => [
        sha,
        { sha, parents, additions, deletions, files, binary },
      ]),
    );
    expect(found).toEqual(numstatOf(repo));
  });

  test('the files of commits add up to their commits', async () => {
    const [row] = await select(
      `SELECT (sum(additions), sum(deletions), count(), countIf(additions IS NULL), countIf(status = 'R')) =
         (SELECT sum(additions), sum(deletions), sum(files), sum(binary_files), sum(renames)
          FROM heliograph.commits FINAL WHERE repository = {repository:String})
       FROM heliograph.commit_files FINAL WHERE repository = {repository:String}`,
      name,
    );
    expect(row).toEqual([1]);
  });

  test('renames: git diff-tree -r -M', async () => {
    const [row] = await select(
      'SELECT sum(renames) FROM heliograph.commits FINAL WHERE repository = {repository:String}',
      name,
    );
    expect(row).toEqual([renamesOf(repo)]);
  });

  test('authors: git shortlog -se', async () => {
    const rows = await select(
      'SELECT author, count() FROM heliograph.commits FINAL WHERE repository = {repository:String} GROUP BY author',
      name,
    );
    const expected = new Map<string, number>();
    for (const [contact, count] of shortlogOf(repo)) {
      const pseudonym = TEST_PEOPLE.pseudonymOf(parseContact(contact) ?? { name: contact, email: '' });
      expected.set(pseudonym, (expected.get(pseudonym) ?? 0) + count);
    }
    expect(new Map(rows.map(([author, count]) => [author, count]))).toEqual(expected);
  });

  test('co-authors: the trailers of git log, each mapped by git check-mailmap', async () => {
    const rows = await select(
      'SELECT sha, arraySort(co_authors) FROM heliograph.commits FINAL WHERE repository = {repository:String} AND notEmpty(co_authors)',
      name,
    );
    expect(new Map(rows.map(([sha, people]) => [sha, people]))).toEqual(coAuthorsOf(repo, TEST_PEOPLE));
  });

  test('weeks of the view: git rev-list --since --until, week by week', async () => {
    const rows = await select(
      `SELECT toUnixTimestamp(time), human_commits + bot_commits, merge_commits
       FROM boards.contributions_by_week(from = toDateTime(1), to = toDateTime(4294967295), floor = 5)
       WHERE repository = {repository:String} ORDER BY time`,
      name,
    );
    const sums = rows.reduce<number[]>(([a = 0, b = 0], row) => [a + Number(row[1]), b + Number(row[2])], []);
    const count = (...options: string[]): number => Number(repo.git('rev-list', '--count', ...options, 'HEAD'));
    expect(sums).toEqual([count('--no-merges'), count('--merges')]);
    for (const [monday, plain, merges] of rows.slice(0, 5)) {
      const week = [`--since=@${String(monday)}`, `--until=@${Number(monday) + 7 * 86_400 - 1}`];
      expect([plain, merges]).toEqual([count('--no-merges', ...week), count('--merges', ...week)]);
    }
  });

  test('times and offsets: git log --date=raw', async () => {
    const rows = await select(
      `SELECT sha, toInt64(author_time), author_offset_min, toInt64(commit_time) FROM heliograph.commits FINAL
       WHERE repository = {repository:String} ORDER BY sha`,
      name,
    );
    const lines = repo.git('log', '--date=raw', '--format=%H %ad %ct').split('\n').sort();
    const minutes = (zone = ''): number =>
      (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3))) + 0;
    expect(rows).toEqual(
      lines.map((line) => {
        const [sha, author, zone, committed] = line.split(' ');
        return [sha, Number(author), minutes(zone), Number(committed)];
      }),
    );
  });
});

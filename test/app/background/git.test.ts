import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { BackgroundDeps } from '../../../app/background/deps.ts';
import { gitTasks } from '../../../app/background/git.ts';
import { loadConfig } from '../../../app/config/load.ts';
import type { Config } from '../../../app/config/schema.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { engineSink } from '../../support/engine-sink.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { createRepo, gitEnvironment } from '../../support/git-repo.ts';
import { memoryLog } from '../../support/memory-log.ts';

const AT_S = 1_700_000_000;
const HOUR_MS = 3_600_000;
const { signal } = new AbortController();

let engine: TestEngine;
let dir: string;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());
beforeEach(async () => {
  const made = mkdtempSync(join(tmpdir(), 'heliograph-git-'));
  dir = made;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  for (const table of ['heliograph.commits', 'heliograph.commit_files', 'heliograph.git_tips', 'people.identities'])
    await engine.store.command({ sql: `TRUNCATE TABLE ${table}` });
});

const select = async (sql: string): Promise<unknown[][]> => (await engine.store.query({ sql })).rows;

/** One start of the background thread's git jobs; `repositories` as in heliograph.yaml. */
function start(repositories: Config['git']['repositories'], cwd = dir) {
  const log = memoryLog();
  const clock = new FakeClock();
  const marked: string[] = [];
  const { config } = loadConfig({ flags: {}, env: {}, cwd: dir, readFile: () => undefined });
  const deps: BackgroundDeps = {
    config: { ...config, dataDir: join(dir, 'data'), git: { ...config.git, repositories } },
    pageUrl: '',
    store: engine.store,
    rows: engineSink(engine),
    markCovered: (source) => void marked.push(source),
    publishDerived: () => {},
    lastScrapedMs: () => null,
    random: () => 0,
    clock,
    log,
  };
  const tasks = gitTasks(deps, cwd, gitEnvironment());
  const run = async (): Promise<void> => void (await Promise.all(tasks.map((task) => task.run(signal))));
  const said = (message: string): Record<string, unknown>[] =>
    log.lines.filter((line) => line.message === message).map(({ fields }) => fields);
  return { tasks, run, said, clock, marked };
}

function repoWithPeople(name: string) {
  const repo = createRepo(join(dir, name));
  writeFileSync(join(repo.dir, 'a.go'), 'x\n');
  repo.commit('Secret subject\n\nA secret body.\n\nCo-authored-by: Grace Hopper <grace@navy.example>', AT_S, {
    GIT_COMMITTER_NAME: 'Katherine Johnson',
    GIT_COMMITTER_EMAIL: 'katherine@nasa.example',
  });
  return repo;
}

test('one repository that cannot be collected is named with its rule, once an hour, and costs the others nothing', async () => {
  repoWithPeople('good');
  const missing = join(dir, 'missing');
  const { run, said, clock, marked } = start([
    { path: missing, name: 'lost' },
    { path: join(dir, 'good') },
  ] as unknown as Config['git']['repositories']);
  await run();
  await run();
  expect(said('the repository is not collected')).toEqual([
    expect.objectContaining({ repository: 'lost', rule: 'there is no such directory' }),
  ]);
  expect(await select('SELECT repository, count() FROM heliograph.commits FINAL GROUP BY repository')).toEqual([
    ['good', 1],
  ]);
  expect(said('repository collected')).toHaveLength(1);
  expect(marked).toEqual(['git', 'git']);
  clock.stall(HOUR_MS);
  await run();
  expect(said('the repository is not collected')).toHaveLength(2);
  createRepo(missing).commit('there it is', AT_S);
  await run();
  expect(said('the repository can be collected again')).toHaveLength(1);
});

test('without configuration the repository around the working directory is collected, and said so', async () => {
  const repo = repoWithPeople('shop');
  mkdirSync(join(repo.dir, 'sub'));
  const { run, said } = start([], join(repo.dir, 'sub'));
  await run();
  await run();
  expect(said('no repository is configured, so the one that Heliograph was started in is collected')).toEqual([
    expect.objectContaining({ path: repo.dir }),
  ]);
  expect(await select('SELECT repository FROM heliograph.git_tips FINAL')).toEqual([['shop']]);
  const outside = start([], dir);
  await outside.run();
  expect(outside.said('the repository is not collected')).toHaveLength(1);
});

test('two repositories do not share a name', async () => {
  const repositories = ['a/shop', 'b/shop'].map((name) => ({ path: repoWithPeople(name).dir }));
  const { run, said, tasks } = start(repositories as unknown as Config['git']['repositories']);
  expect(new Set(tasks.map(({ id }) => id)).size).toBe(2);
  await run();
  expect(said('the repository is not collected')).toEqual([
    expect.objectContaining({ rule: expect.stringContaining('already that of another repository') as string }),
  ]);
});

test('a later start goes on from the tip in the store; a lost tip buries what is not there any more', async () => {
  const repo = repoWithPeople('shop');
  const repositories = [{ path: repo.dir }] as unknown as Config['git']['repositories'];
  await start(repositories).run();
  const first = repo.git('rev-parse', 'HEAD');
  repo.commit('more', AT_S + 1);
  const later = start(repositories);
  await later.run();
  expect(later.said('repository collected')).toEqual([expect.objectContaining({ mode: 'new', commits: 1, gone: 0 })]);
  // Another clone in the same place, without what was there.
  rmSync(repo.dir, { recursive: true });
  createRepo(repo.dir).commit('begun anew', AT_S + 2);
  const anew = start(repositories);
  await anew.run();
  expect(anew.said('repository collected')).toEqual([expect.objectContaining({ mode: 'full', commits: 1, gone: 2 })]);
  expect(await select('SELECT countIf(gone), countIf(NOT gone) FROM heliograph.commits FINAL')).toEqual([[2, 1]]);
  const columns = "author != '', notEmpty(co_authors), toInt64(author_time), additions, time_quality";
  expect(await select(`SELECT ${columns} FROM heliograph.commits FINAL WHERE sha = '${first}'`)).toEqual([
    [1, 1, AT_S, 1, 'author'],
  ]);
});

test('no name, no address and no message stands anywhere but in people, and there it is sealed', async () => {
  await start([{ path: repoWithPeople('shop').dir }] as unknown as Config['git']['repositories']).run();
  const tables = await select(
    `SELECT database, table, groupArray(name)
    FROM system.columns
    WHERE (database, table) IN (
      SELECT database, name FROM system.tables
      WHERE database IN ('heliograph', 'people', 'otel') AND engine LIKE '%MergeTree' -- what stores rows
        AND name != 'migrations' -- its checksums can spell a name of hex digits
    ) AND type NOT LIKE 'AggregateFunction%' -- a state, which is not text
    GROUP BY database, table`,
  );
  const words = ['ada', 'lovelace', 'grace', 'hopper', 'katherine', 'navy.example', 'nasa.example', 'secret'];
  const found: string[] = [];
  let looked = 0;
  for (const [database, table, names] of tables) {
    const columns = names as string[];
    const hits = columns.map(
      (name) =>
        `countIf(multiSearchAny(lower(toString(\`${name}\`)), [${words.map((word) => `'${word}'`).join(', ')}]))`,
    );
    const [row = []] = await select(`SELECT ${hits.join(', ')} FROM ${String(database)}.${String(table)}`);
    for (const [index, name] of columns.entries()) if (Number(row[index]) > 0) found.push(`${String(table)}.${name}`);
    looked += columns.length;
  }
  expect(looked).toBeGreaterThan(100);
  expect(found).toEqual([]);
  expect(await select("SELECT count() FROM people.identities FINAL WHERE pseudonym != 'key-check'")).toEqual([[3]]);
});

test('another key is refused and said; the old one goes on', async () => {
  const repositories = [{ path: repoWithPeople('shop').dir }] as unknown as Config['git']['repositories'];
  await start(repositories).run();
  const before = await select('SELECT author FROM heliograph.commits');
  rmSync(join(dir, 'data', 'people.key'));
  createRepo(join(dir, 'shop')).commit('more', AT_S + 1);
  const { run, said, marked } = start(repositories);
  await run();
  expect(said('the repository is not collected')).toEqual([
    expect.objectContaining({ rule: expect.stringContaining('is not the key that the stored pseudonyms') as string }),
  ]);
  expect(marked).toEqual([]);
  expect(await select('SELECT author FROM heliograph.commits')).toEqual(before);
});

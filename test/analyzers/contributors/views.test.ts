import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { contributors } from '../../../analyzers/contributors/index.ts';
import { createEffectiveCommits } from '../../../app/background/effective-commits.ts';
import { systemClock } from '../../../core/clock.ts';
import type { CiRunRow, CommitRow } from '../../../core/rows.ts';
import { defineViews } from '../../../store/views.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { engineSink } from '../../support/engine-sink.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());
beforeEach(async () => {
  for (const table of ['commits', 'commit_ci', 'git_tips', 'ci_runs'])
    await engine.store.command({ sql: `TRUNCATE TABLE heliograph.${table}` });
});

const MONDAY_S = Date.parse('2026-03-02T00:00:00Z') / 1000;
const WEEK_S = 7 * 86_400;
let sequence = 0;

function commit(fields: Partial<CommitRow> = {}): CommitRow {
  const at = fields.commit_time_s ?? MONDAY_S + 3600;
  return {
    repository: 'r',
    sha: (++sequence).toString(16).padStart(40, '0'),
    parents: ['p'],
    author: 'a1',
    committer: 'a1',
    co_authors: [],
    bot_rule: '',
    agent_assisted: false,
    author_time_s: at,
    author_offset_min: 0,
    commit_time_s: at,
    commit_offset_min: 0,
    time_quality: 'author',
    additions: 10,
    deletions: 1,
    files: 1,
    binary_files: 0,
    renames: 0,
    gone: false,
    version_ms: 1,
    ...fields,
  };
}

const store = (...rows: CommitRow[]): Promise<void> => engineSink(engine).append('commits', rows);

async function weeks(from = MONDAY_S, to = MONDAY_S + WEEK_S, floor = 5): Promise<Record<string, unknown>[]> {
  const { columns, rows } = await engine.store.query({
    sql: `SELECT * FROM boards.contributions_by_week(from = toDateTime({from:UInt32}), to = toDateTime({to:UInt32}), floor = {floor:UInt32})
      ORDER BY time, repository`,
    params: { from, to, floor },
  });
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
}

const people = (count: number, fields: Partial<CommitRow> = {}): CommitRow[] =>
  Array.from({ length: count }, (_, index) => commit({ author: `dev${index}`, ...fields }));

test('commits of humans, of bots and merges are counted apart; lines are those of the human ones', async () => {
  await store(
    commit(),
    commit({ agent_assisted: true, additions: 5 }),
    commit({ bot_rule: 'ends in [bot]', agent_assisted: true, additions: 1000 }),
    commit({ parents: ['x', 'y'], additions: 500 }),
    commit({ parents: ['x', 'y'], bot_rule: 'known account' }),
    commit({ gone: true, version_ms: 2 }),
  );
  expect(await weeks()).toEqual([
    {
      time: '2026-03-02 00:00:00',
      repository: 'r',
      human_commits: 2,
      bot_commits: 1,
      merge_commits: 2,
      agent_assisted_commits: 1,
      effective_commits: null,
      active_contributors: null,
      hidden_contributors: true,
      additions: 15,
      deletions: 2,
    },
  ]);
});

test('a commit that is collected twice counts once, and the newest word on it holds', async () => {
  const one = commit();
  await store(one);
  await store({ ...one, version_ms: 2 });
  expect(await weeks()).toMatchObject([{ human_commits: 1 }]);
  await store({ ...one, gone: true, version_ms: 3 });
  expect(await weeks()).toEqual([]);
});

test('weeks are whole, whatever the window cuts', async () => {
  await store(
    commit({ commit_time_s: MONDAY_S - 1 }),
    commit({ commit_time_s: MONDAY_S }),
    commit({ commit_time_s: MONDAY_S + WEEK_S - 1 }),
    commit({ commit_time_s: MONDAY_S + WEEK_S }),
    commit({ commit_time_s: -2_000_000_000 }),
    commit({ commit_time_s: 10_000_000_000 }),
  );
  const counted = async (from: number, to: number) => (await weeks(from, to)).map((row) => row['human_commits']);
  expect(await counted(MONDAY_S, MONDAY_S + WEEK_S)).toEqual([2]);
  expect(await counted(MONDAY_S + 3 * 86_400, MONDAY_S + 3 * 86_400 + 1)).toEqual([2]);
  expect(await counted(MONDAY_S - 1, MONDAY_S + WEEK_S + 1)).toEqual([1, 2, 1]);
  expect(await counted(0, 4_294_967_295)).toEqual([1, 2, 1]);
});

describe('the floor', () => {
  test('hides fewer than five people, and a caller can raise it but not lower it', async () => {
    await store(...people(4, { repository: 'four' }), ...people(5, { repository: 'five' }));
    const seen = async (floor: number) =>
      (await weeks(MONDAY_S, MONDAY_S + WEEK_S, floor)).map((row) => [
        row['repository'],
        row['active_contributors'],
        row['hidden_contributors'],
      ]);
    for (const floor of [0, 1, 5])
      expect(await seen(floor)).toEqual([
        ['five', 5, false],
        ['four', null, true],
      ]);
    expect(await seen(6)).toEqual([
      ['five', null, true],
      ['four', null, true],
    ]);
  });

  test('that is set stands in the view, so that neither a board nor a statement can go below it', async () => {
    await store(...people(6, { repository: 'six' }), ...people(7, { repository: 'seven' }));
    const sql = contributors.sql;
    await defineViews(engine.store, engine.layout, [sql], { peopleFloor: 7 });
    const shown = (await weeks()).map((row) => [row['repository'], row['active_contributors']]);
    await defineViews(engine.store, engine.layout, [sql]);
    expect(shown).toEqual([
      ['seven', 7],
      ['six', null],
    ]);
  });

  test('counts people, each once: co-authors too, bots, merges and the nameless not', async () => {
    await store(
      ...people(3),
      commit({ author: 'dev0', co_authors: ['dev1', 'dev8', 'dev9'] }),
      commit({ author: '', co_authors: [''] }),
      commit({ author: 'bot', bot_rule: 'known account' }),
      commit({ author: 'merger', parents: ['x', 'y'] }),
    );
    expect(await weeks()).toMatchObject([{ active_contributors: 5, hidden_contributors: false }]);
  });

  test('of a week of bots alone it says that nobody was hidden, not how many', async () => {
    await store(commit({ bot_rule: 'known account' }));
    expect(await weeks()).toMatchObject([{ human_commits: 0, active_contributors: null, hidden_contributors: false }]);
  });

  test('no row adds up over repositories or weeks, so a hidden count follows from nothing that is shown', async () => {
    await store(...people(6, { repository: 'big' }), ...people(4, { repository: 'small' }));
    const rows = await weeks();
    expect(rows.map((row) => [row['repository'], row['active_contributors']])).toEqual([
      ['big', 6],
      ['small', null],
    ]);
    expect(Object.keys(rows[0] ?? {}).filter((name) => /author|committer|person/.test(name))).toEqual([]);
  });
});

describe('effective commits', () => {
  const run = (fields: Partial<CiRunRow>): CiRunRow => ({
    provider: 'github',
    repository: 'as-the-provider-calls-it/r',
    run_id: ++sequence,
    attempt: 1,
    delivery: `d${sequence}`,
    workflow: 'ci',
    event: 'push',
    branch: 'main',
    sha: '',
    status: 'completed',
    conclusion: 'success',
    created_at_ms: null,
    started_at_ms: null,
    updated_at_ms: null,
    received_at_ms: MONDAY_S * 1000 + sequence,
    ...fields,
  });
  const update = () => createEffectiveCommits({ store: engine.store, rows: engineSink(engine), clock: systemClock });
  const { signal } = new AbortController();

  test('are the human commits that a successful run contains; unknown where no run looked', async () => {
    const first = commit();
    const second = commit({ parents: [first.sha] });
    const merge = commit({ parents: [second.sha, first.sha] });
    const red = commit({ parents: [merge.sha] });
    const unseen = commit({ parents: [red.sha], commit_time_s: MONDAY_S + WEEK_S });
    await store(first, second, merge, red, unseen);
    const look = update();
    await look(signal);
    expect(await weeks()).toMatchObject([{ effective_commits: null }]);
    await engineSink(engine).append('ci_runs', [
      run({ sha: merge.sha }),
      run({ sha: red.sha, conclusion: 'failure' }),
      run({ sha: unseen.sha, status: 'in_progress', conclusion: null }),
    ]);
    await look(signal);
    expect(await weeks(MONDAY_S, MONDAY_S + 2 * WEEK_S)).toMatchObject([
      { human_commits: 3, effective_commits: 2 },
      { human_commits: 1, effective_commits: null },
    ]);
    await engineSink(engine).append('ci_runs', [run({ sha: unseen.sha, conclusion: 'failure' })]);
    await look(signal);
    expect((await weeks(MONDAY_S + WEEK_S, MONDAY_S + 2 * WEEK_S))[0]).toMatchObject({ effective_commits: 0 });
    // A run that expired takes nothing back, and a later success adds.
    await engine.store.command({ sql: 'TRUNCATE TABLE heliograph.ci_runs' });
    await engineSink(engine).append('ci_runs', [run({ sha: red.sha })]);
    await look(signal);
    expect(await weeks()).toMatchObject([{ effective_commits: 3 }]);
  });

  test('only what changed is written again', async () => {
    const one = commit();
    await store(one);
    await engineSink(engine).append('ci_runs', [run({ sha: one.sha })]);
    const written: number[] = [];
    const sink = engineSink(engine);
    const look = createEffectiveCommits({
      store: engine.store,
      clock: systemClock,
      rows: { append: (name, rows) => (written.push(rows.length), sink.append(name, rows)) },
    });
    await look(signal);
    await look(signal);
    await store(commit({ repository: 'other' }));
    await look(signal);
    expect(written).toEqual([1]);
  });
});

test('repositories: commits in the window, 0 where there are none, gone ones not', async () => {
  await store(
    commit(),
    commit({ commit_time_s: MONDAY_S + WEEK_S }),
    commit({ gone: true }),
    commit({ repository: 'x' }),
  );
  const tip = { branch: 'main', tip: 'ab', collected_at_ms: MONDAY_S * 1000 };
  await engineSink(engine).append('git_tips', [
    { repository: 'r', ...tip },
    { repository: 'quiet', ...tip },
    { repository: 'r', ...tip, tip: 'cd', collected_at_ms: MONDAY_S * 1000 + 1 },
  ]);
  const { rows } = await engine.store.query({
    sql: `SELECT repository, commits, tip, branch FROM boards.repositories(from = toDateTime(${MONDAY_S}), to = toDateTime(${MONDAY_S + WEEK_S})) ORDER BY repository`,
  });
  expect(rows).toEqual([
    ['quiet', 0, 'ab', 'main'],
    ['r', 1, 'cd', 'main'],
  ]);
});

test('a collection covers the history before it, not only its own minute', async () => {
  const coverage = async (from: number, to: number): Promise<unknown> =>
    (
      await engine.store.query({
        sql: `SELECT coverage FROM boards.source_status(from = toDateTime(${from}), to = toDateTime(${to})) WHERE source = 'git'`,
      })
    ).rows[0]?.[0];
  expect(await coverage(MONDAY_S, MONDAY_S + WEEK_S)).toBeNull();
  await engineSink(engine).append('source_minutes', [{ source: 'git', minute: MONDAY_S + 3540 }]);
  expect(await coverage(MONDAY_S - WEEK_S, MONDAY_S)).toBe(1);
  expect(await coverage(MONDAY_S, MONDAY_S + 7200)).toBe(0.5);
  expect(await coverage(MONDAY_S + 3600, MONDAY_S + 7200)).toBe(0);
});

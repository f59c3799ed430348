/** A kill between an insert's token and its part: the engine then has the one without the other, table by table. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import type { Store } from '../../../core/ports.ts';
import { createStore } from '../../../store/client.ts';
import { forgetUnkeptParts } from '../../../store/embedded/deduplication.ts';
import { startEmbedded } from '../../../store/embedded/supervisor.ts';
import { PINNED_BLOCK_SETTINGS } from '../../../store/load.ts';
import { migrate, readMigrations } from '../../../store/migrate.ts';
import { typicalBody } from '../../support/otlp-typical.ts';
import { quietLog } from '../../support/quiet-log.ts';

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hg-dedup-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function withEngine<T>(dataDir: string, use: (store: Store) => Promise<T>): Promise<T> {
  const engine = await startEmbedded({ dataDir, clock: systemClock, log: quietLog });
  const store = createStore({ socketPath: engine.socketPath, log: quietLog });
  try {
    await migrate(store, { kind: 'embedded', definer: 'default' }, quietLog, await readMigrations());
    return await use(store);
  } finally {
    await store.close();
    await engine.stop(5000);
  }
}

const TABLES = ['otel.otel_traces', 'otel.otel_traces_trace_id_ts', 'heliograph.span_latency_1m'];

async function load(store: Store, dir: string, seed: number): Promise<void> {
  const path = join(dir, `${seed}.seg`);
  writeFileSync(path, typicalBody({ seed, spans: 64, nowNs: 1_767_225_600_000_000_000n }));
  const settings = { ...PINNED_BLOCK_SETTINGS };
  await store.load({
    token: `t-${seed}`,
    signal: 'otlp_traces',
    team: '',
    path,
    loNs: 0n,
    hiNs: 2n ** 63n - 1n,
    settings,
  });
}

async function figures(store: Store): Promise<number[]> {
  const sql = `SELECT (SELECT count() FROM ${TABLES[0]}), (SELECT count() FROM ${TABLES[1]}), (SELECT sum(count) FROM ${TABLES[2]})`;
  return ((await store.query({ sql })).rows[0] ?? []).map(Number);
}

test.each([0, 1, 2])(
  'a token without its part in table %i is forgotten, so the segment loaded again is stored, once',
  async (at) => {
    const dir = tempDir();
    const [table, once] = await withEngine(dir, async (store) => {
      await load(store, dir, 1);
      await load(store, dir, 2);
      const [database, name] = (TABLES[at] ?? '').split('.');
      const { rows } = await store.query({
        sql: 'SELECT data_paths[1] FROM system.tables WHERE database = {database:String} AND name = {name:String}',
        params: { database, name },
      });
      return [String(rows[0]?.[0]), await figures(store)] as const;
    });
    const newest = readdirSync(table).filter((name) => /_2_2_\d$/.test(name));
    expect(newest).toHaveLength(1);
    renameSync(join(table, newest[0] ?? ''), join(table, `tmp_insert_${newest[0]}`));
    const [before, after] = await withEngine(dir, async (store) => {
      const found = await figures(store);
      await load(store, dir, 2);
      await load(store, dir, 1);
      return [found, await figures(store)] as const;
    });
    expect(before).not.toEqual(once);
    expect(after).toEqual(once);
  },
);

test('the tokens of loads are synced as they are written, in the log that is open and in those to come', async (context) => {
  const dir = tempDir();
  const engine = await startEmbedded({ dataDir: dir, clock: systemClock, log: quietLog });
  const store = createStore({ socketPath: engine.socketPath, log: quietLog });
  try {
    expect(await engine.syncTokens()).toBe(true); // no table, no log
    await migrate(store, { kind: 'embedded', definer: 'default' }, quietLog, await readMigrations());
    if (!(await engine.syncTokens())) return context.skip('chattr +S does not work here');
    await load(store, dir, 1);
    const { rows } = await store.query({
      sql: "SELECT data_paths[1] FROM system.tables WHERE database = 'otel' AND engine = 'MergeTree'",
    });
    expect(rows).toHaveLength(2);
    for (const [path] of rows) {
      const logs = join(String(path), 'deduplication_logs');
      const { stdout } = spawnSync('lsattr', ['-d', logs, join(logs, 'deduplication_log_1.txt')], { encoding: 'utf8' });
      expect(stdout.split('\n').map((line) => line.split(' ')[0]?.includes('S'))).toEqual([true, true, false]);
      expect(readFileSync(join(logs, 'deduplication_log_1.txt'), 'utf8')).toMatch(/^1\t/);
    }
  } finally {
    await store.close();
    await engine.stop(5000);
  }
});

test('only notes of parts that neither stand nor were merged go, and lines that are torn', () => {
  const dir = tempDir();
  const table = join(dir, 'store', 'abc', 'abc-1');
  const logs = join(table, 'deduplication_logs');
  for (const part of ['20260101_1_4_1', '20260101_6_6_0', '20260102_7_7_0_9', 'tmp_insert_20260101_8_8_0', 'detached'])
    mkdirSync(join(table, part), { recursive: true });
  mkdirSync(logs);
  mkdirSync(join(dir, 'store', 'abc', 'abc-2'));
  const kept = [
    '1\t20260101_1_1_0\ta',
    '1\t20260101_4_4_0\tb',
    '2\t20260101_5_5_0\tc',
    '1\t20260101_6_6_0\td',
    '1\t20260102_7_7_0\te',
  ];
  const gone = ['1\t20260101_8_8_0\tf', '1\t20260102_6_6_0\tg', '\0\0\0', '11\t20260101_6_6_0\th'];
  const log = join(logs, 'deduplication_log_1.txt');
  writeFileSync(log, `${[...kept.slice(0, 2), ...gone, ...kept.slice(2)].join('\n')}\n1\t20260101_9`);
  writeFileSync(join(logs, 'notes.txt'), 'mine');
  expect(forgetUnkeptParts(dir)).toEqual(['20260101_8_8_0', '20260102_6_6_0', 'a torn line', 'a torn line']);
  expect(readFileSync(log, 'utf8')).toBe(`${kept.join('\n')}\n`);
  expect(forgetUnkeptParts(dir)).toEqual([]);
  expect(forgetUnkeptParts(join(dir, 'none'))).toEqual([]);
  expect(readFileSync(join(logs, 'notes.txt'), 'utf8')).toBe('mine');
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../core/ports.ts';
import { type Migration, migrate, readMigrations } from '../../store/migrate.ts';
import { applyRetention, dropExpired } from '../../store/retention.ts';
import { startMigratedEngine, startTestEngine, type TestEngine } from '../support/engine.ts';
import { memoryLog } from '../support/memory-log.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

const run = (migrations: Migration[], store: Store = engine.store): Promise<string[]> =>
  migrate(store, engine.layout, memoryLog(), migrations);

test('a second run applies nothing', async () => {
  expect(await run(await readMigrations())).toEqual([]);
});

test('a migration that was changed after it was applied is refused by name', async () => {
  const migrations = await readMigrations();
  const [first] = migrations;
  if (first === undefined) throw new Error('no migrations');
  await expect(run([{ ...first, checksum: 'other' }, ...migrations.slice(1)])).rejects.toThrow(
    '0001_databases.sql was changed',
  );
});

test('a store that is ahead of this build is refused', async () => {
  await expect(run((await readMigrations()).slice(0, 2))).rejects.toThrow(/run a newer Heliograph/);
});

test('a migration cut short is run again to its end', async () => {
  const fresh = await startTestEngine();
  const migrations = await readMigrations();
  let commands = 0;
  const dying: Store = {
    ...fresh.store,
    command: (statement) => {
      commands += 1;
      return commands === 8 ? Promise.reject(new Error('the engine died')) : fresh.store.command(statement);
    },
  };
  await expect(migrate(dying, fresh.layout, memoryLog(), migrations)).rejects.toThrow(/000\d_.*the engine died/);
  await migrate(fresh.store, fresh.layout, memoryLog(), migrations);
  const { rows } = await fresh.store.query({
    sql: 'SELECT groupArray(number) FROM (SELECT number FROM heliograph.migrations ORDER BY number)',
  });
  expect(rows).toEqual([[migrations.map((migration) => migration.number)]]);
  await fresh.stop();
});

describe('numbers', () => {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-migrations-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  test('a gap, a repeat and a name out of form are refused', async () => {
    writeFileSync(join(dir, '0001_one.sql'), 'SELECT 1');
    writeFileSync(join(dir, '0003_three.sql'), 'SELECT 1');
    await expect(readMigrations(dir)).rejects.toThrow('0003_three.sql should carry number 2');
    writeFileSync(join(dir, '0001_two.sql'), 'SELECT 1');
    await expect(readMigrations(dir)).rejects.toThrow('should carry number 2');
    rmSync(join(dir, '0001_two.sql'));
    rmSync(join(dir, '0003_three.sql'));
    writeFileSync(join(dir, '2_two.sql'), 'SELECT 1');
    await expect(readMigrations(dir)).rejects.toThrow('2_two.sql');
  });
});

describe('retention', () => {
  const DAY_MS = 86_400_000;
  const apply = (spansMs: number, rollupMinuteMs: number): Promise<string[]> =>
    applyRetention(
      engine.store,
      engine.layout,
      { spansMs, rollupMinuteMs, profilesMs: DAY_MS, rollupCoarseMs: DAY_MS },
      memoryLog(),
    );

  test('is set once, left alone while it stands, and follows the setting', async () => {
    expect(await apply(14 * DAY_MS, 35 * DAY_MS)).toHaveLength(14);
    expect(await apply(14 * DAY_MS, 35 * DAY_MS)).toEqual([]);
    expect(await apply(7 * DAY_MS, 35 * DAY_MS)).toEqual(['otel.otel_traces', 'otel.otel_traces_trace_id_ts']);
  });

  test('drops what is older, data stored before the change included', async () => {
    await apply(14 * DAY_MS, 35 * DAY_MS);
    const at = (daysAgo: number): string =>
      new Date(Date.now() - daysAgo * DAY_MS).toISOString().slice(0, 19).replace('T', ' ');
    await engine.store.insertRows('otel.otel_traces', [
      { Timestamp: at(1), TraceId: 'new' },
      { Timestamp: at(10), TraceId: 'old' },
    ]);
    await apply(3 * DAY_MS, 35 * DAY_MS);
    await engine.store.command({ sql: 'OPTIMIZE TABLE otel.otel_traces FINAL' });
    const { rows } = await engine.store.query({
      sql: "SELECT TraceId FROM otel.otel_traces WHERE TraceId IN ('new', 'old')",
    });
    expect(rows).toEqual([['new']]);
  });

  test('drops partitions that are past their time as a whole at once, by the setting of their table, and no others', async () => {
    const nowMs = Date.parse('2026-03-20T12:00:00Z');
    await engine.store.command({ sql: 'ALTER TABLE otel.otel_traces REMOVE TTL' });
    await engine.store.insertRows('otel.otel_traces', [
      { Timestamp: '2026-03-01 10:00:00', TraceId: 'past' },
      { Timestamp: '2026-03-18 10:00:00', TraceId: 'present' },
    ]);
    await engine.store.command({ sql: 'ALTER TABLE heliograph.ci_runs REMOVE TTL' });
    await engine.store.insertRows('heliograph.ci_runs', [
      { received_at: '2026-01-10 10:00:00', repository: 'past' },
      { received_at: '2026-02-01 10:00:00', repository: 'present' },
    ]);
    const settings = { spansMs: 3 * DAY_MS, rollupMinuteMs: DAY_MS, profilesMs: DAY_MS, rollupCoarseMs: 40 * DAY_MS };
    const dropped = await dropExpired(engine.store, engine.layout, settings, nowMs, memoryLog());
    const names = dropped.filter(({ id }) => id.startsWith('2026')).map(({ table, id }) => `${table} ${id}`);
    expect(names.toSorted()).toEqual([
      'heliograph.ci_runs 202601',
      'heliograph.span_latency_1m 20260301',
      'otel.otel_traces 20260301',
      'otel.otel_traces_trace_id_ts 20260301',
    ]);
    const { rows } = await engine.store.query({
      sql: "SELECT TraceId FROM otel.otel_traces WHERE TraceId IN ('past', 'present') UNION ALL SELECT repository FROM heliograph.ci_runs",
    });
    expect(rows).toEqual([['present'], ['present']]);
  });
});

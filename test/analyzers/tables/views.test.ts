import { afterAll, beforeAll, expect, test } from 'vitest';
import { demoStatements } from '../../dashboards/support/demo-spans.ts';
import { loadDemoTeam } from '../../dashboards/support/demo-team.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { loadRows, queryRows } from '../../support/load-rows.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

const tables = () => queryRows(engine, 'SELECT * FROM boards.storage_tables ORDER BY database, table');
const columns = () => queryRows(engine, 'SELECT * FROM boards.storage_columns ORDER BY table, column');

test('an empty store has no rows, and one with rows has their bytes', async () => {
  expect(await tables()).toEqual([]);
  for (const sql of demoStatements(Date.now(), 2_000)) await engine.store.command({ sql });
  const known = new Map((await tables()).map((row) => [row['table'], row]));
  expect([...known.keys()]).toEqual([
    'routes_kept',
    'source_minutes',
    'span_latency_1m',
    'otel_traces',
    'otel_traces_trace_id_ts',
  ]);
  const traces = known.get('otel_traces');
  const [stored] = await queryRows(engine, 'SELECT count() AS spans FROM otel.otel_traces');
  expect(traces?.['rows']).toBe(stored?.['spans']);
  expect(traces?.['bytes_per_row']).toBe(Number(traces?.['bytes']) / Number(traces?.['rows']));
  expect(traces?.['bytes_per_span']).toBe(traces?.['bytes_per_row']);
  expect(known.get('span_latency_1m')?.['bytes_per_span']).toBe(
    Number(known.get('span_latency_1m')?.['bytes']) / Number(stored?.['spans']),
  );
  expect(known.get('source_minutes')?.['bytes_per_span']).toBeNull();
  expect(Number(traces?.['ratio'])).toBeGreaterThan(1);
  expect(Number(traces?.['index_bytes'])).toBeGreaterThan(0);
});

test('columns are known of wide parts alone, and add up to their table', async () => {
  expect(await columns()).toEqual([]);
  await engine.store.command({ sql: 'ALTER TABLE otel.otel_traces MODIFY SETTING min_bytes_for_wide_part = 0' });
  await engine.store.command({ sql: 'OPTIMIZE TABLE otel.otel_traces FINAL' });
  const known = await columns();
  expect(new Set(known.map(({ table }) => table))).toEqual(new Set(['otel_traces']));
  const ids = known.find(({ column }) => column === 'TraceId');
  expect(ids).toMatchObject({ database: 'otel', type: 'String' });
  // thirty-two digits each, and what the engine keeps beside a text
  expect(Number(ids?.['bytes_per_row'])).toBe(Number(ids?.['bytes']) / Number(ids?.['rows']));
  expect(Number(ids?.['uncompressed_bytes'])).toBeGreaterThan(32 * Number(ids?.['rows']));
  expect(known.reduce((sum, { share }) => sum + Number(share), 0)).toBeCloseTo(1);
});

test('how many people there are cannot be read from sizes', async () => {
  await loadDemoTeam(engine, Date.now());
  await loadRows(engine, 'identities', [{ pseudonym: 'p_1', sealed: 'x', last_seen_ms: Date.now() }]);
  await engine.store.command({ sql: 'ALTER TABLE heliograph.commits MODIFY SETTING min_bytes_for_wide_part = 0' });
  await engine.store.command({ sql: 'OPTIMIZE TABLE heliograph.commits FINAL' });
  const commits = (await columns()).filter(({ table }) => table === 'commits').map(({ column }) => column);
  expect(commits).toEqual(expect.arrayContaining(['sha', 'additions']));
  for (const person of ['author', 'committer', 'co_authors']) expect(commits).not.toContain(person);
  expect((await tables()).map(({ database }) => database)).not.toContain('people');
});

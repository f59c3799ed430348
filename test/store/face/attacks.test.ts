import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seed } from '../../dashboards/support/board-server.ts';
import { ALLOWED_FUNCTIONS, mayCall } from '../../../store/face/functions.ts';
import { readStatement } from '../../../store/face/statement.ts';
import attacks from './attacks.json' with { type: 'json' };
import { boardQueries } from './board-queries.ts';
import { CANARY, type FaceServer, startFaceServer } from './face-server.ts';
import passing from './passing.json' with { type: 'json' };

let server: FaceServer;
let before: unknown;
beforeAll(async () => {
  server = await startFaceServer();
  await seed(server.engine, 2_000);
  before = await server.traces();
});
afterAll(() => server.stop());

/** Which wall said no: the text's, the tree's, or the engine itself. */
function wallOf(sql: string, text: string): string {
  try {
    readStatement(sql);
  } catch {
    return 'statement';
  }
  return text.includes('(the read-only face)') ? 'tree' : 'engine';
}

describe('refused', () => {
  test.each(attacks.map((row) => [row.group, row.name, row] as const))('%s: %s', async (_group, _name, row) => {
    const { sql, code, wall } = row;
    const answer = await server.ask(sql, { param_t: 'heliograph.canary' });
    expect(answer.text).toMatch(/^Code: \d+\. DB::Exception: [\s\S]* \([A-Z_]+\) \(version [\d.]+\)\s*$/);
    expect(answer.text).not.toContain(CANARY);
    expect({ code: answer.code, wall: wallOf(server.fill(sql), answer.text) }).toEqual({ code, wall });
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });
});

describe('served', () => {
  test.each(passing.map((row) => [row.group, row.name, row] as const))('%s: %s', async (_group, _name, { sql }) => {
    const answer = await server.ask(sql, { param_t: 'x' });
    expect(answer).toMatchObject({ status: 200, code: 0 });
    expect(answer.text).not.toContain(CANARY);
  });
});

test('every query of every board is served', async () => {
  const queries = boardQueries(Date.now());
  expect(queries.length).toBeGreaterThan(20);
  for (const { name, sql } of queries) {
    const { code, text } = await server.ask(sql, { default_format: 'JSONCompact' });
    expect({ name, code, text: code === 0 ? '' : text }).toEqual({ name, code: 0, text: '' });
  }
});

test('what the tables take on disk is told without anything of people', async () => {
  for (const view of ['storage_tables', 'storage_columns']) {
    const { code, text } = await server.ask(`SELECT * FROM boards.${view}`, { default_format: 'JSONCompact' });
    expect({ code, text }).toEqual({ code: 0, text: expect.stringContaining('otel_traces') });
    expect(text).not.toMatch(/people|identities|author|committer/);
  }
});

test('system.tables, system.columns and SHOW tell of boards alone', async () => {
  for (const sql of [
    'SELECT DISTINCT database FROM system.tables',
    'SELECT DISTINCT database FROM system.columns',
    'SELECT name FROM system.databases',
    'SHOW DATABASES',
  ])
    expect(await server.ask(sql)).toMatchObject({ text: 'boards\n' });
  expect(await server.ask('SHOW TABLES FROM heliograph')).toMatchObject({ text: '' });
});

/** A function that is given another by its bare name calls it; wall 3 must know of each that does. */
test('no allowed function calls a refused one that it is given by name', async () => {
  const shapes = (name: string): string[] => [
    `SELECT ${name}(file, ['{secret}'])`,
    `SELECT ${name}(['{secret}'], file)`,
    `SELECT ${name}(file, map('{secret}', '{secret}'))`,
    `SELECT ${name}(file, 1, ['{secret}', '{secret}'])`,
    `SELECT ${name}(file, ['{secret}'], '')`,
    `SELECT ${name}(file)('{secret}')`,
  ];
  // Those that are said to call nothing are asked behind the walls' back, with the engine's own word for it.
  const trusted = ALLOWED_FUNCTIONS.filter((name) => !mayCall(name));
  const told = await Promise.all(
    trusted.flatMap(shapes).map(async (sql) => {
      const statement = { sql: server.fill(sql), settings: { readonly: 1 } };
      return JSON.stringify(await server.engine.store.query(statement).catch(() => undefined)) ?? '';
    }),
  );
  expect(told.filter((text) => text.includes(CANARY))).toEqual([]);
  const callers = ['arrayMap', 'arrayFilter', 'arrayFold', 'arraySort', 'arrayPartialSort', 'mapApply', 'arrayFirst'];
  for (const sql of callers.flatMap(shapes)) expect((await server.ask(sql)).code).not.toBe(0);
});

test('nothing was changed or written by any of it', async () => {
  expect(await server.traces()).toEqual(before);
});

test('a huge or a deep statement is refused at once', async () => {
  const huge = await server.ask(`SELECT '${'x'.repeat(300_000)}'`);
  expect(huge).toMatchObject({ status: 413, code: 229 });
  const deep = await server.ask(`SELECT ${'['.repeat(5_000)}1${']'.repeat(5_000)}`);
  expect(deep).toMatchObject({ code: 62 });
  const long = await server.ask(`SELECT ${'1,'.repeat(60_000)}1`);
  expect(long).toMatchObject({ code: 62 });
  const unary = await server.ask(`SELECT ${'- '.repeat(20_000)}1`);
  expect(unary.code).not.toBe(0);
  const lambdas = await server.ask(`SELECT ${'x -> '.repeat(5_000)}1`);
  expect(lambdas.code).not.toBe(0);
  expect((await server.ask('SELECT 1')).text).toBe('1\n');
});

test('floods end at their bounds', async () => {
  const bounds = { max_execution_time: '1' };
  expect(await server.ask('SELECT sum(number) FROM numbers(1000000000000)', bounds)).toMatchObject({ code: 159 });
  expect(await server.ask('SELECT number FROM numbers(600000)', { max_result_rows: '500000' })).toMatchObject({
    code: 396,
  });
  // Too much of it has been sent by then: the answer is broken off, and nobody takes it for whole.
  await expect(server.ask('SELECT number FROM numbers(2000000)')).rejects.toThrow('terminated');
  expect((await server.ask('SELECT groupArray(number) FROM numbers(1000000000)', bounds)).code).not.toBe(0);
  expect((await server.ask("SELECT length(repeat('x', 100000000000))")).code).not.toBe(0);
});

import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANALYZERS } from '../../analyzers/index.ts';
import { assetPath } from '../../core/paths.ts';
import { readMigrations } from '../../store/migrate.ts';
import { type Layout, renderSql } from '../../store/render.ts';
import { splitStatements, stringLiteral, withoutComments } from '../../store/sql.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

const LAYOUTS: Layout[] = [
  { kind: 'embedded', definer: 'default' },
  { kind: 'server', definer: 'CURRENT_USER' },
  { kind: 'cluster', cluster: 'team', definer: 'CURRENT_USER' },
];

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

async function renderAll(layout: Layout): Promise<string[]> {
  const migrations = (await readMigrations()).map((migration) => migration.text);
  const views = ANALYZERS.map((analyzer) => readFileSync(assetPath(analyzer.sql), 'utf8'));
  return [...migrations, ...views].flatMap((text) => renderSql(text, layout));
}

test.each(LAYOUTS)('$kind renders to its golden file, and the engine parses every statement', async (layout) => {
  const statements = await renderAll(layout);
  const golden = assetPath(`test/store/goldens/${layout.kind}.sql`);
  const text = `${statements.join(';\n\n')};\n`;
  if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, 'utf8'));
  for (const sql of statements) await engine.store.query({ sql: `EXPLAIN AST ${sql}` });
});

test('a statement that is no SQL is refused by the same check', async () => {
  await expect(engine.store.query({ sql: 'EXPLAIN AST CREATE TABLE t (a Strin' })).rejects.toThrow(/syntax error/i);
});

test('only a cluster has replicated and distributed tables, and its views read the distributed ones', async () => {
  const [embedded, server, cluster] = await Promise.all(LAYOUTS.map(renderAll));
  for (const statements of [embedded, server]) {
    expect(statements?.join('\n')).not.toMatch(/Replicated|Distributed|ON CLUSTER|_local/);
  }
  const creates = cluster?.filter((sql) => /^CREATE TABLE/.test(sql) && !/ENGINE = (Null|Distributed)/.test(sql)) ?? [];
  expect(creates.length).toBeGreaterThan(3);
  for (const sql of creates) {
    expect(sql).toMatch(/_local ON CLUSTER 'team'/);
    expect(sql).toMatch(/ENGINE = Replicated/);
  }
  const views = cluster?.filter((sql) => sql.includes('REPLACE VIEW')) ?? [];
  expect(views.length).toBeGreaterThan(5);
  for (const sql of views) expect(sql).not.toMatch(/_local/);
});

test('roles are made by SQL on servers alone', async () => {
  const [embedded, server] = await Promise.all(LAYOUTS.map(renderAll));
  expect(embedded?.some((sql) => sql.startsWith('CREATE ROLE'))).toBe(false);
  expect(server?.some((sql) => sql.startsWith('CREATE ROLE'))).toBe(true);
});

test('an unknown token is refused', () => {
  expect(() => renderSql('SELECT {{on_clutser}} 1', { kind: 'embedded', definer: 'default' })).toThrow(
    'unknown token {{on_clutser}}',
  );
});

test('statements end at semicolons outside quotes and comments', () => {
  const text = "-- first; not here\nSELECT ';', \"a;b\", `c;d`, 'it\\'s;';\n-- only a comment;\n;SELECT 2 -- tail;";
  expect(splitStatements(text).map(withoutComments)).toEqual(["SELECT ';', \"a;b\", `c;d`, 'it\\'s;'", 'SELECT 2']);
});

test('a string literal comes back as it went in', async () => {
  const hostile = "a'b\\c\n\t\"`;--{{x}} é \\' 漢";
  const { rows } = await engine.store.query({ sql: `SELECT ${stringLiteral(hostile)}` });
  expect(rows).toEqual([[hostile]]);
});

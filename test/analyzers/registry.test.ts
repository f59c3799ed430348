import { afterAll, beforeAll, expect, test } from 'vitest';
import { VIEWS } from '../../analyzers/index.ts';
import { startMigratedEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

/** Values of the parameters that have no default. */
const VALUES: Record<string, string> = {
  from: 'toDateTime(1700000000)',
  to: 'toDateTime(1700003600)',
  step: '60',
  trace_id: "'00'",
  service: "'x'",
};

test('the registry names every view of the engine', async () => {
  const { rows } = await engine.store.query({
    sql: "SELECT name FROM system.tables WHERE database = 'boards' AND name NOT LIKE 'otel_%' ORDER BY name",
  });
  expect(rows.map(([name]) => name)).toEqual(VIEWS.map((view) => view.name).sort());
});

test.each(VIEWS)('$name takes its parameters, or their defaults, and has its columns', async (view) => {
  const args = view.parameters.map(({ name, default: fallback }) => {
    const value = fallback === undefined ? VALUES[name] : typeof fallback === 'number' ? fallback : `'${fallback}'`;
    return `${name} = ${value}`;
  });
  const call = `boards.${view.name}${args.length === 0 ? '' : `(${args.join(', ')})`}`;
  const { columns } = await engine.store.query({ sql: `SELECT * FROM ${call} LIMIT 0` });
  const plain = (type: string): string => type.replace(/LowCardinality\(((?:Nullable\()?\w+\)?)\)/g, '$1');
  expect(columns.map(({ name, type }) => `${name} ${plain(type)}`)).toEqual(
    view.columns.map(({ name, type }) => `${name} ${plain(type)}`),
  );
});

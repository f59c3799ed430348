import { afterAll, beforeAll, expect, test } from 'vitest';
import { BOARDS } from '../../dashboards/index.ts';
import { expandMacros } from '../../dashboards/query/macros.ts';
import { seed } from '../dashboards/support/board-server.ts';
import { startMigratedEngine, type TestEngine } from '../support/engine.ts';
import { readYaml } from './support.ts';

interface Query {
  refId: string;
  datasourceUid: string;
  relativeTimeRange?: { from: number; to: number };
  model: { refId: string; rawSql?: string; format?: number; expression?: string };
}
interface Rule {
  uid: string;
  condition: string;
  noDataState: string;
  dashboardUid: string;
  notification_settings: { receiver: string };
  annotations: Record<string, string>;
  data: Query[];
}

const { groups } = readYaml('deploy/grafana/alerting/rules.yaml') as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules).map((rule) => [rule.uid, rule] as const);

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
  await seed(engine, 20_000);
});
afterAll(() => engine.stop());

test.each(rules)('%s is a query, reduced, held against a threshold', (_uid, rule) => {
  expect(rule.data.map(({ refId, model }) => [refId, model.refId, model.expression])).toEqual([
    ['A', 'A', undefined],
    ['B', 'B', 'A'],
    ['C', 'C', 'B'],
  ]);
  expect(rule.condition).toBe('C');
  expect(rule.data.map(({ datasourceUid }) => datasourceUid)).toEqual(['heliograph', '__expr__', '__expr__']);
  expect(rule.noDataState).toBe('OK');
  const points = readYaml('deploy/grafana/alerting/contact-points.yaml') as { contactPoints: { name: string }[] };
  expect(points.contactPoints.map(({ name }) => name)).toContain(rule.notification_settings.receiver);
  expect(BOARDS.map((board) => board().uid)).toContain(rule.dashboardUid);
  // Grafana reads a dollar sign in an annotation as a variable of its environment.
  expect(Object.values(rule.annotations).join('')).not.toContain('$');
});

test.each(rules)('%s asks what the engine answers: names as text, one number', async (_uid, rule) => {
  const [query] = rule.data;
  const sql = query?.model.rawSql ?? '';
  expect(sql).not.toMatch(/\$(?!__(?:fromTime|toTime)\b)/);
  const toMs = Date.now();
  const fromMs = toMs - (query?.relativeTimeRange?.from ?? 0) * 1000;
  const { columns, rows } = await engine.store.query({ sql: expandMacros(sql, { fromMs, toMs, intervalMs: 60_000 }) });
  const numbers = columns.filter(({ type }) => type === 'Float64');
  expect(numbers.map(({ name }) => name)).toEqual(['value']);
  expect(columns.filter(({ type }) => !/String|Float64/.test(type))).toEqual([]);
  expect(query?.model.format).toBe(1);
  expect(rows.length).toBeGreaterThan(0);
  for (const label of columns.filter((column) => !numbers.includes(column)))
    expect(rule.annotations['summary']).toContain(`.Labels.${label.name}`);
});

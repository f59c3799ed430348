import { expect, test } from 'vitest';
import { serviceLatency } from '../../../dashboards/boards/service-latency.ts';
import { expandPanel, expandVariable, findPanel } from '../../../dashboards/query/expand.ts';

const board = serviceLatency();
const range = { fromMs: 1_700_000_000_000, toMs: 1_700_086_400_000 };

function sqlOf(panelId: number, values: Map<string, readonly string[]>, maxDataPoints = 600) {
  const panel = findPanel(board, panelId);
  if (panel === undefined) throw new Error('no such panel');
  return expandPanel(panel, { range, values, maxDataPoints });
}

test('a stored query becomes a statement without macros or variables', () => {
  const { stepSeconds, targets } = sqlOf(9, new Map([['service', ["o'brien"]]]));
  expect(stepSeconds).toBe(120);
  expect(targets.map(({ refId, hidden }) => [refId, hidden])).toEqual([
    ['A', false],
    ['n', true],
  ]);
  expect(targets[0]?.sql).toContain(
    'FROM boards.latency_by_route(from=toDateTime(1700000000), to=toDateTime(1700086400), step=120)',
  );
  expect(targets[0]?.sql).toContain("WHERE service = 'o\\'brien'");
  expect(targets.every(({ sql }) => !sql.includes('$'))).toBe(true);
});

test('a value that looks like a macro, a comment or another variable stays a value', () => {
  const values = new Map([
    ['service', ['$__fromTime ${route:singlequote} --']],
    ['route', ['a', "b' OR 1=1 /*"]],
  ]);
  const sql = sqlOf(9, values).targets[0]?.sql;
  expect(sql).toContain("service = '$__fromTime ${route:singlequote} --'");
  expect(sql).toContain("route IN ('a','b\\' OR 1=1 /*')");
});

test('a variable without a value is named', () => {
  expect(() => sqlOf(9, new Map())).toThrow('var-service is required');
});

test('variables expand with the values before them', () => {
  const [, service, route] = board.templating.list;
  const sqlOfVariable = (variable: typeof service, values: Map<string, readonly string[]>) =>
    variable === undefined ? undefined : expandVariable(variable, { range, values });
  expect(sqlOfVariable(service, new Map())).toContain('FROM boards.services(from=toDateTime(1700000000), to=');
  expect(sqlOfVariable(route, new Map([['service', ['x']]]))).toContain("WHERE service = 'x'");
  expect(sqlOfVariable(board.templating.list[0], new Map())).toBeUndefined();
});

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { PINNED_BLOCK_SETTINGS } from '../../../store/load.ts';
import { setRouteLimit } from '../../../store/route-limit.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { queryRows } from '../../support/load-rows.ts';
import { encodeRequest, type SpanInput } from '../../support/otlp-encode.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

const BUDGET = 10;
const NOW_NS = BigInt(Date.now()) * 1_000_000n;
const WINDOW = 'from = now() - 3600, to = now() + 60';

beforeEach(async () => {
  for (const table of [
    'otel.otel_traces',
    'heliograph.span_latency_1m',
    'heliograph.routes_kept',
    'heliograph.route_folds',
  ])
    await engine.store.command({ sql: `TRUNCATE TABLE ${table}` });
  await setRouteLimit(engine.store, BUDGET);
});

/** One span per route, in a segment of one body. */
function segment(service: string, routes: readonly string[]): Buffer {
  const spans = routes.map(
    (route): SpanInput => ({
      traceId: randomBytes(16).toString('hex'),
      spanId: randomBytes(8).toString('hex'),
      name: 'request',
      kind: 2,
      startTimeUnixNano: NOW_NS,
      endTimeUnixNano: NOW_NS + 5_000_000n,
      attributes: [{ key: 'http.route', value: { stringValue: route } }],
    }),
  );
  const attributes = [{ key: 'service.name', value: { stringValue: service } }];
  return encodeRequest({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] });
}

async function load(bytes: Uint8Array, team = 'shop', token = randomBytes(8).toString('hex')): Promise<string> {
  const path = join(engine.dir, token);
  writeFileSync(path, bytes);
  const settings = { ...PINNED_BLOCK_SETTINGS };
  await engine.store.load({ token, signal: 'otlp_traces', team, path, loNs: 0n, hiNs: 2n ** 63n - 1n, settings });
  return token;
}

const routes = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `/made/up/${String.fromCharCode(97 + from + index)}`);

const rollup = (): Promise<Record<string, unknown>[]> =>
  queryRows(
    engine,
    `SELECT uniqExact(route) AS routes, sum(count) AS spans, sum(arraySum(mapValues(bins))) AS in_bins,
       sumIf(count, route = '(other)') AS other FROM heliograph.span_latency_1m`,
  );

test('a segment that brings more routes than the budget keeps the busiest and loses no span', async () => {
  await load(segment('cart', [...routes(0, 15), ...routes(12, 15), ...routes(12, 15)]));
  expect(await rollup()).toEqual([{ routes: BUDGET + 1, spans: 21, in_bins: 21, other: 5 }]);
  const kept = await queryRows(
    engine,
    "SELECT DISTINCT route FROM heliograph.span_latency_1m WHERE route != '(other)'",
  );
  expect(kept.map(({ route }) => route)).toEqual(expect.arrayContaining(routes(12, 15)));
  expect(await queryRows(engine, 'SELECT uniqExact(Route) AS routes FROM otel.otel_traces')).toEqual([{ routes: 15 }]);
});

test('what was kept stays kept, what comes later is folded, in every order and however often it is loaded', async () => {
  const bodies = [segment('cart', routes(0, 6)), segment('cart', routes(3, 13)), segment('cart', routes(0, 20))];
  const tokens: string[] = [];
  for (const body of bodies) tokens.push(await load(body));
  const once = await rollup();
  expect(once).toEqual([{ routes: BUDGET + 1, spans: 36, in_bins: 36, other: 13 }]);
  for (const [index, body] of bodies.entries()) await load(body, 'shop', tokens[index]);
  expect(await rollup()).toEqual(once);
  expect(await queryRows(engine, 'SELECT sum(spans) AS spans FROM heliograph.route_folds')).toEqual([{ spans: 13 }]);
});

test('the budget is each service’s own, in each team', async () => {
  await load(segment('cart', routes(0, 12)), 'shop');
  await load(segment('cart', routes(0, 12)), 'search');
  await load(segment('checkout', routes(0, 10)), 'shop');
  expect(
    await queryRows(
      engine,
      "SELECT team, service, uniqExactIf(route, route != '(other)') AS kept, sumIf(count, route = '(other)') AS other FROM heliograph.span_latency_1m GROUP BY team, service ORDER BY team, service",
    ),
  ).toEqual([
    { team: 'search', service: 'cart', kept: 10, other: 2 },
    { team: 'shop', service: 'cart', kept: 10, other: 2 },
    { team: 'shop', service: 'checkout', kept: 10, other: 0 },
  ]);
});

test('the board names who is over budget, by how much and since when; nobody else', async () => {
  await load(segment('checkout', routes(0, 10)));
  expect(await queryRows(engine, `SELECT * FROM boards.route_budgets(${WINDOW})`)).toEqual([]);
  await load(segment('cart', routes(0, 14)));
  await load(segment('cart', routes(0, 16)));
  const rows = await queryRows(
    engine,
    `SELECT team, service, routes, budget, folded_spans, since > now() - 600 AS recent FROM boards.route_budgets(${WINDOW})`,
  );
  expect(rows).toEqual([{ team: 'shop', service: 'cart', routes: 16, budget: 10, folded_spans: 10, recent: 1 }]);
});

test('the limit follows the setting: a larger one lets new routes in, the same one writes nothing', async () => {
  await load(segment('cart', routes(0, 12)));
  await setRouteLimit(engine.store, 12);
  const rows = (): Promise<Record<string, unknown>[]> =>
    queryRows(engine, 'SELECT count() AS n FROM heliograph.route_limit');
  const before = await rows();
  await setRouteLimit(engine.store, 12);
  expect(await rows()).toEqual(before);
  await load(segment('cart', routes(0, 12)));
  expect(await rollup()).toEqual([{ routes: 13, spans: 24, in_bins: 24, other: 2 }]);
});

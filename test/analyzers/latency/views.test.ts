import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PINNED_BLOCK_SETTINGS } from '../../../store/load.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { encodeRequest, type SpanInput } from '../../support/otlp-encode.ts';

/** The newest whole hour that lies wholly in the past. */
const HOUR_S = Math.floor(Date.now() / 3_600_000) * 3600 - 3600;
const FROM = new Date(HOUR_S * 1000).toISOString().slice(0, 19).replace('T', ' ');
const TO = new Date((HOUR_S + 3600) * 1000).toISOString().slice(0, 19).replace('T', ' ');
const WINDOW = `from = toDateTime('${FROM}'), to = toDateTime('${TO}')`;

interface Request {
  route: string;
  durationNs: number;
  atS: number;
  error?: boolean;
  kind?: number;
}

let engine: TestEngine;
const requests: Request[] = [];

/** A cache in front of a database: 90 % around 2 ms, 10 % around 300 ms; and a steady route beside it. */
function draw(): void {
  let state = 7;
  const random = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  for (let i = 0; i < 20_000; i++) {
    const hit = random() < 0.9;
    const durationNs = Math.round((hit ? 2e6 : 3e8) * Math.exp(normal() * 0.3));
    requests.push({ route: '/bimodal', durationNs, atS: Math.floor(random() * 3600), error: random() < 0.02 });
  }
  for (let i = 0; i < 5000; i++)
    requests.push({
      route: '/steady',
      durationNs: Math.round(1e7 * Math.exp(normal() * 0.7)),
      atS: Math.floor(random() * 3600),
    });
  for (let i = 0; i < 100; i++) requests.push({ route: '/client-only', durationNs: 5e6, atS: i, kind: 3 });
  for (let i = 0; i < 10; i++) requests.push({ route: '/zero', durationNs: i < 8 ? 0 : 1000, atS: 30 });
}

function spanOf(request: Request): SpanInput {
  const start = (BigInt(HOUR_S) + BigInt(request.atS)) * 1_000_000_000n;
  return {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'GET',
    kind: request.kind ?? 2,
    startTimeUnixNano: start,
    endTimeUnixNano: start + BigInt(request.durationNs),
    attributes: [{ key: 'http.route', value: { stringValue: request.route } }],
    ...(request.error === true && { status: { code: 2 } }),
  };
}

beforeAll(async () => {
  engine = await startMigratedEngine();
  draw();
  const resource = {
    attributes: [
      { key: 'service.name', value: { stringValue: 'shop' } },
      { key: 'service.version', value: { stringValue: '2.0' } },
    ],
  };
  const path = join(engine.dir, 'load.seg');
  writeFileSync(path, encodeRequest({ resourceSpans: [{ resource, scopeSpans: [{ spans: requests.map(spanOf) }] }] }));
  await engine.store.load({
    token: randomBytes(8).toString('hex'),
    signal: 'otlp_traces',
    team: '',
    path,
    loNs: 0n,
    hiNs: 2n ** 63n - 1n,
    settings: { ...PINNED_BLOCK_SETTINGS },
  });
});
afterAll(() => engine.stop());

async function rowsOf(sql: string): Promise<Record<string, unknown>[]> {
  const { columns, rows } = await engine.store.query({ sql });
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
}

function nearestRankMs(durationsNs: number[], q: number): number {
  const sorted = [...durationsNs].sort((a, b) => a - b);
  return (sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN) / 1e6;
}

function within(actual: unknown, expected: number, ratio: number): void {
  expect(Math.abs(Number(actual) - expected) / expected).toBeLessThanOrEqual(ratio);
}

const served = (route: string): Request[] =>
  requests.filter((request) => request.route === route && request.kind === undefined);

describe('latency_by_route', () => {
  test.each(['/bimodal', '/steady'])('percentiles of %s lie within 1 %% of the nearest rank', async (route) => {
    const [row] = await rowsOf(
      `SELECT * FROM boards.latency_by_route(${WINDOW}, step = 3600) WHERE route = '${route}'`,
    );
    const durations = served(route).map((request) => request.durationNs);
    expect(row?.['count']).toBe(durations.length);
    for (const [column, q] of [
      ['p50_ms', 0.5],
      ['p95_ms', 0.95],
      ['p99_ms', 0.99],
    ] as const)
      within(row?.[column], nearestRankMs(durations, q), 0.01);
    within(row?.['mean_ms'], durations.reduce((sum, ns) => sum + ns, 0) / durations.length / 1e6, 1e-9);
  });

  test('counts, errors and rate of every step are those of its own spans', async () => {
    const rows = await rowsOf(
      `SELECT toUnixTimestamp(time) AS at, count, error_count, rate, error_ratio FROM boards.latency_by_route(${WINDOW}, step = 600) WHERE route = '/bimodal' ORDER BY time`,
    );
    expect(rows).toHaveLength(6);
    for (const row of rows) {
      const inStep = served('/bimodal').filter(
        (request) => Math.floor((HOUR_S + request.atS) / 600) * 600 === row['at'],
      );
      const errors = inStep.filter((request) => request.error === true).length;
      expect(row).toMatchObject({ count: inStep.length, error_count: errors, error_ratio: errors / inStep.length });
      within(row['rate'], inStep.length / 600, 1e-9);
    }
  });

  test('a step below the grain is raised to it, one between is rounded up', async () => {
    const steps = async (step: number): Promise<unknown[]> =>
      (
        await rowsOf(
          `SELECT DISTINCT toUnixTimestamp(time) % 3600 AS s FROM boards.latency_by_route(${WINDOW}, step = ${step}) WHERE route = '/bimodal' ORDER BY s`,
        )
      ).map((row) => row['s']);
    expect((await steps(1)).length).toBe(60);
    expect((await steps(90)).length).toBe(30);
    expect((await steps(0)).length).toBe(60);
  });

  test('client spans have no row, and nor has an empty window', async () => {
    expect(
      await rowsOf(
        `SELECT count() AS n FROM boards.latency_by_route(${WINDOW}, step = 60) WHERE route = '/client-only'`,
      ),
    ).toEqual([{ n: 0 }]);
    expect(
      await rowsOf('SELECT * FROM boards.latency_by_route(from = toDateTime(1000), to = toDateTime(2000), step = 60)'),
    ).toEqual([]);
  });

  test('durations of 0 have the value 0 and do not vanish', async () => {
    const [row] = await rowsOf(
      `SELECT count, p50_ms, p99_ms FROM boards.latency_by_route(${WINDOW}, step = 3600) WHERE route = '/zero'`,
    );
    expect(row).toMatchObject({ count: 10, p50_ms: 0 });
    within(row?.['p99_ms'], 0.001, 0.01);
  });
});

test('a service is merged from bins, not from percentiles', async () => {
  const [row] = await rowsOf(`SELECT * FROM boards.latency_by_service(${WINDOW}, step = 3600)`);
  const durations = requests.filter((request) => request.kind === undefined).map((request) => request.durationNs);
  expect(row).toMatchObject({ service: 'shop', count: durations.length });
  for (const [column, q] of [
    ['p50_ms', 0.5],
    ['p95_ms', 0.95],
    ['p99_ms', 0.99],
  ] as const)
    within(row?.[column], nearestRankMs(durations, q), 0.01);
});

test('histogram counts are exact at every bound', async () => {
  const rows = await rowsOf(
    `SELECT le_ms, count FROM boards.latency_histogram(${WINDOW}, step = 3600) WHERE route = '/bimodal' ORDER BY le_ms`,
  );
  let cumulative = 0;
  for (const row of rows) {
    cumulative += Number(row['count']);
    const bound = Number(row['le_ms']) * 1e6;
    // One part in a million of slack: the bound is a power computed in floating point.
    expect(served('/bimodal').filter((request) => request.durationNs <= bound * 1.000001).length).toBe(cumulative);
  }
  expect(cumulative).toBe(20_000);
});

test('buckets by status are those of the histogram, with the exact sum of their durations', async () => {
  const rows = await rowsOf(
    `SELECT route, status, count, duration_sum_ms, le_ms, counts FROM boards.latency_by_status(${WINDOW}, step = 3600)`,
  );
  for (const route of ['/bimodal', '/zero']) {
    const mine = rows.filter((row) => row['route'] === route);
    const merged = new Map<number, number>();
    for (const row of mine) {
      const inStatus = served(route).filter((request) => (request.error === true) === (row['status'] === 'Error'));
      expect(row['count']).toBe(inStatus.length);
      within(row['duration_sum_ms'], inStatus.reduce((sum, { durationNs }) => sum + durationNs, 0) / 1e6, 1e-9);
      const bounds = row['le_ms'] as number[];
      expect(bounds).toEqual([...bounds].sort((a, b) => a - b));
      for (const [index, bound] of bounds.entries())
        merged.set(bound, (merged.get(bound) ?? 0) + ((row['counts'] as number[])[index] ?? Number.NaN));
    }
    const histogram = await rowsOf(
      `SELECT le_ms, count FROM boards.latency_histogram(${WINDOW}, step = 3600) WHERE route = '${route}'`,
    );
    expect(merged).toEqual(new Map(histogram.map((row) => [Number(row['le_ms']), Number(row['count'])])));
  }
});

test('the slowest spans are the slowest, for every route', async () => {
  for (const route of ['/bimodal', '/steady', '/zero']) {
    const rows = await rowsOf(
      `SELECT duration_ms, trace_id FROM boards.slowest_spans(${WINDOW}) WHERE route = '${route}' ORDER BY duration_ms DESC`,
    );
    const expected = served(route)
      .map((request) => request.durationNs / 1e6)
      .sort((a, b) => b - a)
      .slice(0, 20);
    expect(rows.map((row) => row['duration_ms'])).toEqual(expected);
    expect(rows.every((row) => /^[0-9a-f]{32}$/.test(String(row['trace_id'])))).toBe(true);
  }
});

test('services count all kinds apart from served ones', async () => {
  const [row] = await rowsOf(`SELECT * FROM boards.services(${WINDOW})`);
  expect(row).toMatchObject({
    service: 'shop',
    version: '2.0',
    region: '',
    route_count: 3,
    count: 25_010,
    span_count: 25_110,
  });
});

test('a trace is found by its id alone', async () => {
  const [span] = await rowsOf(`SELECT trace_id FROM boards.slowest_spans(${WINDOW}) LIMIT 1`);
  const rows = await rowsOf(
    `SELECT trace_id, route FROM boards.trace_spans(trace_id = '${String(span?.['trace_id'])}')`,
  );
  expect(rows).toHaveLength(1);
});

test('coverage is unknown until a minute is recorded, then the share of the window', async () => {
  expect(
    await rowsOf(`SELECT source, coverage FROM boards.source_status(${WINDOW}) WHERE source = 'otlp_traces'`),
  ).toEqual([{ source: 'otlp_traces', coverage: null }]);
  await engine.store.insertRows(
    'heliograph.source_minutes',
    Array.from({ length: 15 }, (_, minute) => ({ source: 'otlp_traces', team: '', minute: HOUR_S + minute * 60 })),
  );
  expect(await rowsOf(`SELECT coverage FROM boards.source_status(${WINDOW}) WHERE source = 'otlp_traces'`)).toEqual([
    { coverage: 0.25 },
  ]);
  const others = await rowsOf(`SELECT source FROM boards.source_status(${WINDOW}) WHERE coverage IS NOT NULL`);
  expect(others).toEqual([{ source: 'otlp_traces' }]);
});

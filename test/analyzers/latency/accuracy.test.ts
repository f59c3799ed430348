import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PINNED_BLOCK_SETTINGS } from '../../../store/load.ts';
import {
  adaptiveScale,
  classicQuantile,
  exponentialQuantile,
  SPANMETRICS_BOUNDS_MS,
} from '../../../bench/support/histograms.ts';
import { DURATION_LOADS, nearestRankOf, uniform } from '../../support/durations.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { encodeRequest } from '../../support/otlp-encode.ts';

const HOUR_S = Math.floor(Date.now() / 3_600_000) * 3600 - 3600;
const SPANS = 5000;
const QUANTILES = [0.5, 0.95, 0.99] as const;

const loads = DURATION_LOADS.map((load, index) => {
  const random = uniform(100 + index);
  const sentNs = Float64Array.from({ length: SPANS }, () => load.draw(random));
  return { name: load.name, route: `/load/${index}`, sentNs, ascendingNs: sentNs.toSorted() };
});

let engine: TestEngine;
const ours = new Map<string, number[]>();

beforeAll(async () => {
  engine = await startMigratedEngine();
  const spans = loads.flatMap(({ route, sentNs }) =>
    Array.from(sentNs, (ns, index) => {
      const start = BigInt(HOUR_S) * 1_000_000_000n + BigInt(index % 3600) * 1_000_000_000n;
      return {
        traceId: randomBytes(16).toString('hex'),
        spanId: randomBytes(8).toString('hex'),
        name: 'GET',
        kind: 2,
        startTimeUnixNano: start,
        endTimeUnixNano: start + BigInt(ns),
        attributes: [{ key: 'http.route', value: { stringValue: route } }],
      };
    }),
  );
  const path = join(engine.dir, 'accuracy.seg');
  writeFileSync(path, encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
  const segment = { token: 'accuracy', signal: 'otlp_traces', team: '', path, loNs: 0n, hiNs: 2n ** 63n - 1n };
  await engine.store.load({ ...segment, settings: { ...PINNED_BLOCK_SETTINGS } });
  const { rows } = await engine.store.query({
    sql: `SELECT route, count, p50_ms, p95_ms, p99_ms FROM boards.latency_by_route(from = toDateTime(${HOUR_S}), to = toDateTime(${HOUR_S + 3600}), step = 3600)`,
  });
  for (const [route, count, ...percentiles] of rows) {
    expect(count).toBe(SPANS);
    ours.set(String(route), percentiles.map(Number));
  }
});

afterAll(() => engine.stop());

describe.each(loads)('$name', ({ route, sentNs, ascendingNs }) => {
  test.each(QUANTILES.map((q, index) => ({ q, index })))(
    'the percentile at $q is within 1 % of the exact one, by nearest rank',
    ({ q, index }) => {
      const exactMs = nearestRankOf(ascendingNs, q) / 1e6;
      const gotMs = ours.get(route)?.[index] ?? Number.NaN;
      expect(Math.abs(gotMs / exactMs - 1)).toBeLessThanOrEqual(0.01);
    },
  );

  test('an exponential histogram of 160 buckets is within 5 %, so what it is compared with is what it should be', () => {
    const valuesMs = sentNs.map((ns) => ns / 1e6);
    const scale = adaptiveScale(valuesMs, 160);
    for (const q of QUANTILES) {
      const exactMs = nearestRankOf(ascendingNs, q) / 1e6;
      expect(Math.abs(exponentialQuantile(valuesMs, scale, q) / exactMs - 1)).toBeLessThan(0.05);
    }
  });
});

test('classic buckets read as PromQL reads them: linear inside a bucket, the last bound above all', () => {
  expect(classicQuantile([1, 3, 3, 3], [2, 4], 0.5)).toBeCloseTo(2 + 2 / 3, 9);
  expect(classicQuantile([1, 1, 1, 1], [2, 4], 0.5)).toBe(1);
  expect(classicQuantile([99, 99], [2, 4], 0.5)).toBe(4);
  expect(SPANMETRICS_BOUNDS_MS).toHaveLength(16);
});

test('exponential buckets: a value on a bound belongs below it, and a bucket is read from its share', () => {
  expect(exponentialQuantile([2, 2, 2, 2], 0, 1)).toBe(2);
  expect(exponentialQuantile([2, 2, 2, 2], 0, 0.5)).toBeCloseTo(Math.SQRT2, 9);
});

/**
 * Percentiles of the same spans by several methods, all against the exact ones (nearest rank over the very numbers that were
 * sent). The spans go through the whole road: sent over HTTP, journaled, loaded, read by the board's view.
 * `npm run bench -- accuracy [spansPerLoad=200000] [repetitions=30]`
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DURATION_LOADS, type DurationLoad, nearestRankOf, uniform } from '../test/support/durations.ts';
import { eventually, spawnHeliograph } from '../test/support/heliograph-process.ts';
import { encodeRequest, type SpanInput } from '../test/support/otlp-encode.ts';
import { ask, type BenchEngine, openEngine } from './support/engine-use.ts';
import { adaptiveScale, classicQuantile, exponentialQuantile, SPANMETRICS_BOUNDS_MS } from './support/histograms.ts';
import { printTable } from './support/table.ts';

const [spansPerLoad = 200_000, repetitions = 30] = process.argv.slice(2).map(Number);
const SPANS_PER_BODY = 1000;
const QUANTILES = [0.5, 0.95, 0.99] as const;
const OTEL_BUCKETS = 160;
const NATIVE_SCHEMA = 3;
/** The newest whole hour that lies in the past. */
const HOUR_S = Math.floor(Date.now() / 3_600_000) * 3600 - 3600;

interface Drawn {
  load: DurationLoad;
  route: string;
  sentNs: Float64Array;
  ascendingNs: Float64Array;
}

function draw(load: DurationLoad, index: number): Drawn {
  const random = uniform(index + 1);
  const sentNs = Float64Array.from({ length: spansPerLoad }, () => load.draw(random));
  return { load, route: `/load/${String.fromCharCode(97 + index)}`, sentNs, ascendingNs: sentNs.toSorted() };
}

async function send(otlpUrl: string, { route, sentNs }: Drawn): Promise<void> {
  for (let from = 0; from < sentNs.length; from += SPANS_PER_BODY) {
    const spans = Array.from(sentNs.subarray(from, from + SPANS_PER_BODY), (ns, i) => spanOf(route, ns, from + i));
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'accuracy' } }] };
    const body = encodeRequest({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
    const headers = { 'content-type': 'application/x-protobuf' };
    const response = await fetch(`${otlpUrl}/v1/traces`, { method: 'POST', headers, body });
    if (response.status !== 200) throw new Error(`the door answered ${response.status}`);
  }
}

/** Starts are spread over the hour, so that the view has many minutes to merge. */
function spanOf(route: string, ns: number, index: number): SpanInput {
  const start = BigInt(HOUR_S) * 1_000_000_000n + BigInt(Math.floor((index * 3.6e12) / spansPerLoad));
  return {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'GET',
    kind: 2,
    startTimeUnixNano: start,
    endTimeUnixNano: start + BigInt(ns),
    attributes: [{ key: 'http.route', value: { stringValue: route } }],
  };
}

interface RouteRow {
  route: string;
  count: number;
  p50_ms: number;
  p95_ms: number;
  p99_ms: number;
}

/** The view's percentiles once it has counted every span. */
async function ourRows(pageUrl: string): Promise<RouteRow[]> {
  const window = `from=${HOUR_S * 1000}&to=${(HOUR_S + 3600) * 1000}&step=3600`;
  return eventually(async () => {
    const response = await fetch(`${pageUrl}/api/query/latency_by_route?${window}`);
    const { rows } = (await response.json()) as { rows: (RouteRow & { service: string })[] };
    const ours = rows.filter(({ service }) => service === 'accuracy');
    const count = ours.reduce((sum, row) => sum + Number(row.count), 0);
    return count === DURATION_LOADS.length * spansPerLoad ? ours : undefined;
  }, 60_000);
}

/** Three percentiles by an aggregate function over the raw spans, in an order drawn anew each time (the LIMIT keeps the sorting in). */
async function byFunction({ engine }: BenchEngine, route: string, call: (q: number) => string): Promise<number[]> {
  const sql = `SELECT ${QUANTILES.map(call).join(', ')} FROM (SELECT Duration FROM otel.otel_traces WHERE Route = '${route}' ORDER BY rand() LIMIT ${spansPerLoad})`;
  return (await ask(engine, sql)).trim().split('\t').map(Number);
}

const percent = (estimateNs: number, exactNs: number): string => {
  const error = (estimateNs / exactNs - 1) * 100;
  return `${error > 0 ? '+' : ''}${error.toFixed(Math.abs(error) < 10 ? 2 : 0)} %`;
};

async function rowsOf(bench: BenchEngine, { load, route, sentNs, ascendingNs }: Drawn, ours: RouteRow | undefined) {
  const valuesMs = sentNs.map((ns) => ns / 1e6);
  const scale = adaptiveScale(valuesMs, OTEL_BUCKETS);
  const reservoirs: number[][] = [];
  for (let run = 0; run < repetitions; run++)
    reservoirs.push(await byFunction(bench, route, (q) => `quantile(${q})(Duration)`));
  const digest = await byFunction(bench, route, (q) => `quantileTDigest(${q})(Duration)`);
  const dd = await byFunction(bench, route, (q) => `quantileDD(0.01, ${q})(Duration)`);
  return QUANTILES.map((q, i) => {
    const exact = nearestRankOf(ascendingNs, q);
    const drawn = reservoirs.map((run) => run[i] ?? Number.NaN);
    const error = (estimateNs: number): string => percent(estimateNs, exact);
    return [
      i === 0 ? load.name : '',
      `p${q * 100}`,
      exact / 1e6,
      error(1e6 * ([ours?.p50_ms, ours?.p95_ms, ours?.p99_ms][i] ?? Number.NaN)),
      `${error(Math.min(...drawn))} / ${error(Math.max(...drawn))}`,
      error(digest[i] ?? Number.NaN),
      error(dd[i] ?? Number.NaN),
      error(1e6 * classicQuantile(valuesMs, SPANMETRICS_BOUNDS_MS, q)),
      error(1e6 * exponentialQuantile(valuesMs, scale, q)),
      error(1e6 * exponentialQuantile(valuesMs, NATIVE_SCHEMA, q)),
    ];
  });
}

/** How far off each method may ever be, on these loads. A value may lie anywhere in its bucket, and so may what is read from it. */
function guarantees(): (string | number)[] {
  const width = (scale: number): string => `${((2 ** (2 ** -scale) - 1) * 100).toFixed(1)} %`;
  const coarsest = Math.min(...drawn.map(({ sentNs }) => adaptiveScale(sentNs, OTEL_BUCKETS)));
  return ['at most', '', '', '1 %', 'no bound', 'no bound', '1 %', '400 %', width(coarsest), width(NATIVE_SCHEMA)];
}

const dir = mkdtempSync(join(tmpdir(), 'heliograph-bench-'));
const drawn = DURATION_LOADS.map(draw);
const heliograph = await spawnHeliograph(dir);
await Promise.all(drawn.map((one) => send(heliograph.otlpUrl, one)));
const ours = await ourRows(heliograph.pageUrl);
heliograph.child.kill('SIGTERM');
await heliograph.exited;
const bench = await openEngine(dir);
const rows: (string | number)[][] = [];
for (const one of drawn)
  rows.push(
    ...(await rowsOf(
      bench,
      one,
      ours.find(({ route }) => route === one.route),
    )),
  );
await bench.stop();
rmSync(dir, { recursive: true, force: true });
rows.push(guarantees());
printTable(
  [
    'load',
    '',
    'exact ms',
    'ours',
    `quantile(), min / max of ${repetitions}`,
    'quantileTDigest()',
    'quantileDD(0.01)',
    'spanmetrics, 16 buckets',
    `OTel exponential, ${OTEL_BUCKETS}`,
    `Prometheus native, schema ${NATIVE_SCHEMA}`,
  ],
  rows,
);
process.stdout.write(`\n${spansPerLoad.toLocaleString('en-US')} spans of each load, sent over OTLP/HTTP\n`);

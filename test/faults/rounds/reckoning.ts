/** Holds what was acked against what is stored: every span, the trace index and the rollup. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../../../core/ports.ts';
import type { SentBody } from './load.ts';
import type { Numbering } from './numbered.ts';

export interface Reckoning {
  /** Bodies. */
  sent: number;
  acked: number;
  /** Bodies of which a span is stored. */
  stored: number;
  /** Spans, trace index rows and rollup counts beyond the first. */
  doubled: number;
  /** Acked spans that are neither stored nor in quarantine. */
  lost: number;
  /** Acked bodies in quarantine. */
  quarantined: number;
  /** What breaks a promise, in words; the first few. */
  problems: string[];
}

/** Bytes of an acked body as they lie in the journal, after they were damaged on purpose. */
export interface Damaged {
  traceId: string;
  bytes: Buffer;
}

export interface ReckoningInput {
  bodies: readonly SentBody[];
  numbering: Numbering;
  store: Store;
  /** Bodies that may be in quarantine instead of the store. */
  damaged?: readonly Damaged[];
  quarantineDir?: string;
}

interface StoredTrace {
  spans: number;
  different: number;
  indexRows: number;
}

const PROBLEMS_MAX = 5;

export async function reckon(input: ReckoningInput): Promise<Reckoning> {
  const { bodies, numbering, store } = input;
  const byTrace = await storedTraces(store, numbering);
  const quarantined = quarantinedTraces(input);
  const problems: string[] = [];
  const result: Reckoning = {
    sent: bodies.length,
    acked: bodies.filter(({ fate }) => fate === 'acked').length,
    stored: byTrace.size,
    doubled: 0,
    lost: 0,
    quarantined: quarantined.size,
    problems,
  };
  for (const body of bodies) {
    const { spans, different, indexRows } = byTrace.get(body.traceId) ?? { spans: 0, different: 0, indexRows: 0 };
    const twice = spans - different + Math.max(0, indexRows - 1);
    result.doubled += twice;
    if (twice > 0) problems.push(`${body.traceId}: ${spans} rows of ${different} spans, ${indexRows} index rows`);
    if (different > 0 && indexRows === 0) problems.push(`${body.traceId}: not in the trace index`);
    if (different > body.spans) problems.push(`${body.traceId}: ${different} spans of ${body.spans}`);
    if (body.fate !== 'acked' || (different === 0 && quarantined.has(body.traceId))) continue;
    if (different < body.accepted) result.lost += body.accepted - different;
    if (different !== body.accepted)
      problems.push(`${body.traceId}: ${different} spans stored of ${body.accepted} accepted`);
  }
  const known = new Set(bodies.map(({ traceId }) => traceId));
  for (const traceId of byTrace.keys()) if (!known.has(traceId)) problems.push(`${traceId} was never sent`);
  result.doubled += await rollupSurplus(store, numbering, problems);
  problems.splice(PROBLEMS_MAX);
  return result;
}

async function storedTraces(store: Store, { service, prefix }: Numbering): Promise<Map<string, StoredTrace>> {
  const traces = new Map<string, StoredTrace>();
  const { rows } = await store.query({
    sql: 'SELECT TraceId, count(), uniqExact(SpanId) FROM otel.otel_traces WHERE ServiceName = {service:String} GROUP BY TraceId',
    params: { service },
  });
  for (const [traceId, spans, different] of rows)
    traces.set(String(traceId), { spans: Number(spans), different: Number(different), indexRows: 0 });
  const index = await store.query({
    sql: 'SELECT TraceId, count() FROM otel.otel_traces_trace_id_ts WHERE startsWith(TraceId, {prefix:String}) GROUP BY TraceId',
    params: { prefix },
  });
  for (const [traceId, count] of index.rows) {
    const trace = traces.get(String(traceId)) ?? { spans: 0, different: 0, indexRows: 0 };
    trace.indexRows = Number(count);
    traces.set(String(traceId), trace);
  }
  return traces;
}

/** The rollup must say what the spans say: how many, how long in sum, and in how many bins. */
async function rollupSurplus(store: Store, { service }: Numbering, problems: string[]): Promise<number> {
  const one = async (sql: string): Promise<string[]> =>
    ((await store.query({ sql, params: { service } })).rows[0] ?? []).map(String);
  const [spans = '0', durations] = await one(
    'SELECT count(), sum(Duration) FROM otel.otel_traces WHERE ServiceName = {service:String}',
  );
  const [count = '0', sum, bins] = await one(
    'SELECT sum(count), sum(duration_sum_ns), sum(arraySum(mapValues(bins))) FROM heliograph.span_latency_1m WHERE service = {service:String}',
  );
  if (count !== spans || bins !== spans || sum !== durations)
    problems.push(`rollup: ${count} spans, ${bins} in bins, ${sum} ns; the spans: ${spans}, ${durations} ns`);
  return Math.max(0, Number(count) - Number(spans));
}

/** Trace ids of damaged bodies whose very bytes lie in quarantine with a reason. */
function quarantinedTraces({ damaged = [], quarantineDir }: ReckoningInput): Set<string> {
  if (damaged.length === 0 || quarantineDir === undefined) return new Set();
  const names = readdirSync(quarantineDir);
  const files = names
    .filter((name) => !name.endsWith('.json') && names.includes(`${name}.json`))
    .filter((name) => reasonOf(join(quarantineDir, `${name}.json`)) !== '')
    .map((name) => readFileSync(join(quarantineDir, name)));
  return new Set(
    damaged.filter(({ bytes }) => files.some((file) => file.includes(bytes))).map(({ traceId }) => traceId),
  );
}

function reasonOf(path: string): string {
  const { reason } = JSON.parse(readFileSync(path, 'utf8')) as { reason?: unknown };
  return typeof reason === 'string' ? reason : '';
}

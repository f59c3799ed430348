/**
 * Disk per span by table and column, and the time of reading one trace and of searching an attribute, once everything is
 * merged. `npm run bench -- disk [segments=24]`
 */
import type { Store } from '../core/ports.ts';
import { loadSegments, startBenchEngine, writeSegments } from './support/segments.ts';
import { printTable } from './support/table.ts';

const segmentCount = Number(process.argv[2] ?? '24');
const TABLES = ['otel.otel_traces', 'otel.otel_traces_trace_id_ts', 'heliograph.span_latency_1m'];
const ROUNDS = 9;

async function bytesPerSpan(store: Store, spans: number): Promise<(string | number)[][]> {
  const { rows } = await store.query({
    sql: `
      SELECT * FROM (
        SELECT table, '(all)' AS column, sum(bytes_on_disk) AS bytes FROM system.parts
        WHERE active AND concat(database, '.', table) IN {tables:Array(String)} GROUP BY table
        UNION ALL
        SELECT table, column, sum(column_data_compressed_bytes) AS bytes FROM system.parts_columns
        WHERE active AND concat(database, '.', table) IN {tables:Array(String)} GROUP BY table, column
        UNION ALL
        SELECT table, name, sum(data_compressed_bytes) AS bytes FROM system.data_skipping_indices
        WHERE concat(database, '.', table) IN {tables:Array(String)} GROUP BY table, name
      ) WHERE bytes > 0.005 * {spans:UInt64} ORDER BY table, bytes DESC`,
    params: { tables: TABLES, spans },
  });
  return rows.map(([table, column, bytes]) => [String(table), String(column), (Number(bytes) / spans).toFixed(2)]);
}

async function medianMs(query: (round: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = performance.now();
    await query(round);
    times.push(performance.now() - startedMs);
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
}

const TRACE = `
  WITH
    (SELECT min(Start) FROM otel.otel_traces_trace_id_ts WHERE TraceId = {id:String}) AS first_start,
    (SELECT max(End) + 1 FROM otel.otel_traces_trace_id_ts WHERE TraceId = {id:String}) AS last_start
  SELECT * FROM otel.otel_traces WHERE TraceId = {id:String} AND Timestamp >= first_start AND Timestamp <= last_start`;

async function queryTimes(store: Store): Promise<(string | number)[][]> {
  const { rows } = await store.query({
    sql: `SELECT TraceId FROM otel.otel_traces ORDER BY cityHash64(TraceId), SpanId LIMIT 1 BY TraceId LIMIT ${ROUNDS}`,
  });
  const attribute = (value: string): Promise<unknown> =>
    store.query({
      sql: "SELECT count() FROM otel.otel_traces WHERE SpanAttributes['url.path'] = {value:String}",
      params: { value },
    });
  return [
    ['trace by id', await medianMs((round) => store.query({ sql: TRACE, params: { id: String(rows[round]?.[0]) } }))],
    ['attribute value that is rare', await medianMs((round) => attribute(`/products/${round + 77}`))],
    ['attribute value that is nowhere', await medianMs((round) => attribute(`/nowhere/${round}`))],
  ];
}

const { store, dir, stop } = await startBenchEngine();
const segments = writeSegments(dir, segmentCount);
const spans = segments.reduce((sum, segment) => sum + segment.spans, 0);
await loadSegments(store, segments, 2);
const searched = await queryTimes(store);
for (const table of TABLES) await store.command({ sql: `OPTIMIZE TABLE ${table} FINAL` });
const merged = await queryTimes(store);
printTable(['table', 'column or index', 'B/span'], await bytesPerSpan(store, spans));
process.stdout.write(`\n${spans} spans; median of ${ROUNDS}\n`);
printTable(
  ['query', 'just loaded ms', 'merged ms'],
  searched.map(([name, ms], index) => [name ?? '', ms ?? 0, merged[index]?.[1] ?? 0]),
);
await stop();

/** Reads what `http_request_duration_seconds` is counted from, and holds its number of series down. */
import type { Statement } from '../../../core/ports.ts';
import type { ReadRows } from './read.ts';
import { type ChunkRow, createRequestCounts } from './request-counts.ts';
import type { Family } from './exposition.ts';

const CHUNK_SECONDS = 600;
/** How late a span may be stored and still be counted: a store that was down for a working morning loses nothing here. */
const LOOK_BACK_SECONDS = 6 * 3600;
/** The doors take spans that start up to an hour ahead of our clock. */
const LOOK_AHEAD_SECONDS = 3600;
/** Service and route pairs with series of their own. The first ones seen, the busiest first; the rest are `other`. */
const MAX_ROUTES = 200;
/** Services beyond these, too, are `other`. */
const MAX_SERVICES = 100;
const OTHER = 'other';

const WINDOW = 'from = {from:DateTime}, to = {to:DateTime}';

const TOTALS = `
SELECT toUnixTimestamp(time) AS chunk, sum(count)
FROM boards.latency_by_service(${WINDOW}, step = ${CHUNK_SECONDS})
GROUP BY chunk`;

const BUSIEST = `
SELECT service, route FROM boards.routes(${WINDOW})
WHERE NOT has(arrayZip({services:Array(String)}, {routes:Array(String)}), (service, route))
ORDER BY count DESC, service, route LIMIT {limit:UInt32}`;

const CHUNKS = `
SELECT
  toUnixTimestamp(time) AS chunk, service,
  if(has(arrayZip({services:Array(String)}, {routes:Array(String)}), (service, route)), route, '${OTHER}') AS named,
  status, sumMap(le_ms, counts) AS buckets, sum(duration_sum_ms)
FROM boards.latency_by_status(${WINDOW}, step = ${CHUNK_SECONDS})
WHERE has({chunks:Array(UInt32)}, toUnixTimestamp(time))
GROUP BY chunk, service, named, status`;

/** A reader of the family; each call counts what has come since the last one. Fails as the store fails, and then counts nothing. */
export function createRequestFamily(read: ReadRows): (nowMs: number, signal: AbortSignal) => Promise<Family> {
  const counts = createRequestCounts();
  const pairs = { services: [] as string[], routes: [] as string[] };
  const services = new Set<string>();

  async function nameRoutes(params: NonNullable<Statement['params']>, signal: AbortSignal): Promise<void> {
    const limit = MAX_ROUTES - pairs.routes.length;
    if (limit === 0) return;
    for (const [service, route] of await read(BUSIEST, { ...params, ...pairs, limit }, signal)) {
      pairs.services.push(String(service));
      pairs.routes.push(String(route));
      services.add(String(service));
    }
  }

  function nameOf(service: string): string {
    if (services.has(service)) return service;
    if (services.size >= MAX_ROUTES + MAX_SERVICES) return OTHER;
    services.add(service);
    return service;
  }

  async function countNew(nowMs: number, signal: AbortSignal): Promise<void> {
    const now = Math.floor(nowMs / 1000);
    const from = Math.floor((now - LOOK_BACK_SECONDS) / CHUNK_SECONDS) * CHUNK_SECONDS;
    const totals = await read(TOTALS, { from, to: now + LOOK_AHEAD_SECONDS }, signal);
    const changed = counts.changed(totals.map(([chunk, count]) => ({ chunk: Number(chunk), count: Number(count) })));
    if (changed.length === 0) return counts.add([]);
    const window = { from: Math.min(...changed), to: Math.max(...changed) + CHUNK_SECONDS };
    await nameRoutes(window, signal);
    const rows = await read(CHUNKS, { ...window, ...pairs, chunks: changed }, signal);
    counts.add(rows.map((row) => chunkRow(row, nameOf)));
  }

  return async (nowMs, signal) => {
    await countNew(nowMs, signal);
    return {
      name: 'http_request_duration_seconds',
      type: 'histogram',
      help: 'Durations of Server and Consumer spans stored since Heliograph started, late ones included for six hours.',
      samples: counts.samples(),
    };
  };
}

function chunkRow(row: readonly unknown[], nameOf: (service: string) => string): ChunkRow {
  const [chunk, service, route, status, buckets, sumMs] = row;
  const [leMs, counts] = buckets as [number[], number[]];
  const named = nameOf(String(service));
  return {
    chunk: Number(chunk),
    service: named,
    route: named === String(service) ? String(route) : OTHER,
    status: String(status),
    leMs,
    counts,
    sumMs: Number(sumMs),
  };
}

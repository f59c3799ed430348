/** Reads what `http_request_duration_seconds` is counted from, and holds its number of series down. */
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
/** Services without such a pair that keep their name; the rest are `other` too. */
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
  if({isFull:Bool} AND NOT has(arrayZip({services:Array(String)}, {routes:Array(String)}), (service, route)),
    '${OTHER}', route) AS named,
  status, sumMap(le_ms, counts) AS buckets, sum(duration_sum_ms)
FROM boards.latency_by_status(${WINDOW}, step = ${CHUNK_SECONDS})
WHERE has({chunks:Array(UInt32)}, toUnixTimestamp(time))
GROUP BY chunk, service, named, status`;

/** A reader of the family; each call counts what has come since the last one. Fails as the store fails, and then counts nothing. */
export function createRequestFamily(read: ReadRows): (nowMs: number, signal: AbortSignal) => Promise<Family> {
  const counts = createRequestCounts();
  const names = createNames();

  async function countNew(nowMs: number, signal: AbortSignal): Promise<void> {
    const now = Math.floor(nowMs / 1000);
    const from = Math.floor((now - LOOK_BACK_SECONDS) / CHUNK_SECONDS) * CHUNK_SECONDS;
    const totals = await read(TOTALS, { from, to: now + LOOK_AHEAD_SECONDS }, signal);
    const changed = counts.changed(totals.map(([chunk, count]) => ({ chunk: Number(chunk), count: Number(count) })));
    if (changed.length === 0) return counts.add([]);
    const window = { from: Math.min(...changed), to: Math.max(...changed) + CHUNK_SECONDS };
    const limit = names.room();
    if (limit > 0)
      for (const [service, route] of await read(BUSIEST, { ...window, ...names.pairs, limit }, signal))
        names.add(String(service), String(route));
    const bound = { ...window, ...names.pairs, isFull: names.room() === 0, chunks: changed };
    counts.add((await read(CHUNKS, bound, signal)).map((row) => chunkRow(row, names)));
  }

  return async (nowMs, signal) => {
    await countNew(nowMs, signal);
    return {
      name: 'http_request_duration_seconds',
      type: 'histogram',
      help: 'Durations of Server and Consumer spans stored since Heliograph started, late ones included for six hours.',
      samples: [...counts.samples()],
    };
  };
}

/** Who has series of its own. Once given, a name stays, or counts would move from one series to another. */
interface Names {
  /** Services beside their routes, as the statements take them. */
  pairs: { services: string[]; routes: string[] };
  /** How many more pairs can have series of their own. */
  room(): number;
  add(service: string, route: string): void;
  serviceName(service: string): string;
}

function createNames(): Names {
  const pairs = { services: [] as string[], routes: [] as string[] };
  const known = new Set<string>();
  const services = new Set<string>();
  return {
    pairs,
    room: () => Math.max(0, MAX_ROUTES - pairs.routes.length),
    add(service, route) {
      const key = JSON.stringify([service, route]);
      if (known.has(key)) return;
      known.add(key);
      services.add(service);
      pairs.services.push(service);
      pairs.routes.push(route);
    },
    serviceName(service) {
      if (!services.has(service) && services.size >= MAX_ROUTES + MAX_SERVICES) return OTHER;
      services.add(service);
      return service;
    },
  };
}

function chunkRow(row: readonly unknown[], names: Names): ChunkRow {
  const [chunk, rawService, route, status, buckets, sumMs] = row;
  const [leMs, counts] = buckets as [number[], number[]];
  // A pair that came up between the two statements; with no room left, the statement has folded it already.
  if (names.room() > 0) names.add(String(rawService), String(route));
  const service = names.serviceName(String(rawService));
  return {
    chunk: Number(chunk),
    service,
    route: service === rawService ? String(route) : OTHER,
    status: String(status),
    leMs,
    counts,
    sumMs: Number(sumMs),
  };
}

/**
 * Requests counted since counting began, from a rollup that forgets and that late spans still change. A counter must never go
 * down and must count each span once, so it is summed from differences: time is cut into chunks, of each chunk of the last hours
 * it is known what has been counted, and only what a chunk has gained is added. What a chunk already held when counting began
 * is not counted, since the process before may have counted it.
 */
import type { Sample } from './exposition.ts';

/** Bins per bucket of `boards.latency_by_status`, and how many of its buckets make one of ours. */
const BINS = 23;
const GAMMA = 1.01 / 0.99;
/** Upper bounds on the edges of every second bucket of the view, a factor of 2.5 apart: 0.16 ms to 61 s. */
const EDGES = Array.from({ length: 15 }, (_, index) => 26 + 2 * index);
/** Nanoseconds. Durations are whole ones, so those up to the edge are those up to the edge without its fraction. */
const BOUNDS_NS = EDGES.map((edge) => Math.floor(GAMMA ** (edge * BINS)));

/** Places of one series' figures: a bucket each, the one above all bounds, the sum of durations in seconds. */
const INFINITE = BOUNDS_NS.length;
const SUM = INFINITE + 1;
const WIDTH = SUM + 1;

/** What a chunk holds of one series, as read. `leMs` are bounds of the view's buckets, `counts` what each holds alone. */
export interface ChunkRow {
  chunk: number;
  service: string;
  route: string;
  status: string;
  leMs: readonly number[];
  counts: readonly number[];
  sumMs: number;
}

export interface ChunkTotal {
  /** Unix seconds of its start. */
  chunk: number;
  count: number;
}

interface Series {
  labels: { service: string; route: string; status: string };
  figures: Float64Array;
}

export interface RequestCounts {
  /** Chunks that hold more spans than were seen. Forgets the chunks that are not among `totals` any more. */
  changed(totals: readonly ChunkTotal[]): number[];
  /** Adds what the chunks in `rows` have gained; the first call only takes note. Each chunk comes with all its series. */
  add(rows: readonly ChunkRow[]): void;
  /** Samples of a histogram by service, route and status. */
  samples(): Iterable<Sample>;
}

export function createRequestCounts(): RequestCounts {
  const series = new Map<string, Series>();
  const chunks = new Map<number, { count: number; figures: Map<string, Float64Array> }>();
  let hasBegun = false;

  function seriesOf(key: string, { service, route, status }: ChunkRow): Series {
    let found = series.get(key);
    if (found === undefined) {
      found = { labels: { service, route, status }, figures: new Float64Array(WIDTH) };
      series.set(key, found);
    }
    return found;
  }

  return {
    changed(totals) {
      const kept = new Set(totals.map(({ chunk }) => chunk));
      for (const chunk of chunks.keys()) if (!kept.has(chunk)) chunks.delete(chunk);
      return totals.filter(({ chunk, count }) => count > (chunks.get(chunk)?.count ?? 0)).map(({ chunk }) => chunk);
    },
    add(rows) {
      for (const [chunk, { count, byKey }] of foldRows(rows)) {
        const known = chunks.get(chunk) ?? { count: 0, figures: new Map<string, Float64Array>() };
        chunks.set(chunk, known);
        known.count = Math.max(known.count, count);
        for (const [key, { row, figures }] of byKey) {
          const seen = known.figures.get(key) ?? new Float64Array(WIDTH);
          known.figures.set(key, seen);
          const counted = seriesOf(key, row).figures;
          for (let place = 0; place < WIDTH; place++) {
            const gained = Math.max(0, (figures[place] ?? 0) - (seen[place] ?? 0));
            if (hasBegun) counted[place] = (counted[place] ?? 0) + gained;
            seen[place] = (seen[place] ?? 0) + gained;
          }
        }
      }
      hasBegun = true;
    },
    *samples() {
      for (const { labels, figures } of series.values()) yield* histogramOf(labels, figures);
    },
  };
}

interface FoldedChunk {
  count: number;
  byKey: Map<string, { row: ChunkRow; figures: Float64Array }>;
}

/** Figures by chunk and series; rows that name the same series add up. */
function foldRows(rows: readonly ChunkRow[]): Map<number, FoldedChunk> {
  const folded = new Map<number, FoldedChunk>();
  for (const row of rows) {
    const chunk = folded.get(row.chunk) ?? { count: 0, byKey: new Map() };
    folded.set(row.chunk, chunk);
    const key = JSON.stringify([row.service, row.route, row.status]);
    const entry = chunk.byKey.get(key) ?? { row, figures: new Float64Array(WIDTH) };
    chunk.byKey.set(key, entry);
    for (const [index, leMs] of row.leMs.entries()) {
      const place = bucketOf(leMs);
      const count = row.counts[index] ?? 0;
      entry.figures[place] = (entry.figures[place] ?? 0) + count;
      chunk.count += count;
    }
    entry.figures[SUM] = (entry.figures[SUM] ?? 0) + row.sumMs / 1000;
  }
  return folded;
}

/** Both are powers of gamma worked out by different libraries: half a bin of slack, where whole buckets lie 23 apart. */
function bucketOf(leMs: number): number {
  const place = BOUNDS_NS.findIndex((bound) => leMs * 1e6 <= bound * Math.sqrt(GAMMA));
  return place < 0 ? INFINITE : place;
}

function* histogramOf(labels: Series['labels'], figures: Float64Array): Generator<Sample> {
  let below = 0;
  for (const [place, bound] of BOUNDS_NS.entries()) {
    below += figures[place] ?? 0;
    yield { suffix: '_bucket', labels: { ...labels, le: bound / 1e9 }, value: below };
  }
  below += figures[INFINITE] ?? 0;
  yield { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: below };
  yield { suffix: '_sum', labels, value: figures[SUM] ?? 0 };
  yield { suffix: '_count', labels, value: below };
}

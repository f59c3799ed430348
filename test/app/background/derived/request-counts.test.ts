import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ChunkRow,
  createRequestCounts,
  type RequestCounts,
} from '../../../../app/background/derived/request-counts.ts';

const EDGES_MS = [0, 0.1, 1, 10, 100, 1e9];

interface Span {
  chunk: number;
  route: string;
  leMs: number;
}

/** What a store that holds `spans` would answer. */
function rowsOf(spans: readonly Span[], chunks: readonly number[]): ChunkRow[] {
  return chunks.flatMap((chunk) =>
    ['/a', '/b'].flatMap((route) => {
      const mine = spans.filter((span) => span.chunk === chunk && span.route === route);
      if (mine.length === 0) return [];
      const leMs = EDGES_MS.filter((edge) => mine.some((span) => span.leMs === edge));
      const counts = leMs.map((edge) => mine.filter((span) => span.leMs === edge).length);
      return [{ chunk, service: 's', route, status: 'Unset', leMs, counts, sumMs: mine.length * 1000 }];
    }),
  );
}

function totalsOf(spans: readonly Span[]): { chunk: number; count: number }[] {
  const chunks = [...new Set(spans.map(({ chunk }) => chunk))];
  return chunks.map((chunk) => ({ chunk, count: spans.filter((span) => span.chunk === chunk).length }));
}

function read(counts: RequestCounts, spans: readonly Span[]): void {
  counts.add(rowsOf(spans, counts.changed(totalsOf(spans))));
}

/** Value by series. */
function values(counts: RequestCounts): Map<string, number> {
  return new Map(
    [...counts.samples()].map(({ suffix, labels, value }) => [
      `${suffix} ${labels['route']} ${labels['le'] ?? ''}`,
      value,
    ]),
  );
}

const span = fc.record({
  chunk: fc.constantFrom(0, 600, 1200),
  route: fc.constantFrom('/a', '/b'),
  leMs: fc.constantFrom(...EDGES_MS),
});

test('whatever arrives in whatever order, each span is counted once and nothing goes down', () => {
  fc.assert(
    fc.property(fc.array(fc.array(span, { maxLength: 8 }), { minLength: 1, maxLength: 8 }), (batches) => {
      const counts = createRequestCounts();
      const stored: Span[] = [];
      let before = new Map<string, number>();
      for (const batch of batches) {
        stored.push(...batch);
        read(counts, stored);
        read(counts, stored); // nothing new
        const after = values(counts);
        for (const [series, value] of before) expect(after.get(series)).toBeGreaterThanOrEqual(value);
        before = after;
      }
      const counted = stored.slice(batches[0]?.length ?? 0);
      for (const route of ['/a', '/b']) {
        const mine = counted.filter((each) => each.route === route);
        if (mine.length === 0) continue;
        expect(before.get(`_count ${route} `)).toBe(mine.length);
        expect(before.get(`_bucket ${route} +Inf`)).toBe(mine.length);
        expect(before.get(`_sum ${route} `)).toBeCloseTo(mine.length, 6);
        expect(before.get(`_bucket ${route} 61.409356696`)).toBe(mine.filter((each) => each.leMs < 1e9).length);
        expect(before.get(`_bucket ${route} 0.000156435`)).toBe(mine.filter((each) => each.leMs <= 0.1).length);
      }
    }),
  );
});

test('what the store forgets, and what a lagging replica has not got, is not taken back', () => {
  const counts = createRequestCounts();
  read(counts, []);
  const spans: Span[] = Array.from({ length: 5 }, () => ({ chunk: 0, route: '/a', leMs: 10 }));
  read(counts, spans);
  read(counts, spans.slice(0, 2));
  expect(values(counts).get('_count /a ')).toBe(5);
  read(counts, [...spans, { chunk: 0, route: '/a', leMs: 1 }]);
  expect(values(counts).get('_count /a ')).toBe(6);
  expect(counts.changed([])).toEqual([]); // the chunk has left the window: it is forgotten, its counts are not
  expect(values(counts).get('_count /a ')).toBe(6);
});

test('rows behind their total are read again', () => {
  const counts = createRequestCounts();
  counts.add([]);
  const [row] = rowsOf([{ chunk: 0, route: '/a', leMs: 10 }], [0]);
  if (row === undefined) expect.fail('one row');
  expect(counts.changed([{ chunk: 0, count: 3 }])).toEqual([0]);
  counts.add([row]);
  expect(counts.changed([{ chunk: 0, count: 3 }])).toEqual([0]);
  counts.add([{ ...row, counts: [3] }]);
  expect(counts.changed([{ chunk: 0, count: 3 }])).toEqual([]);
  expect(values(counts).get('_count /a ')).toBe(3);
});

test('a series that was there before counting began starts at 0', () => {
  const counts = createRequestCounts();
  read(counts, [{ chunk: 0, route: '/a', leMs: 10 }]);
  expect(values(counts).get('_count /a ')).toBe(0);
});

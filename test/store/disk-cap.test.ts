import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextDrop } from '../../store/disk-cap.ts';
import type { Partition } from '../../store/partitions.ts';

const TODAY = '2026-11-25';

function day(table: string, id: string, bytes: number): Partition {
  const text = `${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6)}`;
  return { table, id, days: { first: text, last: text }, rows: 1, bytes };
}

const spans = (id: string, bytes: number): Partition => day('otel.otel_traces', id, bytes);
const rollup = (id: string, bytes: number): Partition => day('heliograph.span_latency_1m', id, bytes);

test('the kind furthest over its share gives its oldest day, with the tables that belong to it', () => {
  const lookup = day('otel.otel_traces_trace_id_ts', '20261110', 5);
  const drop = nextDrop([spans('20261111', 900), spans('20261110', 900), lookup, rollup('20261001', 90)], TODAY);
  expect(drop).toEqual({ kind: 'spans', partitions: [spans('20261110', 900), lookup], isCurrent: false });
});

test('small rollups do not go first for being old, large ones do', () => {
  const days = [spans('20261120', 700), rollup('20261001', 99)];
  expect(nextDrop(days, TODAY)?.kind).toBe('spans');
  expect(nextDrop([...days, rollup('20261002', 99)], TODAY)).toMatchObject({
    kind: 'rollups',
    partitions: [{ id: '20261001' }],
  });
});

test('today goes only where nothing older is left, and is said to', () => {
  expect(nextDrop([spans('20261125', 10_000), rollup('20261001', 1)], TODAY)).toMatchObject({
    kind: 'rollups',
    isCurrent: false,
  });
  expect(nextDrop([spans('20261125', 10_000), rollup('20261125', 1)], TODAY)).toMatchObject({
    kind: 'spans',
    isCurrent: true,
  });
});

test('what can be rebuilt, what names people and what is not cut by time never goes', () => {
  const kept: Partition[] = [
    { table: 'heliograph.commits', id: '2020', days: null, rows: 1, bytes: 1e9 },
    { table: 'people.identities', id: 'all', days: null, rows: 1, bytes: 1e9 },
    day('heliograph.migrations', '20200101', 1e9),
    day('heliograph.disk_drops', '20200101', 1e9),
  ];
  expect(nextDrop(kept, TODAY)).toBeNull();
  expect(nextDrop([], TODAY)).toBeNull();
});

test('whatever there is, repeated drops end, take every day in its kind from the oldest on, and today last', () => {
  const table = fc.constantFrom(
    'otel.otel_traces',
    'otel.otel_traces_trace_id_ts',
    'heliograph.span_latency_1m',
    'heliograph.profile_samples',
    'heliograph.ci_runs',
  );
  const some = fc.uniqueArray(fc.record({ table, day: fc.integer({ min: 1, max: 26 }), bytes: fc.nat(1000) }), {
    selector: (each) => `${each.table} ${each.day}`,
  });
  fc.assert(
    fc.property(some, (made) => {
      let left = made.map((each) => day(each.table, `202611${String(each.day).padStart(2, '0')}`, each.bytes));
      const gone = new Map<string, string>();
      for (let drop = nextDrop(left, TODAY); drop !== null; drop = nextDrop(left, TODAY)) {
        for (const { id, days } of drop.partitions) {
          expect(id >= (gone.get(drop.kind) ?? '')).toBe(true);
          expect(drop.isCurrent).toBe((days?.last ?? '') >= TODAY);
          gone.set(drop.kind, id);
        }
        if (drop.isCurrent) expect(left.every(({ days }) => (days?.last ?? '') >= TODAY)).toBe(true);
        const before = left.length;
        left = left.filter((each) => !drop.partitions.includes(each));
        expect(left.length).toBeLessThan(before);
      }
      expect(left).toEqual([]);
    }),
    { numRuns: 200, seed: 7 },
  );
});

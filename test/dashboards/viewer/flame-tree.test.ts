import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { moved } from '../../../dashboards/viewer/page/flame-keys.ts';
import {
  buildTree,
  findPath,
  functionTotals,
  packageOf,
  pathTo,
  search,
  shortLabel,
  subtreeEnd,
} from '../../../dashboards/viewer/page/flame-tree.ts';
import type { TargetResult } from '../../../dashboards/viewer/page/frames.ts';

type Row = [level: number, value: number, self: number, label: string];

function frame(rows: readonly Row[], unit?: string): TargetResult {
  const names = ['level', 'value', 'self', 'label', ...(unit === undefined ? [] : ['unit'])];
  return {
    refId: 'A',
    columns: names.map((name) => ({ name, type: name === 'label' || name === 'unit' ? 'String' : 'Int64' })),
    rows: rows.map((row) => [...row, ...(unit === undefined ? [] : [unit])]),
    truncated: false,
  };
}

/** main calls serve twice over, serve calls itself once. */
const ROWS: Row[] = [
  [0, 100, 0, 'total'],
  [1, 70, 10, 'net/http.(*conn).serve'],
  [2, 40, 15, 'shop/api.Handle'],
  [3, 25, 25, 'net/http.(*conn).serve'],
  [2, 20, 20, 'encoding/json.Marshal'],
  [1, 30, 30, 'runtime.gcBgMarkWorker'],
];
const tree = buildTree(frame(ROWS, 'nanoseconds'));

describe('the tree', () => {
  test('every node lies beneath its caller, beside its siblings', () => {
    expect(tree.nodes.map(({ start, parent }) => [start, parent])).toEqual([
      [0, -1],
      [0, 0],
      [0, 1],
      [0, 2],
      [40, 1],
      [70, 0],
    ]);
    expect([tree.total, tree.depth, tree.unit]).toEqual([100, 4, 'nanoseconds']);
    expect(buildTree(frame(ROWS)).unit).toBeUndefined();
    expect(subtreeEnd(tree, 1)).toBe(5);
    expect(pathTo(tree, 3).map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(pathTo(tree, -1)).toEqual([]);
  });

  test('no rows make an empty tree; several roots stand side by side', () => {
    expect(buildTree(frame([]))).toEqual({ nodes: [], total: 0, depth: 0, unit: undefined });
    const two = buildTree(
      frame([
        [0, 3, 3, 'a'],
        [0, 4, 4, 'b'],
      ]),
    );
    expect([two.total, two.nodes[1]?.start]).toEqual([7, 3]);
  });

  test('rows that are no tree are refused by name', () => {
    expect(() =>
      buildTree(
        frame([
          [0, 1, 0, 'a'],
          [2, 1, 1, 'b'],
        ]),
      ),
    ).toThrow('skips a level at b');
    expect(() => buildTree({ ...frame(ROWS), columns: [{ name: 'level', type: 'Int64' }] })).toThrow('needs level');
  });

  test('children never leave their caller, whatever the tree', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(50)), { maxLength: 60 }), (shape) => {
        // A child gets what its caller has left, so that every row list is one that a profile could give.
        const left: number[] = [1_000_000];
        let depth = -1;
        const rows = shape.map(([wanted, share]): Row => {
          depth = Math.min(wanted, depth + 1);
          const value = Math.floor(((left[depth] ?? 0) * share) / 100);
          left[depth] = (left[depth] ?? 0) - value;
          left[depth + 1] = value;
          return [depth, value, 0, `f${share}`];
        });
        for (const node of buildTree(frame(rows)).nodes) {
          const caller = buildTree(frame(rows)).nodes[node.parent];
          if (caller === undefined) continue;
          expect(node.start).toBeGreaterThanOrEqual(caller.start);
          expect(node.start + node.value).toBeLessThanOrEqual(caller.start + caller.value);
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('functions are summed over their callers, recursion counted once', () => {
  expect(functionTotals(tree)).toEqual([
    { label: 'net/http.(*conn).serve', self: 35, total: 70 },
    { label: 'runtime.gcBgMarkWorker', self: 30, total: 30 },
    { label: 'encoding/json.Marshal', self: 20, total: 20 },
    { label: 'shop/api.Handle', self: 15, total: 40 },
    { label: 'total', self: 0, total: 100 },
  ]);
});

test('a search counts what it covers once, however its matches nest', () => {
  expect(search(tree, '  ')).toBeUndefined();
  expect(search(tree, 'HTTP')).toEqual({ found: new Set([1, 3]), value: 70 });
  expect(search(tree, 'json')).toEqual({ found: new Set([4]), value: 20 });
  expect(search(tree, 'nothing')).toEqual({ found: new Set(), value: 0 });
});

test('a path is found again in other figures, and is not where its calls are gone', () => {
  expect(findPath(tree, ['total', 'net/http.(*conn).serve', 'encoding/json.Marshal'])).toBe(4);
  expect(findPath(tree, ['total', 'encoding/json.Marshal'])).toBe(-1);
  expect(findPath(tree, [])).toBe(-1);
});

test.each([
  ['net/http.(*conn).serve', 'net/http', 'http.(*conn).serve'],
  ['github.com/a/b.v2/c.F.func1', 'github.com/a/b.v2/c', 'c.F.func1'],
  ['runtime.mallocgc', 'runtime', 'runtime.mallocgc'],
  ['slices.SortFunc[go.shape.[]github.com/a/b.T]', 'slices', 'slices.SortFunc[go.shape.[]github.com/a/b.T]'],
  ['total', 'total', 'total'],
  ['', '', ''],
])('%s belongs to %s and is shown as %s', (label, name, short) => {
  expect(packageOf(label)).toBe(name);
  expect(shortLabel(label)).toBe(short);
});

test('arrows walk the boxes in sight', () => {
  const shown = tree.nodes;
  expect(moved(shown, -1, 'ArrowDown')).toBe(0);
  expect(moved(shown, 0, 'ArrowDown')).toBe(1);
  expect(moved(shown, 1, 'ArrowDown')).toBe(2);
  expect(moved(shown, 3, 'ArrowDown')).toBe(3);
  expect(moved(shown, 2, 'ArrowRight')).toBe(4);
  expect(moved(shown, 4, 'ArrowLeft')).toBe(2);
  expect(moved(shown, 5, 'ArrowRight')).toBe(5);
  expect(moved(shown, 4, 'ArrowUp')).toBe(1);
  expect(moved(shown, 0, 'ArrowUp')).toBe(0);
  expect(moved(shown.slice(1), 1, 'ArrowUp')).toBe(1);
  expect(moved(shown, 0, 'a')).toBeUndefined();
});

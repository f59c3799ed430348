import { describe, expect, test } from 'vitest';
import {
  columnKind,
  lastNotNull,
  maxOf,
  stacked,
  type TargetResult,
  toWide,
} from '../../../dashboards/viewer/page/frames.ts';

const at = (minute: number) => `2026-01-01T00:0${minute}:00Z`;
const seconds = (minute: number) => Date.parse(at(minute)) / 1000;

function target(columns: [string, string][], rows: unknown[][]): TargetResult {
  return { refId: 'A', columns: columns.map(([name, type]) => ({ name, type })), rows, truncated: false };
}

describe('long to wide', () => {
  const columns: [string, string][] = [
    ['time', 'DateTime'],
    ['service', 'LowCardinality(String)'],
    ['Value', 'Float64'],
  ];

  test('one series per label, null where a series has no row', () => {
    const wide = toWide(
      target(columns, [
        [at(0), 'a', 1],
        [at(0), 'b', 2],
        [at(1), 'a', 3],
      ]),
      60,
    );
    expect(wide.times).toEqual([seconds(0), seconds(1)]);
    expect(wide.series).toEqual([
      { name: 'a', values: [1, 3] },
      { name: 'b', values: [2, null] },
    ]);
  });

  test('a step in which nobody has a row breaks the line', () => {
    const wide = toWide(
      target(columns, [
        [at(0), 'a', 1],
        [at(3), 'a', 2],
      ]),
      60,
    );
    expect(wide.times).toEqual([seconds(0), seconds(1), seconds(3)]);
    expect(wide.series[0]?.values).toEqual([1, null, 2]);
  });

  test('columns without labels go by their names, other names carry their labels', () => {
    const plain = toWide(
      target(
        [
          ['time', 'DateTime'],
          ['p50', 'Float64'],
          ['p99', 'Nullable(Float64)'],
        ],
        [[at(0), 1, null]],
      ),
      60,
    );
    expect(plain.series).toEqual([
      { name: 'p50', values: [1] },
      { name: 'p99', values: [null] },
    ]);
    const labelled = toWide(
      target(
        [
          ['time', 'DateTime'],
          ['le', 'String'],
          ['n', 'UInt64'],
        ],
        [[at(0), '', 1]],
      ),
      60,
    );
    expect(labelled.series[0]?.name).toBe('n (empty)');
  });

  test('no rows, no series', () => {
    expect(toWide(target(columns, []), 60)).toEqual({ times: [], series: [] });
  });
});

test.each([
  ['DateTime', 'time'],
  ['DateTime64(9)', 'time'],
  ['Nullable(DateTime64(3))', 'time'],
  ['UInt64', 'number'],
  ['Nullable(Float64)', 'number'],
  ['Decimal(9, 2)', 'number'],
  ['LowCardinality(String)', 'string'],
  ['Map(Int16, UInt64)', 'string'],
])('%s is a %s', (type, kind) => {
  expect(columnKind(type)).toBe(kind);
});

test('last and largest leave nulls out', () => {
  expect(lastNotNull([1, 2, null])).toBe(2);
  expect(lastNotNull([null])).toBeNull();
  expect(maxOf([null, -3, -5])).toBe(-3);
  expect(maxOf([])).toBeNull();
});

test('a stack adds up what is there; what is missing adds nothing and stays missing', () => {
  expect(
    stacked([
      [1, 2, null],
      [10, null, 30],
      [100, 200, 300],
    ]),
  ).toEqual([
    [1, 2, null],
    [11, null, 30],
    [111, 202, 330],
  ]);
});

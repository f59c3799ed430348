import { describe, expect, test } from 'vitest';
import { expandMacros, MACRO_NAMES } from '../../../dashboards/query/macros.ts';

const context = { fromMs: 1_700_000_000_123, toMs: 1_700_003_600_999, intervalMs: 20_000 };

/** What grafana-clickhouse-datasource's backend makes of each macro. */
const CASES: readonly (readonly [sql: string, expanded: string])[] = [
  ['$__fromTime', 'toDateTime(1700000000)'],
  ['$__toTime', 'toDateTime(1700003600)'],
  ['$__fromTime_ms', 'fromUnixTimestamp64Milli(1700000000123)'],
  ['$__toTime_ms', 'fromUnixTimestamp64Milli(1700003600999)'],
  ['$__timeFilter(t)', 't >= toDateTime(1700000000) AND t <= toDateTime(1700003600)'],
  [
    '$__timeFilter_ms(t)',
    't >= fromUnixTimestamp64Milli(1700000000123) AND t <= fromUnixTimestamp64Milli(1700003600999)',
  ],
  ['$__dateFilter(d)', "d >= toDate('2023-11-14') AND d <= toDate('2023-11-14')"],
  [
    '$__dateTimeFilter(d, t)',
    "(d >= toDate('2023-11-14') AND d <= toDate('2023-11-14')) AND (t >= toDateTime(1700000000) AND t <= toDateTime(1700003600))",
  ],
  [
    '$__dt(d,t)',
    "(d >= toDate('2023-11-14') AND d <= toDate('2023-11-14')) AND (t >= toDateTime(1700000000) AND t <= toDateTime(1700003600))",
  ],
  ['$__timeInterval(t)', 'toStartOfInterval(toDateTime(t), INTERVAL 20 second)'],
  ['$__timeInterval_ms(t)', 'toStartOfInterval(toDateTime64(t, 3), INTERVAL 20000 millisecond)'],
  ['$__interval_s', '20'],
  ['$__interval_ms', '20000'],
  ['$__interval', '20s'],
  ['$__timeFrom(t)', 't >= toDateTime(1700000000)'],
  ['$__timeTo(t)', 't <= toDateTime(1700003600)'],
  ['$__timeGroup(t, 5m)', 'toStartOfInterval(toDateTime(t), INTERVAL 300 second)'],
  ["$__timeGroup(t, '1h30m')", 'toStartOfInterval(toDateTime(t), INTERVAL 5400 second)'],
];

describe('macros', () => {
  test.each(CASES)('%s', (sql, expanded) => {
    expect(expandMacros(sql, context)).toBe(expanded);
    expect(expandMacros(`SELECT 1 WHERE ${sql} AND 2`, context)).toBe(`SELECT 1 WHERE ${expanded} AND 2`);
  });

  test('every macro known to the lint has a case', () => {
    const covered = CASES.map(([sql]) => /\$__(\w+)/.exec(sql)?.[1]);
    expect(MACRO_NAMES.filter((name) => !covered.includes(name))).toEqual(['conditionalAll']);
  });

  test('an interval below a second is one second', () => {
    expect(expandMacros('$__interval_s $__timeInterval(t)', { ...context, intervalMs: 200 })).toBe(
      '1 toStartOfInterval(toDateTime(t), INTERVAL 1 second)',
    );
  });

  test('arguments may hold calls, quotes and commas', () => {
    expect(expandMacros("$__timeFrom(f(a, ')', b))", context)).toBe("f(a, ')', b) >= toDateTime(1700000000)");
  });

  test('unknown macros and names that merely begin alike stay', () => {
    expect(expandMacros('$__columns(a) $__fromTimes $__toString', context)).toBe(
      '$__columns(a) $__fromTimes $__toString',
    );
  });

  test('comments go, quoted text that looks like one stays', () => {
    expect(expandMacros('a -- $__fromTime\n\'-- x\' /* y\n */ "/*" b', context)).toBe('a \n\'-- x\'  "/*" b');
  });

  test('a wrong number of arguments is named', () => {
    expect(() => expandMacros('$__timeFilter', context)).toThrow('$__timeFilter takes 1 argument(s), not 0');
    expect(() => expandMacros('$__dt(a)', context)).toThrow('takes 2');
    expect(() => expandMacros('$__timeGroup(t, 1d)', context)).toThrow('not a Go duration');
  });
});

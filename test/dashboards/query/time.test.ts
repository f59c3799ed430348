import { describe, expect, test } from 'vitest';
import { intervalMs, parseInterval } from '../../../dashboards/query/interval.ts';
import { parseRange } from '../../../dashboards/query/range.ts';
import { parseTime } from '../../../dashboards/shared/time-math.ts';

const now = Date.parse('2026-03-31T10:20:30.456Z');

describe('times', () => {
  test.each([
    ['now', '2026-03-31T10:20:30.456Z'],
    ['now-90s', '2026-03-31T10:19:00.456Z'],
    ['now-6h', '2026-03-31T04:20:30.456Z'],
    ['now+1d', '2026-04-01T10:20:30.456Z'],
    ['now-2w', '2026-03-17T10:20:30.456Z'],
    ['now-1M', '2026-02-28T10:20:30.456Z'],
    ['now-1y', '2025-03-31T10:20:30.456Z'],
    ['now/d', '2026-03-31T00:00:00.000Z'],
    ['now-1d/d', '2026-03-30T00:00:00.000Z'],
    ['now/w', '2026-03-30T00:00:00.000Z'],
    ['now/M', '2026-03-01T00:00:00.000Z'],
    ['now/h', '2026-03-31T10:00:00.000Z'],
    ['0', '1970-01-01T00:00:00.000Z'],
    ['1700000000000', '2023-11-14T22:13:20.000Z'],
    ['2026-01-02', '2026-01-02T00:00:00.000Z'],
    ['2026-01-02 03:04', '2026-01-02T03:04:00.000Z'],
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05.678901234+02:00', '2026-01-02T01:04:05.678Z'],
  ])('%s', (text, iso) => {
    expect(new Date(parseTime(text, now) ?? Number.NaN).toISOString()).toBe(iso);
  });

  test('the end of a range rounds up', () => {
    expect(new Date(parseTime('now/d', now, true) ?? 0).toISOString()).toBe('2026-03-31T23:59:59.999Z');
    expect(new Date(parseTime('now/M', now, true) ?? 0).toISOString()).toBe('2026-03-31T23:59:59.999Z');
  });

  test.each([
    '',
    'yesterday',
    'now-',
    'now-6',
    'now-6q',
    'now-6h; DROP',
    '-5',
    '1e9',
    '2026-13-01',
    '99999999999999',
    'NaN',
    'now -6h',
  ])('refuses %j', (text) => {
    expect(parseTime(text, now)).toBeUndefined();
  });

  test('a range names the field that is wrong', () => {
    expect(parseRange('now-1h', 'now', now)).toEqual({ fromMs: now - 3_600_000, toMs: now });
    expect(() => parseRange('x', 'now', now)).toThrow("from: 'x' is not a time");
    expect(() => parseRange('now-1h', 'soon', now)).toThrow("to: 'soon' is not a time");
    expect(() => parseRange('now', 'now-1h', now)).toThrow('from (now) must be earlier than to (now-1h)');
    expect(() => parseRange('now', 'now', now)).toThrow('must be earlier');
  });
});

describe('intervals', () => {
  const hour = 3_600_000;
  test.each([
    [6 * hour, 1_000, 0, 20_000],
    [hour, 600, 0, 5_000],
    [hour, 600, 60_000, 60_000],
    [24 * hour, 600, 60_000, 120_000],
    [7 * 24 * hour, 600, 60_000, 900_000],
    [30 * 24 * hour, 600, 60_000, 3_600_000],
    [365 * 24 * hour, 100, 60_000, 86_400_000],
    [1, 1, 0, 1],
  ])('%d ms at %d points, at least %d ms: %d ms', (rangeMs, points, minMs, expected) => {
    expect(intervalMs(rangeMs, points, minMs)).toBe(expected);
  });

  test('every step from a minute up is whole minutes, as the rollup is', () => {
    for (let exponent = 0; exponent < 40; exponent += 0.25) {
      expect(intervalMs(60_000 * 2 ** exponent, 300, 60_000) % 60_000).toBe(0);
    }
  });

  test('a panel may ask for a coarser grain', () => {
    expect(parseInterval('1m')).toBe(60_000);
    expect(parseInterval('>5m')).toBe(300_000);
    expect(parseInterval('soon')).toBeUndefined();
  });
});

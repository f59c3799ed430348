import { describe, expect, test } from 'vitest';
import { createCalendar } from '../../../app/scheduler/calendar.ts';

function instants(pattern: string, zone: string, from: string, n: number): string[] {
  const next = createCalendar()({ pattern, zone });
  const out: string[] = [];
  let atMs = Date.parse(from);
  for (let i = 0; i < n; i += 1) {
    const instant = next(atMs);
    if (instant === undefined) break;
    atMs = instant;
    out.push(new Date(atMs).toISOString().slice(0, 16));
  }
  return out;
}

describe('calendar rules in Europe/Berlin', () => {
  test('an hour that does not exist in spring: the daily rule runs once, when the clock has jumped', () => {
    expect(instants('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 3)).toEqual([
      '2026-03-29T01:00', // 03:00 CEST: 02:30 was skipped
      '2026-03-30T00:30',
      '2026-03-31T00:30',
    ]);
  });

  test('an hour that comes twice in autumn: the daily rule runs the first time only', () => {
    expect(instants('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 3)).toEqual([
      '2026-10-25T00:30', // 02:30 CEST
      '2026-10-26T01:30',
      '2026-10-27T01:30',
    ]);
  });

  test('an hourly rule is hourly through both changes', () => {
    for (const day of ['2026-03-28T20:00:00Z', '2026-10-24T20:00:00Z']) {
      const times = instants('0 * * * *', 'Europe/Berlin', day, 12).map((text) => Date.parse(`${text}Z`));
      expect(times.map((ms) => (ms - Date.parse(day)) / 3_600_000)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    }
  });
});

describe('the calendar', () => {
  test('compiles each distinct pattern and zone once', () => {
    const calendar = createCalendar();
    const rule = { pattern: '0 4 * * *', zone: 'Europe/Berlin' };
    expect(calendar({ ...rule })).toBe(calendar({ ...rule }));
    expect(calendar({ ...rule, zone: 'Asia/Tokyo' })).not.toBe(calendar(rule));
    expect(calendar({ ...rule, pattern: '0 5 * * *' })).not.toBe(calendar(rule));
  });

  test('says when a rule never comes round', () => {
    expect(instants('0 0 30 2 *', 'UTC', '2026-01-01T00:00:00Z', 1)).toEqual([]);
  });

  test.each([
    ['61 * * * *', 'UTC', /61/],
    ['0 4 * * *', 'Europe/Nowhere', /Europe\/Nowhere/],
  ])('refuses %s in %s by name', (pattern, zone, reason) => {
    expect(() => createCalendar()({ pattern, zone })).toThrow(expect.objectContaining({ code: 'bad_config' }));
    expect(() => createCalendar()({ pattern, zone })).toThrow(reason);
  });
});

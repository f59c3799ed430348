import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIsoMs } from '../../core/iso-time.ts';

describe('parseIsoMs', () => {
  test.each([
    ['2026-03-02T09:00:00Z', '2026-03-02T09:00:00.000Z'],
    ['2026-03-02t09:00:00.5z', '2026-03-02T09:00:00.500Z'],
    ['2026-03-02 09:00:00.123456789+00:00', '2026-03-02T09:00:00.123Z'],
    ['2026-03-02T09:00:00+05:30', '2026-03-02T03:30:00.000Z'],
    ['2026-03-02T09:00:00-0800', '2026-03-02T17:00:00.000Z'],
    ['2024-02-29T23:59:59,9Z', '2024-02-29T23:59:59.900Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(parseIsoMs(text)).toBe(Date.parse(iso));
  });

  test.each([
    '2026-03-02',
    '2026-03-02T09:00:00',
    '2026-03-02T09:00Z',
    '2026-02-30T09:00:00Z',
    '2025-02-29T09:00:00Z',
    '2026-13-01T09:00:00Z',
    '2026-00-01T09:00:00Z',
    '2026-03-00T09:00:00Z',
    '2026-03-02T24:00:00Z',
    '2026-03-02T09:60:00Z',
    '2026-06-30T23:59:60Z',
    '2026-03-02T09:00:00+24:00',
    '2026-03-02T09:00:00.Z',
    ' 2026-03-02T09:00:00Z',
    '2026-03-02T09:00:00Z\n',
    'Mon, 02 Mar 2026 09:00:00 GMT',
    '1772442000000',
    '',
  ])('%j is none', (text) => {
    expect(parseIsoMs(text)).toBeUndefined();
  });

  test('what a machine writes reads back, in every zone', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true }),
        fc.integer({ min: -14 * 60, max: 14 * 60 }),
        (date, offsetMin) => {
          const local = new Date(date.getTime() + offsetMin * 60_000).toISOString().slice(0, -1);
          fc.pre(/^\d{4}-/.test(local));
          const two = (value: number): string => String(value).padStart(2, '0');
          const zone = `${offsetMin < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offsetMin) / 60))}:${two(Math.abs(offsetMin) % 60)}`;
          expect(parseIsoMs(local + zone)).toBe(date.getTime());
        },
      ),
    );
  });
});

import { describe, expect, test } from 'vitest';
import { UNITS } from '../../../dashboards/shared/supported.ts';
import { formatText, fromNow } from '../../../dashboards/viewer/page/units.ts';

/** Written by hand after Grafana's formatting: three significant digits, whole numbers without decimals. */
const CASES: readonly (readonly [unit: string, value: number, text: string])[] = [
  ['none', 0, '0'],
  ['none', 12.3456, '12.3'],
  ['none', 0.012345, '0.0123'],
  ['none', -3.14159, '-3.14'],
  ['short', 999, '999'],
  ['short', 1234, '1.23 K'],
  ['short', 26_708, '26.7 K'],
  ['short', 5_000_000, '5 Mil'],
  ['locale', 1234567, '1,234,567'],
  ['ms', 0, '0 ms'],
  ['ms', 0.05, '0.0500 ms'],
  ['ms', 251.2, '251 ms'],
  ['ms', 1, '1 ms'],
  ['ms', 1400, '1.40 s'],
  ['ms', 1000, '1 s'],
  ['ms', 90_000, '1.50 min'],
  ['ms', 5_400_000, '1.50 h'],
  ['ms', 172_800_000, '2 d'],
  ['s', 0.2512, '251 ms'],
  ['s', 0, '0 s'],
  ['s', 0.0000021, '2.10 µs'],
  ['s', 0.000000005, '5 ns'],
  ['s', 300, '5 min'],
  ['ns', 1_500_000, '1.50 ms'],
  ['ns', 12, '12 ns'],
  ['percent', 3.41, '3.41%'],
  ['percentunit', 0.0341, '3.41%'],
  ['percentunit', 1, '100%'],
  ['percentunit', 0, '0%'],
  ['reqps', 1234.5, '1.23K req/s'],
  ['reqps', 7.4086, '7.41 req/s'],
  ['reqps', 0, '0 req/s'],
  ['ops', 2_000_000, '2M ops/s'],
  ['bytes', 123_456, '121 KiB'],
  ['bytes', 512, '512 B'],
  ['bytes', 1_073_741_824, '1 GiB'],
  ['decbytes', 1_500, '1.50 kB'],
  ['Bps', 1_500_000, '1.50 MB/s'],
  ['nobody-knows', 1.5, '1.50'],
];

describe('units', () => {
  test.each(CASES)('%s %d is %s', (unit, value, text) => {
    expect(formatText(unit, value)).toBe(text);
  });

  test('every supported unit has a case, or a clock', () => {
    const covered = new Set(CASES.map(([unit]) => unit));
    const rest = UNITS.filter((unit) => !covered.has(unit));
    expect(rest).toEqual(['string', 'dateTimeFromNow', 'dateTimeAsIso']);
    expect(UNITS.length).toBeLessThanOrEqual(20);
  });

  test('fixed decimals win', () => {
    expect(formatText('ms', 251.26, 1)).toBe('251.3 ms');
  });

  test('distances in time', () => {
    expect(fromNow(-12_400)).toBe('12 s ago');
    expect(fromNow(0)).toBe('0 s ago');
    expect(fromNow(-3_599_000)).toBe('59 min ago');
    expect(fromNow(-90_000_000)).toBe('1 d ago');
    expect(fromNow(180_000)).toBe('in 3 min');
  });

  test('times of day are the browser’s', () => {
    const at = new Date(2026, 0, 2, 3, 4, 5).getTime();
    expect(formatText('dateTimeAsIso', at)).toBe('2026-01-02 03:04:05');
  });
});

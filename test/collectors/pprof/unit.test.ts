import { expect, test } from 'vitest';
import { measureOf } from '../../../collectors/pprof/unit.ts';

test.each<[string, number | string, string, number | string]>([
  ['nanoseconds', 7, 'nanoseconds', 7],
  ['microseconds', 7, 'nanoseconds', 7_000],
  ['milliseconds', -7, 'nanoseconds', -7_000_000],
  ['seconds', 7, 'nanoseconds', 7_000_000_000],
  ['bytes', 7, 'bytes', 7],
  ['constructor', 7, 'constructor', 7],
  ['microseconds', '9007199254740993', 'nanoseconds', '9007199254740993000'],
  ['seconds', '9223372036854775807', 'nanoseconds', '9223372036854775807'],
])('%s %s is %s %s', (unit, value, stored, converted) => {
  const measure = measureOf(unit);
  expect([measure.unit, measure.convert(value)]).toEqual([stored, converted]);
});

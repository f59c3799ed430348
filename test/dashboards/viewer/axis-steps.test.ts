import { expect, test } from 'vitest';
import { axisSteps } from '../../../dashboards/viewer/page/units.ts';

test.each(['s', 'ms', 'ns', 'bytes'])('steps of %s rise, without repeating', (unit) => {
  const steps = axisSteps(unit) ?? [];
  expect(steps.length).toBeGreaterThan(30);
  expect(steps.every((step, index) => step > (steps[index - 1] ?? 0))).toBe(true);
});

test('minutes and mebibytes are round; other units keep powers of ten', () => {
  expect(axisSteps('s')).toEqual(expect.arrayContaining([0.00025, 0.5, 30, 300, 3600, 86_400]));
  expect(axisSteps('ms')).toEqual(expect.arrayContaining([500, 60_000]));
  expect(axisSteps('bytes')).toEqual(expect.arrayContaining([1, 1024, 64 * 1024 * 1024]));
  expect(axisSteps('reqps')).toBeUndefined();
  expect(axisSteps(undefined)).toBeUndefined();
});

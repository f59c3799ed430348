import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assetPath } from '../../../core/paths.ts';

const css = readFileSync(assetPath('dashboards/viewer/page.css'), 'utf8');
const colors = new Map(
  [...css.matchAll(/(--[\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map((match) => [
    match[1] ?? '',
    [match[2] ?? '', match[3] ?? ''],
  ]),
);

/** Relative luminance of WCAG 2. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

describe.each([
  ['light', 0],
  ['dark', 1],
] as const)('%s', (_theme, index) => {
  const color = (name: string) => colors.get(name)?.[index] ?? '';
  const names = [...colors.keys()];
  const texts = names.filter(
    (name) => name === '--text' || name === '--muted' || name === '--accent' || name.startsWith('--c-'),
  );

  test.each(texts)('%s is readable (AA, 4.5) on every surface', (name) => {
    for (const surface of ['--surface', '--bg', '--raised', '--accent-soft']) {
      expect(contrast(color(name), color(surface)), surface).toBeGreaterThanOrEqual(4.5);
    }
  });

  test.each(names.filter((name) => /^--s\d$/.test(name)))('%s, a line, stands out (3) from its panel', (name) => {
    expect(contrast(color(name), color('--surface'))).toBeGreaterThanOrEqual(3);
  });
});

test('all colours were read', () => {
  expect(colors.size).toBeGreaterThan(25);
});

import { expect, test } from 'vitest';
import { processEnvironment, readTextFile } from '../../../app/config/environment.ts';
import { PACKAGE_ROOT } from '../../../core/paths.ts';
import { ROOMS, sourceFiles } from '../../support/source-tree.ts';

test('the environment is read in one place', () => {
  const readers = sourceFiles(ROOMS)
    .filter(({ text }) => text.includes('process.env') || /\benv\b[^;\n]*from 'node:process'/.test(text))
    .map(({ path }) => path);
  expect(readers).toEqual(['app/config/environment.ts']);
  expect(processEnvironment()['PATH']).toBe(process.env['PATH']);
});

test('a file that is not there is undefined, one that cannot be read throws', () => {
  expect(readTextFile(`${PACKAGE_ROOT}no-such-file`)).toBe(undefined);
  expect(readTextFile(`${PACKAGE_ROOT}package.json`)).toContain('"heliograph"');
  expect(() => readTextFile(PACKAGE_ROOT)).toThrow(/EISDIR/);
});

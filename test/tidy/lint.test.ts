import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { PACKAGE_ROOT } from '../../core/paths.ts';

/** The tools that judge the sources; each must have nothing to say. */
const TOOLS: Record<string, string[]> = {
  tsc: ['--noEmit'],
  oxlint: ['--type-aware', '--deny-warnings', '.'],
  biome: ['format', '.'],
};

test.each(Object.entries(TOOLS))('%s has nothing to say', (tool, args) => {
  const { status, stdout, stderr } = spawnSync(`${PACKAGE_ROOT}node_modules/.bin/${tool}`, args, {
    cwd: PACKAGE_ROOT,
    encoding: 'utf8',
  });
  expect(status === 0 ? '' : stdout + stderr).toBe('');
});

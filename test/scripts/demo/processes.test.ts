import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PACKAGE_ROOT } from '../../../core/paths.ts';
import { eventually } from '../../support/heliograph-process.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-demo-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Starts two processes, ends one of them, says both ids and waits. */
const DEMO = `
const { createProcesses } = await import(process.argv[1]);
const processes = createProcesses();
const options = { cwd: process.argv[2], env: process.env, logPath: process.argv[2] + '/log' };
const one = processes.start('one', process.execPath, ['-e', 'setInterval(() => {}, 1000)'], options);
const two = processes.start('two', process.execPath, ['-e', 'setInterval(() => {}, 1000)'], options);
await two.stop();
process.stdout.write(one.pid + ' ' + two.pid + '\\n');
setInterval(() => {}, 1000);`;

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('what a demo started ends with it, even when it is killed', async () => {
  const module = pathToFileURL(join(PACKAGE_ROOT, 'scripts/lib/demo/processes.mjs')).href;
  const demo = spawn(process.execPath, ['--input-type=module', '-e', DEMO, module, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  demo.stdout.on('data', (chunk) => (said += String(chunk)));
  await eventually(async () => said.endsWith('\n') || undefined);
  const [one = 0, two = 0] = said.trim().split(' ').map(Number);
  expect([lives(one), lives(two)]).toEqual([true, false]);
  demo.kill('SIGKILL');
  await eventually(async () => !lives(one) || undefined);
});

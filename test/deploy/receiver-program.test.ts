import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assetPath } from '../../core/paths.ts';
import { signatureOf } from '../../scripts/lib/demo/signature.mjs';
import { eventually } from '../support/heliograph-process.ts';
import { compose } from './support.ts';

let folder: string;
let child: ChildProcess | undefined;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'heliograph-receiver-'))));
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

test('the receiver of compose prints what is signed and ends on SIGTERM', async () => {
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, 'the secret\n');
  const [, script = '', ...args] = compose.services['receiver']?.command ?? [];
  const here = args.map(
    (arg) => ({ '0.0.0.0': '127.0.0.1', '9095': '0', '/run/secrets/webhook_secret': secretFile })[arg] ?? arg,
  );
  const running = spawn(process.execPath, [assetPath(script), ...here], { stdio: ['ignore', 'pipe', 'inherit'] });
  child = running;
  let out = '';
  running.stdout.on('data', (chunk) => (out += String(chunk)));
  const url = await eventually(async () => /receives at (\S+)/.exec(out)?.[1]);

  const alert = { status: 'firing', labels: { alertname: 'GoroutineLeak' }, annotations: { summary: 'they pile up' } };
  const body = JSON.stringify({ version: '4', alerts: [alert] });
  const deliver = (signature: string) =>
    fetch(url, { method: 'POST', body, headers: { 'x-heliograph-signature-256': signature } });
  expect((await deliver(signatureOf('the secret', body))).status).toBe(200);
  expect((await deliver(signatureOf('another', body))).status).toBe(401);
  await eventually(async () => (out.includes('REFUSED') ? true : undefined));
  expect(out).toMatch(/ {2}FIRING {2}GoroutineLeak\n {12}they pile up\n/);

  const ended = new Promise((resolve) => running.once('exit', resolve));
  running.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test('without a secret it does not start', () => {
  const start = (...args: string[]) =>
    spawnSync(process.execPath, [assetPath('scripts/webhook-receiver.mjs'), ...args], { encoding: 'utf8' });
  expect(start()).toMatchObject({ status: 2 });
  expect(start('--secret-file', join(folder, 'none')).stderr).toContain('ENOENT');
  writeFileSync(join(folder, 'empty'), '\n');
  expect(start('--secret-file', join(folder, 'empty')).stderr).toContain('is empty');
  expect(start('--colour', 'red').stderr).toContain('usage:');
});

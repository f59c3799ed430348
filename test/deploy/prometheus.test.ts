import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { freePort } from '../../scripts/lib/demo/ports.mjs';
import { eventually, type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';
import { peerTest } from '../support/peers.ts';
import { read } from './support.ts';

const TOKEN = 'scrape-token';
let folder: string;
let heliograph: HeliographProcess;
let prometheus: ChildProcess | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'heliograph-prometheus-'));
  heliograph = await spawnHeliograph(join(folder, 'data'), { HELIOGRAPH_TOKEN: TOKEN });
});
afterAll(async () => {
  prometheus?.kill('SIGTERM');
  heliograph.child.kill('SIGTERM');
  await heliograph.exited;
  rmSync(folder, { recursive: true, force: true });
});

/** deploy/prometheus.yml as it is, but for where the secret lies, where Heliograph listens, and how often it is asked. */
function localConfig(): string {
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, TOKEN);
  const text = read('deploy/prometheus.yml')
    .replace('/run/secrets/heliograph_token', tokenFile)
    .replace('heliograph:7070', new URL(heliograph.pageUrl).host)
    .replaceAll('15s', '1s');
  const path = join(folder, 'prometheus.yml');
  writeFileSync(path, text);
  return path;
}

peerTest('promtool', 'the configuration of Prometheus pleases promtool', async () => {
  const { status, stderr } = spawnSync('promtool', ['check', 'config', localConfig()], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

peerTest('prometheus', 'a Prometheus with this configuration scrapes a Heliograph that has a token', async () => {
  const listen = `127.0.0.1:${await freePort(0)}`;
  const args = [`--config.file=${localConfig()}`, `--storage.tsdb.path=${join(folder, 'tsdb')}`];
  prometheus = spawn('prometheus', [...args, `--web.listen-address=${listen}`], { stdio: 'ignore' });
  const target = await eventually(async () => {
    const response = await fetch(`http://${listen}/api/v1/targets`);
    const { data } = (await response.json()) as {
      data: { activeTargets: { health: string; lastError: string; labels: Record<string, string> }[] };
    };
    return data.activeTargets.find(({ health }) => health !== 'unknown');
  });
  expect(target).toMatchObject({ health: 'up', lastError: '', labels: { job: 'heliograph' } });
});

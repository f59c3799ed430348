import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../../app/config/load.ts';
import { assetPath } from '../../../core/paths.ts';
import { heliographYaml } from '../../../scripts/lib/demo/config.mjs';
import { Interrupted, runDemo } from '../../../scripts/lib/demo/demo.mjs';
import { freePort, isFree } from '../../../scripts/lib/demo/ports.mjs';
import { createProcesses } from '../../../scripts/lib/demo/processes.mjs';
import { createSay } from '../../../scripts/lib/demo/say.mjs';
import { folders, prepareFolder } from '../../../scripts/lib/demo/scene.mjs';
import { peerTest } from '../../support/peers.ts';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'heliograph-demo-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const yaml = heliographYaml({
  port: 0,
  otlpPort: 0,
  receiverUrl: 'http://127.0.0.1:9095/alerts',
  targets: [{ name: 'checkout-1', service: 'checkout', url: 'http://127.0.0.1:6061' }],
});

test('the configuration watches what the demo starts', () => {
  expect(parse(yaml)).toMatchObject({
    port: 0,
    otlp: { httpPort: 0 },
    dataDir: './data',
    git: { repositories: [{ name: 'go-shop', path: './repo' }] },
    hooks: { github: { secretFile: './github.secret' } },
    alerts: { receivers: [{ url: 'http://127.0.0.1:9095/alerts', secretFile: './webhook.secret' }] },
  });
  const readFile = (path: string): string | undefined => (path.endsWith('heliograph.yaml') ? yaml : undefined);
  const { config } = loadConfig({ flags: {}, env: {}, cwd: root, readFile });
  expect(config.dataDir).toBe(folders(root).instance.replace('/instance.json', ''));
  expect(config.hooks.github.secretFile).toBe(folders(root).githubSecret);
  expect(config.targets).toEqual([
    {
      name: 'checkout-1',
      service: 'checkout',
      url: 'http://127.0.0.1:6061',
      every: 5000,
      cpuEvery: 60_000,
      cpuDuration: 5000,
    },
  ]);
});

test('a port that is taken gives way to a free one', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const address = holder.address();
  const taken = typeof address === 'object' && address !== null ? address.port : 0;
  expect(await isFree(taken)).toBe(false);
  expect(await freePort(taken)).not.toBe(taken);
  await new Promise((resolve) => holder.close(resolve));
  expect(await freePort(taken)).toBe(taken);
});

test('a folder begins empty, with secrets that nobody else may read', () => {
  const at = folders(join(root, 'demo'));
  const first = prepareFolder(at);
  expect(readFileSync(at.webhookSecret, 'utf8')).toBe(first.webhook);
  expect(readFileSync(join(at.root, '.gitignore'), 'utf8')).toBe('*\n');
  expect(spawnSync('ls', ['-l', at.webhookSecret], { encoding: 'utf8' }).stdout).toMatch(/^-rw-------/);
  expect(prepareFolder(at)).not.toEqual(first);
});

const node = (script: string) => ['-e', script] as const;
const start = (processes: ReturnType<typeof createProcesses>, name: string, script: string) =>
  processes.start(name, process.execPath, node(script), { cwd: root, env: {}, logPath: join(root, `${name}.log`) });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('what was started is stopped, and stopping is no failure', async () => {
  const processes = createProcesses();
  const pids = ['one', 'two'].map((name) => start(processes, name, 'setTimeout(() => {}, 60_000)').pid);
  expect(pids.map(isAlive)).toEqual([true, true]);
  await processes.stopAll();
  await processes.stopAll();
  expect(pids.map(isAlive)).toEqual([false, false]);
  expect(await Promise.race([processes.failed, Promise.resolve('none failed')])).toBe('none failed');
});

test('a process that ends by itself is a failure that names its log', async () => {
  const processes = createProcesses();
  start(processes, 'weak', 'console.error("no more"); process.exitCode = 3');
  await expect(processes.failed).rejects.toThrow(
    `weak ended by itself (exit code 3); its last words are in ${join(root, 'weak.log')}`,
  );
  expect(readFileSync(join(root, 'weak.log'), 'utf8')).toContain('no more');
  const missing = createProcesses();
  missing.start('none', join(root, 'no-such-program'), [], { cwd: root, env: {}, logPath: join(root, 'none.log') });
  await expect(missing.failed).rejects.toThrow('ENOENT');
  await missing.stopAll();
});

test('without Go the demo says so and ends', () => {
  const { status, stderr } = spawnSync(process.execPath, [assetPath('scripts/demo.mjs')], {
    env: { PATH: root },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('Go is not on PATH');
});

/** What the demo says, and an end to it at the first line that matches. */
async function demoUntil(matches: RegExp, configText: () => string): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const stop = new AbortController();
  const say = createSay(
    (line) => {
      lines.push(line);
      if (matches.test(line)) stop.abort(new Interrupted());
    },
    () => new Date(),
  );
  return { code: await runDemo({ exitWhenDone: true, stop, say, root, configText }), lines };
}

const leftOver = (): string[] =>
  spawnSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line.includes(root));

peerTest('go', 'the demo sets its scene, and an interruption leaves nothing behind', async () => {
  const { code, lines } = await demoUntil(/Waiting/, () => 'port: 0\notlp: { httpPort: 0 }\ndataDir: ./data\n');
  expect(code).toBe(130);
  const text = lines.join('\n');
  for (const said of ['Repository', 'Heliograph', 'CI', 'Deploys', 'Shop', 'Traffic', 'Waiting', 'Stopped'])
    expect(text).toContain(`  ${said.padEnd(10)}  `);
  expect(existsSync(join(root, 'data', 'instance.json'))).toBe(false);
  expect(leftOver()).toEqual([]);
});

peerTest('go', 'a Heliograph that does not start is told with its log, and nothing is left', async () => {
  const { code, lines } = await demoUntil(/never/, () => 'port: a lot\n');
  expect(code).toBe(1);
  expect(lines.join('\n')).toMatch(/FAILED {6}Heliograph ended by itself \(exit code \d+\); .*heliograph\.log/);
  expect(leftOver()).toEqual([]);
});

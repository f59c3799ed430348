import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../../app/config/load.ts';
import { assetPath } from '../../../core/paths.ts';
import { heliographYaml } from '../../../scripts/lib/demo/config.mjs';
import { Interrupted, runDemo } from '../../../scripts/lib/demo/demo.mjs';
import { freePort, isFree } from '../../../scripts/lib/demo/ports.mjs';
import { createProcesses } from '../../../scripts/lib/demo/processes.mjs';
import { createSay } from '../../../scripts/lib/demo/say.mjs';
import { folders, prepareFolder } from '../../../scripts/lib/demo/scene.mjs';
import { signatureOf } from '../../../scripts/lib/demo/signature.mjs';
import { PACE } from '../../../scripts/lib/demo/story.mjs';
import { BUILD_LIMIT_MS, buildGoShop } from '../../support/go-shop.ts';
import { onPath, peerTest } from '../../support/peers.ts';

let root: string;
// The demo compiles go-shop; it shall find the packages in Go's cache.
beforeAll(() => void (onPath('go') && buildGoShop('/dev/null')), BUILD_LIMIT_MS);
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
    otlp: { httpPort: 0, grpcPort: 0 },
    dataDir: './data',
    git: { repositories: [{ name: 'example/go-shop', path: './repo' }] },
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

/** Heliograph with nothing but its doors: what it does not do itself, the test does. */
const PLAIN = 'port: 0\notlp: { httpPort: 0, grpcPort: 0 }\ndataDir: ./data\n';
/** No time to lose. */
const QUICK = {
  quietUntil: (nowMs: number) => nowMs + 300,
  reportMs: 100,
  latencyLimitMs: 30_000,
  goroutinesLimitMs: 30_000,
};

interface Told {
  code: number;
  lines: string[];
}

/** Runs the demo to its end; `hear` is told each line, with the receiver's address and the way to interrupt. */
async function tell(
  hear: (line: string, receiverUrl: string, interrupt: () => void) => void,
  pace: Parameters<typeof runDemo>[0]['pace'] = QUICK,
  config = PLAIN,
  exitWhenDone = true,
): Promise<Told> {
  const lines: string[] = [];
  const stop = new AbortController();
  let receiver = '';
  const say = createSay(
    (line) => {
      lines.push(line);
      hear(line, receiver, () => stop.abort(new Interrupted()));
    },
    () => new Date(),
  );
  const configText: typeof heliographYaml = ({ receiverUrl }) => {
    receiver = receiverUrl;
    return config;
  };
  return { code: await runDemo({ exitWhenDone, stop, say, root, configText, pace }), lines };
}

const LEAK = 'internal/checkout.(*scoring).score.func1';

/** An alert as Heliograph sends it, signed with the demo's secret or with another. */
async function sendAlert(url: string, alertname: string, secret?: string, place = LEAK): Promise<void> {
  const annotations = { summary: 'look here', function: place };
  const alert = { status: 'firing', labels: { alertname, service: 'checkout', route: '/orders' }, annotations };
  const body = JSON.stringify({ version: '4', alerts: [alert] });
  const key = secret ?? readFileSync(join(root, 'webhook.secret'), 'utf8');
  await fetch(url, { method: 'POST', body, headers: { 'x-heliograph-signature-256': signatureOf(key, body) } });
}

const leftOver = (): string[] =>
  spawnSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line.includes(root));

test('the quiet lasts three whole minutes', () => {
  const minutes = (ms: number) => ms / 60_000;
  for (const nowMs of [0, 1, 59_999, 60_000]) {
    const quiet = PACE.quietUntil(nowMs) - nowMs;
    expect(minutes(quiet)).toBeGreaterThan(3);
    expect(minutes(quiet)).toBeLessThan(4.1);
  }
});

peerTest('go', 'the story from traffic to both alerts ends well, and leaves nothing behind', async () => {
  const { code, lines } = await tell((line, url) => {
    if (line.includes('“')) setTimeout(() => void sendAlert(url, 'LatencyIncrease'), 300);
    if (!line.includes('LEAK  ')) return;
    setTimeout(() => void sendAlert(url, 'GoroutineLeak', undefined, 'net.(*netFD).Read'), 100);
    setTimeout(() => void sendAlert(url, 'GoroutineLeak'), 600);
  });
  const text = lines.join('\n');
  expect(code, text).toBe(0);
  const said = ['Repository', 'Heliograph', 'CI', 'Deploys', 'Shop', 'Traffic', 'Waiting', 'DEPLOY', 'WEBHOOK', 'LEAK'];
  for (const word of [...said, 'Noticed', 'Goroutines', 'Done', 'Stopped'])
    expect(text).toContain(`  ${word.padEnd(10)}  `);
  expect(text).toContain('FIRING  GoroutineLeak\n            look here');
  expect(text.slice(0, text.indexOf(' after the leak began'))).toContain(LEAK); // the other was not taken for it
  expect(existsSync(join(root, 'data', 'instance.json'))).toBe(false);
  expect(leftOver()).toEqual([]);
});

peerTest('go', 'no alert in time, or none that is signed, is a failure with its reason', async () => {
  const hurry = { ...QUICK, latencyLimitMs: 1500, goroutinesLimitMs: 500 };
  const { code, lines } = await tell((line, url) => {
    if (line.includes('“')) setTimeout(() => void sendAlert(url, 'LatencyIncrease', 'a guess'), 100);
  }, hurry);
  expect(code).toBe(1);
  const failed = lines.find((line) => line.includes('FAILED')) ?? '';
  expect(failed).toContain('no latency alert about checkout arrived within 2 s; turned away: 1, the first with 401');
  expect(failed).toContain('no goroutine alert about checkout arrived within 1 s');
  expect(leftOver()).toEqual([]);
});

peerTest('go', 'it stays up until it is interrupted, which changes nothing of how the story ended', async () => {
  const hurry = { ...QUICK, latencyLimitMs: 1, goroutinesLimitMs: 1 };
  const { code, lines } = await tell(
    (line, _, interrupt) => {
      if (line.includes('Ctrl-C')) interrupt();
    },
    hurry,
    PLAIN,
    false,
  );
  expect(code).toBe(1);
  expect(lines.join('\n')).toMatch(/http:\/\/127\.0\.0\.1:\d+\/d\/heliograph-service-latency/);
  expect(leftOver()).toEqual([]);
});

peerTest('go', 'an interruption at any time leaves nothing behind', async () => {
  const { code } = await tell((line, _, interrupt) => {
    if (line.includes('Waiting')) interrupt();
  });
  expect(code).toBe(130);
  expect(leftOver()).toEqual([]);
});

peerTest('go', 'a Heliograph that does not start is told with its log, and nothing is left', async () => {
  const { code, lines } = await tell(() => {}, QUICK, 'port: a lot\n');
  expect(code).toBe(1);
  expect(lines.join('\n')).toMatch(/FAILED {6}Heliograph ended by itself \(exit code \d+\); .*heliograph\.log/);
  expect(leftOver()).toEqual([]);
});

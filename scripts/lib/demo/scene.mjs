// @ts-check
/** Everything that has to run before the story begins: the shop, its repository, a receiver, and Heliograph watching them. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../prepare.mjs';
import { freePort, isFree } from './ports.mjs';

/** @typedef {import('./processes.mjs').Processes} Processes */
/** @typedef {import('./processes.mjs').Running} Running */

/** Where a service of the shop listens. @typedef {{listen: number, admin: number}} Ports */
/** @typedef {'storefront' | 'checkout' | 'inventory'} Service */
/** @typedef {Record<Service, Ports>} ShopPorts */

/** The files of one demo. @typedef {ReturnType<typeof folders>} Folders */

const READY_LIMIT_MS = 90_000;
const ANSWER_LIMIT_MS = 15_000;
const POLL_MS = 100;
const HELIOGRAPH_PORT = 7070;
const OTLP_PORT = 4318;

/** @param {string} root */
export function folders(root) {
  const at = (/** @type {string} */ name) => join(root, name);
  return {
    root,
    binary: at('go-shop'),
    repository: at('repo'),
    logs: at('logs'),
    config: at('heliograph.yaml'),
    instance: at('data/instance.json'),
    githubSecret: at('github.secret'),
    webhookSecret: at('webhook.secret'),
  };
}

/**
 * An empty folder with secrets of its own. Throws where a demo still runs in it.
 * @param {Folders} at
 */
export function prepareFolder(at) {
  const pid = existsSync(at.instance) ? JSON.parse(readFileSync(at.instance, 'utf8')).pid : undefined;
  if (pid !== undefined && isAlive(pid)) throw new Error(`a demo runs already: its Heliograph has the pid ${pid}`);
  rmSync(at.root, { recursive: true, force: true });
  mkdirSync(at.logs, { recursive: true });
  writeFileSync(join(at.root, '.gitignore'), '*\n');
  const secrets = { github: randomBytes(24).toString('hex'), webhook: randomBytes(24).toString('hex') };
  writeFileSync(at.githubSecret, secrets.github, { mode: 0o600 });
  writeFileSync(at.webhookSecret, secrets.webhook, { mode: 0o600 });
  return secrets;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Compiles go-shop. Throws the compiler's first words.
 * @param {Folders} at
 */
export function buildShop({ binary }) {
  const cwd = join(ROOT, 'examples', 'go-shop');
  const { status, stderr } = spawnSync('go', ['build', '-trimpath', '-o', binary, '.'], { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`go build failed: ${stderr.trim().split('\n').slice(0, 5).join('\n')}`);
}

/** Whether Go is on PATH. */
export function hasGo() {
  return spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;
}

/** @returns {Promise<ShopPorts>} */
export async function shopPorts() {
  const pair = async (/** @type {number} */ listen, /** @type {number} */ admin) => ({
    listen: await freePort(listen),
    admin: await freePort(admin),
  });
  return { storefront: await pair(8080, 6060), checkout: await pair(8081, 6061), inventory: await pair(8082, 6062) };
}

/** The ports that Heliograph is told to take: the usual ones, or 0 for a free one where they are taken. */
export async function heliographPorts() {
  return {
    port: (await isFree(HELIOGRAPH_PORT)) ? HELIOGRAPH_PORT : 0,
    otlpPort: (await isFree(OTLP_PORT)) ? OTLP_PORT : 0,
  };
}

/**
 * Starts Heliograph on the written configuration and waits until it is ready.
 * @param {Processes} processes
 * @param {Folders} at
 * @param {AbortSignal} signal
 * @returns {Promise<{pageUrl: string, otlpUrl: string}>}
 */
export async function startHeliograph(processes, at, signal) {
  // Settings of the person's own shell would change the story.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HELIOGRAPH_')));
  const main = join(ROOT, 'dist', 'app', 'main.js');
  const logPath = join(at.logs, 'heliograph.log');
  processes.start('Heliograph', process.execPath, [main, 'serve'], { cwd: at.root, env, logPath });
  return until(
    READY_LIMIT_MS,
    signal,
    `Heliograph was not ready in time; its last words are in ${logPath}`,
    async () => {
      if (!existsSync(at.instance)) return undefined;
      const { pageUrl, otlpUrl } = JSON.parse(readFileSync(at.instance, 'utf8'));
      return (await fetch(`${pageUrl}/readyz`)).ok ? { pageUrl, otlpUrl } : undefined;
    },
  );
}

/**
 * Starts one service in a version and waits until it answers.
 * @param {Processes} processes
 * @param {Folders} at
 * @param {{service: Service, ports: ShopPorts, otlpUrl: string, version: string, sha: string, signal: AbortSignal}} given
 * @returns {Promise<Running>}
 */
export async function startService(processes, at, { service, ports, otlpUrl, version, sha, signal }) {
  const { listen, admin } = ports[service];
  const others = {
    inventory: [],
    checkout: ['-inventory', loopback(ports.inventory.listen)],
    storefront: ['-inventory', loopback(ports.inventory.listen), '-checkout', loopback(ports.checkout.listen)],
  };
  const addresses = ['-listen', `127.0.0.1:${listen}`, '-admin', `127.0.0.1:${admin}`];
  const running = processes.start(service, at.binary, [service, ...addresses, ...others[service]], {
    cwd: at.root,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
      SERVICE_VERSION: version,
      SERVICE_REVISION: sha,
      DEPLOYMENT_ENVIRONMENT: 'production',
    },
    logPath: join(at.logs, `${service}.log`),
  });
  const reason = `${service} did not answer in time; its last words are in ${running.logPath}`;
  await until(ANSWER_LIMIT_MS, signal, reason, async () =>
    (await fetch(`${loopback(admin)}/healthz`)).ok ? true : undefined,
  );
  return running;
}

/**
 * Starts the traffic.
 * @param {Processes} processes
 * @param {Folders} at
 * @param {ShopPorts} ports
 */
export function startLoad(processes, at, ports) {
  const args = ['load', '-target', loopback(ports.storefront.listen), '-rate', '60'];
  processes.start('load', at.binary, args, { cwd: at.root, env: {}, logPath: join(at.logs, 'load.log') });
}

/** @param {number} port */
export function loopback(port) {
  return `http://127.0.0.1:${port}`;
}

/**
 * Asks until there is an answer. Throws `reason` when the limit passes first.
 * @template T
 * @param {number} limitMs
 * @param {AbortSignal} signal
 * @param {string} reason
 * @param {() => Promise<T | undefined>} probe an error counts as no answer
 * @returns {Promise<T>}
 */
async function until(limitMs, signal, reason, probe) {
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += POLL_MS) {
    signal.throwIfAborted();
    const answer = await probe().catch(() => undefined);
    if (answer !== undefined) return answer;
    await sleep(POLL_MS);
  }
  throw new Error(reason);
}

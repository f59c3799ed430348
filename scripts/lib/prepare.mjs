// Brings a clone to the point where it can run: packages installed, sources compiled. Node built-ins only.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const SOURCES = [
  'core',
  'collectors',
  'ingest',
  'store',
  'analyzers',
  'dashboards',
  'alerts',
  'app',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** Says no early, in words, where a later failure would be a riddle. */
export function requirePlatform() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Node ${process.versions.node} is too old: Heliograph needs 20.19 or newer.`);
  if (process.platform === 'win32') fail('The embedded engine has no Windows build: run Heliograph under WSL2.');
  if (process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined) {
    fail('The embedded engine needs glibc (Alpine and other musl systems have none): use a Debian-based image.');
  }
}

/** Installs what package-lock.json names, unless that is already there. `dev` adds the test tools. */
export function ensureInstalled({ dev }) {
  if (isInstalled(dev)) return;
  say(`Installing packages${dev ? ', with the test tools' : ''} (the engine is about 550 MB; once) …`);
  const startedMs = Date.now();
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...(dev ? [] : ['--omit=dev'])];
  run('npm', args, 'npm ci failed: see the lines above');
  say(`Installed in ${seconds(startedMs)} s.`);
}

/** Compiles to dist/ when a source is newer than the last build. */
export function ensureBuilt() {
  const stamp = join(ROOT, 'dist', '.built');
  const builtMs = existsSync(stamp) ? statSync(stamp).mtimeMs : 0;
  if (builtMs > 0 && SOURCES.every((source) => newestMs(join(ROOT, source)) < builtMs)) return;
  const startedMs = Date.now();
  run(process.execPath, [join(ROOT, 'scripts', 'build.mjs')], 'the build failed: see the lines above');
  say(`Compiled in ${seconds(startedMs)} s.`);
}

export function say(line) {
  process.stderr.write(`${line}\n`);
}

function isInstalled(dev) {
  const record = join(ROOT, 'node_modules', '.package-lock.json');
  const sentinel = join(ROOT, 'node_modules', dev ? 'vitest' : 'fastify');
  return (
    existsSync(record) &&
    existsSync(sentinel) &&
    statSync(record).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs
  );
}

function newestMs(path) {
  if (!existsSync(path)) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return path.endsWith('.ts') || path.endsWith('.json') ? stats.mtimeMs : 0;
  return Math.max(0, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

function run(command, args, reason) {
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail(reason);
}

function seconds(startedMs) {
  return ((Date.now() - startedMs) / 1000).toFixed(1);
}

function fail(reason) {
  say(`heliograph: ${reason}`);
  process.exit(1);
}

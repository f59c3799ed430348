import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assetPath, PACKAGE_ROOT } from '../../core/paths.ts';
import { freePort } from '../../scripts/lib/demo/ports.mjs';
import { type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';
import { compose, dockerfile, dockerIgnored, read } from './support.ts';

const steps = dockerfile();
const json = (name: string): string[] => {
  const rest = steps.find((step) => step.name === name)?.rest ?? '[]';
  return JSON.parse(rest.slice(rest.indexOf('['))) as string[];
};

let folder: string;
let heliograph: HeliographProcess;

/** The packages that `npm ci --omit=dev` installs, each a link to what is installed here. */
function linkPackages(target: string): void {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { dev?: boolean }> };
  for (const [path, { dev = false }] of Object.entries(packages)) {
    if (dev || !/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) || !existsSync(assetPath(path))) continue;
    mkdirSync(dirname(join(target, path)), { recursive: true });
    symlinkSync(assetPath(path), join(target, path));
  }
}

/** The steps of the Dockerfile, as far as they can be taken here: the context without what .dockerignore names, packages, build. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'heliograph-image-'));
  const app = join(folder, 'app');
  for (const name of readdirSync(PACKAGE_ROOT).filter((each) => !dockerIgnored.includes(each)))
    cpSync(assetPath(name), join(app, name), { recursive: true });
  linkPackages(app);
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const [, ...build] = scripts['build']?.split(' ') ?? [];
  const built = spawnSync(process.execPath, build, { cwd: app, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stdout + built.stderr);
  const [, main = ''] = json('ENTRYPOINT');
  heliograph = await spawnHeliograph(join(folder, 'data'), {}, true, join(app, main));
});
afterAll(async () => {
  heliograph.child.kill('SIGTERM');
  await heliograph.exited;
  rmSync(folder, { recursive: true, force: true });
});

test('what is copied exists, what is run are npm scripts that exist', () => {
  const copied = steps
    .filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'))
    .flatMap(({ rest }) => {
      const sources = rest.split(' ');
      return sources.slice(0, -1);
    });
  expect(copied.length).toBeGreaterThan(2);
  expect(copied.filter((path) => !existsSync(assetPath(path)))).toEqual([]);
  expect(dockerIgnored.filter((path) => copied.includes(path))).toEqual([]);

  const { scripts, dependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const npm = steps.filter(({ name, rest }) => name === 'RUN' && rest.startsWith('npm ')).map(({ rest }) => rest);
  expect(npm.map((command) => command.split(' ').slice(1, 3))).toEqual([
    ['ci', '--omit=dev'],
    ['run', 'build'],
  ]);
  expect(scripts).toHaveProperty('build');
  expect(dependencies).toHaveProperty('typescript'); // the build needs it, and developers' packages are left out
});

test('it runs as nobody special, in a folder of its own', () => {
  const after = steps.slice(steps.findLastIndex(({ name }) => name === 'FROM'));
  expect(after.find(({ name }) => name === 'USER')?.rest).toBe('node');
  const volume = after.find(({ name }) => name === 'VOLUME')?.rest ?? 'none';
  expect(after.some(({ name, rest }) => name === 'RUN' && rest.includes(`-o node -g node ${volume}`))).toBe(true);
  expect(compose.services['heliograph']?.volumes).toContain(`heliograph:${volume}`);
});

test('what the image holds is enough to run: the page, the boards and their queries answer', async () => {
  for (const path of ['/', '/healthz', '/readyz', '/api/boards/heliograph-overview', '/api/query/latency_by_route'])
    expect((await fetch(heliograph.pageUrl + path)).status, path).toBe(200);
  expect(json('CMD')).toEqual(['serve']);
});

test('the health check is the same in image and compose, and tells well from ill', async () => {
  const health = steps.find(({ name }) => name === 'HEALTHCHECK')?.rest ?? '';
  const command = JSON.parse(health.slice(health.indexOf('['))) as string[];
  expect(compose.services['heliograph']?.healthcheck?.test).toEqual(['CMD', ...command]);
  const [node = '', script = '', url = ''] = command;
  expect(node).toBe('node');
  const check = (target: string) =>
    spawnSync(process.execPath, [script, target], { cwd: join(folder, 'app'), encoding: 'utf8' });
  const here = url.replace('http://127.0.0.1:7070', heliograph.pageUrl);
  expect(here).not.toBe(url);
  expect(check(here)).toMatchObject({ status: 0, stderr: '' });
  expect(check(`${heliograph.pageUrl}/nothing`)).toMatchObject({ status: 1 });
  expect(check(`http://127.0.0.1:${await freePort(0)}/healthz`).stderr).toContain('ECONNREFUSED');
});

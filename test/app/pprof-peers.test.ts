import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';
import { peerTest } from '../support/peers.ts';

const run = promisify(execFile);
const TOKEN = 'debug-token';

let dir: string;
let heliograph: HeliographProcess;
let locked: HeliographProcess;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-pprof-'));
  for (const name of ['open', 'locked']) mkdirSync(join(dir, name));
  heliograph = await spawnHeliograph(join(dir, 'open'));
  locked = await spawnHeliograph(join(dir, 'locked'), { HELIOGRAPH_TOKEN: TOKEN }, false);
});
afterAll(async () => {
  for (const { child } of [heliograph, locked]) child.kill('SIGTERM');
  await Promise.all([heliograph.exited, locked.exited]);
  rmSync(dir, { recursive: true, force: true });
});

/** What `go tool pprof` prints of a profile; `load` is requested again and again meanwhile. */
async function pprof(report: string, path: string, load: string): Promise<string> {
  let isOver = false;
  const loading = (async () => {
    while (!isOver) await (await fetch(heliograph.pageUrl + load)).arrayBuffer();
  })();
  const { stdout } = await run('go', ['tool', 'pprof', report, heliograph.pageUrl + path], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? dir, PPROF_TMPDIR: dir },
  }).finally(() => (isOver = true));
  await loading;
  return stdout;
}

peerTest('go', 'go tool pprof reads the wall profile, with functions, files and lines', async () => {
  const raw = await pprof('-raw', '/debug/pprof/profile?seconds=2', '/debug/vars');
  expect(raw).toMatch(/^PeriodType: wall (micro|nano)seconds$/m);
  expect(raw).toMatch(/ readVars file:\/\/\S+\/dist\/app\/vars\.js:\d+/);
  const top = await pprof('-top', '/debug/pprof/profile?seconds=2', '/debug/vars');
  expect(top).toMatch(/^Type: wall$/m);
  expect(top).toMatch(/^Duration: [23]\.\d+s, Total samples = /m);
  const used = await eventually(async () => profilerOf(heliograph));
  expect(['pprof', '@datadog/pprof']).toContain(used);
});

peerTest('go', 'go tool pprof reads the heap profile', async () => {
  const top = await pprof('-top', '/debug/pprof/heap?seconds=3', '/api/boards/heliograph-overview');
  expect(top).toMatch(/^Type: (?:inuse_)?space$/m);
  expect(top).toMatch(/^Showing nodes accounting for/m);
});

peerTest('go', 'go tool pprof says what the server said', async () => {
  await expect(pprof('-top', '/debug/pprof/goroutine', '/healthz')).rejects.toThrow('Unknown profile');
});

async function profilerOf({ pageUrl }: HeliographProcess): Promise<string | undefined> {
  const readiness = (await (await fetch(`${pageUrl}/readyz`)).json()) as {
    checks: { name: string; detail?: string }[];
  };
  return readiness.checks.find(({ name }) => name === 'profiler')?.detail;
}

test('without the token nothing of it is shown, with it the vars of the process are', async () => {
  for (const path of ['pprof/', 'pprof/profile?seconds=1', 'pprof/heap', 'pprof/goroutine', 'vars']) {
    const answer = await fetch(`${locked.pageUrl}/debug/${path}`);
    expect([path, answer.status]).toEqual([path, 401]);
  }
  const authorization = `Bearer ${TOKEN}`;
  const answer = await fetch(`${locked.pageUrl}/debug/vars`, { headers: { authorization } });
  const text = await answer.text();
  expect(text).not.toContain(TOKEN);
  const { heliograph: vars, ...others } = JSON.parse(text) as Record<string, Record<string, object>>;
  expect(others).toEqual({});
  expect(Object.keys(vars ?? {})).toEqual(
    expect.arrayContaining(['memory', 'gc', 'door', 'journal', 'loader', 'jobs', 'background', 'engine']),
  );
});

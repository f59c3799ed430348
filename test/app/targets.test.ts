/** The whole road with a real Go process at its end: polled, stored, and shown by the views. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { assetPath } from '../../core/paths.ts';
import { eventually, type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';
import { peerTest } from '../support/peers.ts';

type Row = Record<string, unknown>;

const dir = mkdtempSync(join(tmpdir(), 'heliograph-targets-'));
const children: ChildProcess[] = [];
let heliograph: HeliographProcess | undefined;
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  heliograph?.child.kill('SIGTERM');
  await heliograph?.exited;
  rmSync(dir, { recursive: true, force: true });
});

async function startShop(): Promise<string> {
  const binary = join(dir, 'shop');
  const built = spawnSync('go', ['build', '-o', binary, '.'], { cwd: assetPath('test/peers/pprof'), encoding: 'utf8' });
  expect(built.stderr).toBe('');
  const child = spawn(binary, ['serve'], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((resolve) => child.stdout.once('data', (line) => resolve(String(line).trim())));
}

async function query(path: string): Promise<Row[]> {
  const response = await fetch(`${heliograph?.pageUrl}/api/query/${path}`);
  if (!response.ok) throw new Error(await response.text());
  return ((await response.json()) as { rows: Row[] }).rows;
}

peerTest('go', 'a Go process that leaks: its goroutines, memory, variables and flame graph', async () => {
  const every = { every: '1s', cpuEvery: '10s', cpuDuration: '1s' };
  const targets = [
    { name: 'shop-1', service: 'shop', url: await startShop(), ...every },
    { name: 'gone-1', service: 'shop', url: 'http://127.0.0.1:1', ...every },
  ];
  heliograph = await spawnHeliograph(dir, { HELIOGRAPH_TARGETS: JSON.stringify(targets) });
  const until = <T>(probe: () => Promise<T | undefined>): Promise<T> => eventually(probe, 60_000);

  const suspect = await until(async () => {
    const rows = await query('goroutine_suspects?window=4&windows=3');
    return rows.find((row) => row['function'] === 'main.leak');
  });
  expect(suspect).toMatchObject({ service: 'shop', target: 'shop-1' });
  expect(suspect['functions']).toEqual(['main.leak', 'runtime.chanrecv1', 'runtime.chanrecv', 'runtime.gopark']);
  expect(suspect['location']).toMatch(/serve\.go:\d+$/);

  const ofShop = async (path: string): Promise<Row | undefined> =>
    (await query(path)).find((row) => row['target'] === 'shop-1');
  const goroutines = await ofShop('goroutines?step=4000000000');
  expect(Number(goroutines?.['goroutines'])).toBeGreaterThan(Number(goroutines?.['goroutines_min']));

  const runtime = await ofShop('runtime?step=4000000000');
  for (const column of ['heap_alloc_bytes', 'sys_bytes', 'alloc_rate_bytes', 'gc_cycles', 'gc_pause_max_ms'])
    expect(Number(runtime?.[column])).toBeGreaterThan(0);
  expect(await ofShop('expvars?step=4000000000')).toMatchObject({ service: 'shop', name: 'orders.leaked' });

  const flame = await until(async () => {
    const rows = await query('flame_graph?service=shop');
    return rows.length > 0 ? rows : undefined;
  });
  expect(flame[0]).toMatchObject({ level: 0, label: 'total' });
  expect(flame.map((row) => row['label'])).toContain('main.work.func1');

  const status = await query('target_status');
  const ofTarget = (name: string): Row[] => status.filter((row) => row['target'] === name);
  expect(ofTarget('shop-1').map((row) => row['outcome'])).toEqual(['ok', 'ok', 'ok', 'ok']);
  for (const row of ofTarget('gone-1')) expect(row).toMatchObject({ outcome: 'unreachable', last_ok: null });
  const said = heliograph
    .stderr()
    .split('\n')
    .filter((line) => line.includes('target in trouble'));
  expect(said).toHaveLength(1);
});

/**
 * Start-up and idle cost of a built Heliograph: first start on an empty data directory, later starts, then CPU and memory at rest
 * with its own telemetry on. `npm run bench -- startup [idleSeconds=60]`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, type HeliographProcess, spawnHeliograph } from '../test/support/heliograph-process.ts';
import { childrenOf, cpuSeconds, proportionalMiB, residentMiB } from './support/process-stats.ts';
import { printTable } from './support/table.ts';

const idleSeconds = Number(process.argv[2] ?? 60);
const SETTLE_MS = 20_000;

const dataDir = mkdtempSync(join(tmpdir(), 'heliograph-bench-'));
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function timedStart(): Promise<{ heliograph: HeliographProcess; readyS: number; pageS: number }> {
  const startedMs = performance.now();
  const heliograph = await spawnHeliograph(dataDir);
  const readyS = (performance.now() - startedMs) / 1000;
  await eventually(async () => ((await fetch(`${heliograph.pageUrl}/d/heliograph-overview`)).ok ? true : undefined));
  return { heliograph, readyS, pageS: (performance.now() - startedMs) / 1000 };
}

async function stop({ child, exited }: HeliographProcess): Promise<number> {
  const startedMs = performance.now();
  child.kill('SIGTERM');
  await exited;
  return (performance.now() - startedMs) / 1000;
}

const first = await timedStart();
await sleep(3000);
const stops = [await stop(first.heliograph)];
const later: number[] = [];
for (let round = 0; round < 3; round++) {
  const start = await timedStart();
  later.push(start.pageS);
  if (round < 2) stops.push(await stop(start.heliograph));
  else {
    await sleep(SETTLE_MS);
    const pids = [start.heliograph.pid, ...childrenOf(start.heliograph.pid)];
    const before = pids.map(cpuSeconds);
    await sleep(idleSeconds * 1000);
    const shares = pids.map((pid, index) => ((cpuSeconds(pid) - (before[index] ?? 0)) / idleSeconds) * 100);
    const memory = pids.map(residentMiB);
    const shared = pids.map(proportionalMiB);
    const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
    printTable(
      ['', 'main', 'engine child', 'all'],
      [
        ['idle CPU, % of a core', shares[0] ?? 0, sum(shares.slice(1)), sum(shares)],
        ['resident MiB', memory[0] ?? 0, sum(memory.slice(1)), sum(memory)],
        ['the same, pages that both share counted once', shared[0] ?? 0, sum(shared.slice(1)), sum(shared)],
      ],
    );
    stops.push(await stop(start.heliograph));
  }
}
process.stdout.write('\n');
printTable(
  ['', 'seconds'],
  [
    ['first start, empty data directory, until ready', first.readyS],
    ['the same, until the page is served', first.pageS],
    ['later starts, until the page is served (median of 3)', later.toSorted((a, b) => a - b)[1] ?? 0],
    ['stop on SIGTERM (slowest)', Math.max(...stops)],
  ],
);
rmSync(dataDir, { recursive: true, force: true });

/**
 * A thousand periodic tasks, started: ours beside croner and p-queue in one run. Wants `node --expose-gc`, so that the heap
 * column means something. Each contender starts cold in a process of its own (a library's compiled code is part of its
 * price the first time), then four more times; the table shows the first and the median.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../core/clock.ts';
import type { Log } from '../core/ports.ts';

const TASKS = 1_000;
const ROUNDS = 5;
const AIM = { ms: 3.2, mb: 4.1 };

interface Measured {
  ms: number;
  mb: number;
}

/** Starts the tasks and returns what stops them. */
type Contender = () => Promise<() => void | Promise<void>>;

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const work = async () => {};

const contenders: Record<string, () => Promise<Contender>> = {
  'heliograph scheduler': async () => {
    const { createScheduler } = await import('../app/scheduler/scheduler.ts');
    return async () => {
      const scheduler = createScheduler({ clock: systemClock, log: silent, random: Math.random });
      for (let i = 0; i < TASKS; i += 1) {
        const timing = { initialDelayMs: 60_000, intervalMs: 60_000, timeoutMs: 10_000, jitterRatio: 0.1 };
        scheduler.add({ id: `task-${i}`, run: work, overlap: 'skip', ...timing });
      }
      scheduler.start();
      return () => scheduler.stop(1_000);
    };
  },
  'croner, new Cron each': async () => {
    const { Cron } = await import('croner');
    return async () => {
      const jobs = Array.from({ length: TASKS }, () => new Cron('* * * * *', { timezone: 'UTC', protect: true }, work));
      return () => jobs.forEach((job) => job.stop());
    };
  },
  'p-queue, 8 at once, run to idle': async () => {
    const { default: PQueue } = await import('p-queue');
    return async () => {
      const queue = new PQueue({ concurrency: 8 });
      for (let i = 0; i < TASKS; i += 1) void queue.add(work, { timeout: 10_000 });
      await queue.onIdle();
      return () => queue.clear();
    };
  },
};

async function measure(contender: Contender): Promise<Measured> {
  const gc = globalThis.gc;
  gc?.();
  const before = process.memoryUsage().heapUsed;
  const startedMs = performance.now();
  const stop = await contender();
  const ms = performance.now() - startedMs;
  gc?.();
  const mb = (process.memoryUsage().heapUsed - before) / 1e6;
  await stop();
  return { ms, mb };
}

async function runOne(name: string): Promise<Measured[]> {
  const prepare = contenders[name];
  if (prepare === undefined) throw new Error(`no contender ${name}`);
  const contender = await prepare();
  const rounds: Measured[] = [];
  for (let i = 0; i < ROUNDS; i += 1) rounds.push(await measure(contender));
  return rounds;
}

function inOwnProcess(name: string): Measured[] {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), name];
  const { stdout, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${name} ended with ${status}`);
  return JSON.parse(stdout) as Measured[];
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function table(): void {
  const rows = Object.keys(contenders).map((name) => {
    const rounds = inOwnProcess(name);
    const first = rounds[0] ?? { ms: Number.NaN, mb: Number.NaN };
    const mb = globalThis.gc === undefined ? 'needs --expose-gc' : first.mb.toFixed(2);
    return {
      [`${TASKS} tasks`]: name,
      'start, cold (ms)': first.ms.toFixed(2),
      'start, median (ms)': median(rounds.map((round) => round.ms)).toFixed(2),
      'heap, first (MB)': mb,
    };
  });
  console.table(rows);
  console.log(`aim: <= ${AIM.ms} ms and <= ${AIM.mb} MB`);
}

const name = process.argv[2];
if (name === undefined) table();
else process.stdout.write(JSON.stringify(await runOne(name)));

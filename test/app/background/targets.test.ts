import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTargetJobs, type TargetJobDeps, targetJobs } from '../../../app/background/targets.ts';
import { createTargetFetch } from '../../../app/background/target-fetch.ts';
import type { ScrapeTarget } from '../../../app/config/items.ts';
import { loadConfig } from '../../../app/config/load.ts';
import type { Config } from '../../../app/config/schema.ts';
import { createScheduler } from '../../../app/scheduler/scheduler.ts';
import type { Task } from '../../../app/scheduler/task.ts';
import { systemClock } from '../../../core/clock.ts';
import { assetPath } from '../../../core/paths.ts';
import type { Rows, RowSignal, RowSink } from '../../../core/rows.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { encodeProfile, simpleProfile } from '../../support/pprof-encode.ts';

const CASES = 'test/collectors/pprof/cases';
const CPU = readFileSync(assetPath(`${CASES}/go-cpu/input.gz`));
const HEAP = readFileSync(assetPath(`${CASES}/go-heap/input.gz`));
const GOROUTINE = readFileSync(assetPath(`${CASES}/go-goroutine/input.gz`));
const VARS = readFileSync(assetPath('test/collectors/expvar/cases/go-process.json'));
const TOKEN = 'own-token';
const never = new AbortController().signal;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A Go process as the pollers see it. */
const goProcess: Handler = ({ url = '' }, response) => {
  const bodies: Record<string, Buffer> = { goroutine: GOROUTINE, heap: HEAP, profile: CPU, vars: VARS };
  const body = bodies[/(\w+)(\?.*)?$/.exec(url)?.[1] ?? ''];
  response.writeHead(body === undefined ? 404 : 200).end(body);
};

let servers: Server[];
let clock: FakeClock;
let log: ReturnType<typeof memoryLog>;
let appended: { signal: RowSignal; rows: readonly object[] }[];
let fail: string | undefined;
let marked: string[];

beforeEach(() => {
  servers = [];
  clock = new FakeClock(Date.parse('2026-03-01T10:00:00Z'));
  log = memoryLog();
  appended = [];
  marked = [];
  fail = undefined;
});
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const rows: RowSink = {
  append: async (signal, added) => {
    if (signal === fail) throw new Error('journal full');
    if (added.length > 0) appended.push({ signal, rows: added });
  },
};

function rowsOf<S extends RowSignal>(signal: S): Rows[S][] {
  return appended.filter((each) => each.signal === signal).flatMap((each) => each.rows as Rows[S][]);
}

async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function target(name: string, url: string, more: Partial<ScrapeTarget> = {}): ScrapeTarget {
  return { name, url, every: 30_000, cpuEvery: 600_000, cpuDuration: 10_000, ...more };
}

function depsOf(targets: readonly ScrapeTarget[], pageUrl = 'http://127.0.0.1:1'): TargetJobDeps {
  const { config } = loadConfig({ flags: { token: TOKEN }, env: {}, cwd: '/nowhere', readFile: () => undefined });
  const markCovered = (source: string): void => void marked.push(source);
  return { config: { ...config, targets } as Config, pageUrl, rows, markCovered, random: () => 0.5, clock, log };
}

function jobsOf(targets: readonly ScrapeTarget[], pageUrl?: string): Map<string, Task> {
  return new Map(createTargetJobs(depsOf(targets, pageUrl)).map((job) => [job.id, job]));
}

async function poll(jobs: Map<string, Task>, id: string): Promise<void> {
  await jobs.get(id)?.run(never);
}

describe('what is polled', () => {
  test('every target four ways, Heliograph itself first, with the token it has', async () => {
    const asked: string[] = [];
    const pageUrl = await serve(({ url, headers }, response) => {
      asked.push(`${url} ${headers.authorization}`);
      response.writeHead(404).end();
    });
    const jobs = jobsOf(
      [target('a-1', pageUrl, { headers: { authorization: 'Basic x' }, cpuDuration: 2000 })],
      pageUrl,
    );
    const kinds = ['goroutine', 'expvar', 'cpu', 'heap'];
    expect([...jobs.keys()]).toEqual(
      ['heliograph', 'a-1'].flatMap((name) => kinds.map((kind) => `poll-${kind}:${name}`)),
    );
    for (const job of jobs.keys()) await poll(jobs, job);
    const paths = (seconds: number): string[] =>
      ['goroutine', 'vars', `profile?seconds=${seconds}`, 'heap'].map((path) =>
        path === 'vars' ? '/debug/vars' : `/debug/pprof/${path}`,
      );
    expect(asked).toEqual([
      ...paths(10).map((path) => `${path} Bearer ${TOKEN}`),
      ...paths(2).map((path) => `${path} Basic x`),
    ]);
  });

  test('at the intervals of the settings, spread by chance', () => {
    const jobs = jobsOf([target('a-1', 'http://127.0.0.1:1', { every: 5000 })]);
    expect(jobs.get('poll-goroutine:a-1')).toMatchObject({ intervalMs: 5000, initialDelayMs: 1250, jitterRatio: 0.1 });
    expect(jobs.get('poll-cpu:a-1')).toMatchObject({ intervalMs: 600_000, initialDelayMs: 31_000 });
  });
});

describe('a good poll', () => {
  test('stores the samples, and each stack once a day', async () => {
    const jobs = jobsOf([target('shop-1', await serve(goProcess), { service: 'shop' })]);
    await poll(jobs, 'poll-goroutine:shop-1');
    const head = { service: 'shop', target: 'shop-1' };
    expect(rowsOf('target_polls')).toMatchObject([
      {
        ...head,
        time_ms: clock.nowMs(),
        kind: 'goroutine',
        outcome: 'ok',
        reason: '',
        bytes: GOROUTINE.length,
        total: 151,
      },
    ]);
    const samples = rowsOf('profile_samples');
    expect(samples.reduce((sum, { value }) => sum + Number(value), 0)).toBe(151);
    const kind = { profile: 'goroutine', sample_type: 'goroutine', unit: 'count' };
    expect(samples[0]).toMatchObject({ ...head, ...kind, time_ms: clock.nowMs() });
    const stacks = rowsOf('stacks');
    expect(stacks.map(({ stack }) => stack).toSorted()).toEqual(samples.map(({ stack }) => stack).toSorted());
    expect(stacks[0]?.functions.length).toBe(stacks[0]?.locations.length);
    expect(appended.map(({ signal }) => signal)).toEqual(['stacks', 'profile_samples', 'target_polls']);

    await clock.advance(60_000);
    await poll(jobs, 'poll-goroutine:shop-1');
    expect(rowsOf('stacks')).toHaveLength(stacks.length);
    expect(rowsOf('profile_samples')).toHaveLength(samples.length * 2);
    await clock.advance(86_400_000);
    await poll(jobs, 'poll-goroutine:shop-1');
    expect(rowsOf('stacks')).toHaveLength(stacks.length * 2);
    expect(marked).toEqual(['targets', 'targets', 'targets']);
  });

  test('of CPU and heap keeps what can be merged: amounts and levels, not totals since the start', async () => {
    const jobs = jobsOf([target('shop-1', await serve(goProcess))]);
    await poll(jobs, 'poll-cpu:shop-1');
    await poll(jobs, 'poll-heap:shop-1');
    const kinds = new Set(
      rowsOf('profile_samples').map((row) => `${row.service} ${row.profile} ${row.sample_type} ${row.unit}`),
    );
    expect([...kinds].toSorted()).toEqual([
      'shop-1 cpu cpu nanoseconds',
      'shop-1 cpu samples count',
      'shop-1 heap inuse_objects count',
      'shop-1 heap inuse_space bytes',
    ]);
    expect(rowsOf('profile_samples').filter(({ value }) => value === 0)).toEqual([]);
  });

  test('of a wall profile is called so', async () => {
    const wall = encodeProfile({
      ...simpleProfile([[['work'], 5]]),
      sampleTypes: [['wall', 'nanoseconds']],
    });
    const jobs = jobsOf([], await serve((_, response) => response.end(gzipSync(wall))));
    await poll(jobs, 'poll-cpu:heliograph');
    expect(rowsOf('profile_samples')).toMatchObject([{ profile: 'wall', sample_type: 'wall', value: 5 }]);
    expect(rowsOf('target_polls')).toMatchObject([{ kind: 'cpu', outcome: 'ok' }]);
  });

  test('of a profile in microseconds is stored in nanoseconds', async () => {
    const wall = encodeProfile({
      ...simpleProfile([[['work'], 5]]),
      sampleTypes: [['wall', 'microseconds']],
    });
    const jobs = jobsOf([], await serve((_, response) => response.end(gzipSync(wall))));
    await poll(jobs, 'poll-cpu:heliograph');
    expect(rowsOf('profile_samples')).toMatchObject([{ sample_type: 'wall', unit: 'nanoseconds', value: 5000 }]);
  });

  test('of /debug/vars knows which pauses are new', async () => {
    const jobs = jobsOf([target('shop-1', await serve(goProcess))]);
    await poll(jobs, 'poll-expvar:shop-1');
    await poll(jobs, 'poll-expvar:shop-1');
    expect(rowsOf('go_runtime')).toMatchObject([
      { service: 'shop-1', target: 'shop-1', time_ms: clock.nowMs(), gc_cycles: 56, pauses_ns: [] },
      { gc_cycles: 56, pauses_ns: [] },
    ]);
    expect(rowsOf('target_polls')).toMatchObject([{ kind: 'expvar', outcome: 'ok', total: null }, { outcome: 'ok' }]);
  });

  test('with more variables than are kept says so once', async () => {
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`v${i}`, i])));
    const jobs = jobsOf([target('shop-1', await serve((_, response) => response.end(many)))]);
    for (let i = 0; i < 3; i++) await poll(jobs, 'poll-expvar:shop-1');
    expect(log.lines.map(({ fields }) => fields)).toEqual([{ target: 'shop-1', leftOut: 1 }]);
  });
});

describe('a poll that comes to nothing', () => {
  test.each<[string, string, string, Handler]>([
    [
      'goroutine',
      'not_a_profile',
      'it begins with "<", as HTML does (at byte 0)',
      (_, response) => response.end('<html>'),
    ],
    [
      'goroutine',
      'broken_off',
      'the gzip data ends early (at byte 0)',
      (_, response) => response.end(GOROUTINE.subarray(0, 500)),
    ],
    ['heap', 'broken_off', 'there are no bytes (at byte 0)', (_, response) => response.end()],
    [
      'goroutine',
      'too_large',
      'it unpacks to more than 67108864 bytes (at byte 0)',
      (_, response) => response.end(gzipSync(Buffer.alloc(70_000_000), { level: 1 })),
    ],
    [
      'cpu',
      'refused',
      'it answers 500: busy, another CPU profile is being taken',
      (_, response) => response.writeHead(500).end('Could not enable CPU profiling: cpu profiling already in use\n'),
    ],
    [
      'cpu',
      'refused',
      "it answers 400: the profile would last longer than the server's WriteTimeout",
      (_, response) => response.writeHead(400).end("profile duration exceeds server's WriteTimeout\n"),
    ],
    ['cpu', 'refused', 'it answers 401', (_, response) => response.writeHead(401).end('who are you?')],
    ['expvar', 'not_a_profile', 'it begins with "<", as HTML does', (_, response) => response.end('<html>')],
    ['expvar', 'broken_off', 'its JSON ends early', (_, response) => response.end(VARS.subarray(0, 2000))],
  ])('%s: %s, %s', async (kind, outcome, reason, handler) => {
    const jobs = jobsOf([target('shop-1', await serve(handler))]);
    await poll(jobs, `poll-${kind}:shop-1`);
    expect(rowsOf('target_polls')).toMatchObject([{ kind, outcome, reason, total: null }]);
    expect(appended.map(({ signal }) => signal)).toEqual(['target_polls']);
  });

  test('what answers 404 is asked again after half an hour, and is no trouble', async () => {
    let asked = 0;
    const jobs = jobsOf([
      target('shop-1', await serve((_, response) => void ((asked += 1), response.writeHead(404).end()))),
    ]);
    for (let i = 0; i < 62; i++) {
      await poll(jobs, 'poll-goroutine:shop-1');
      await clock.advance(30_000);
    }
    expect(asked).toBe(2);
    expect(rowsOf('target_polls').map(({ outcome }) => outcome)).toEqual(['not_mounted', 'not_mounted']);
    expect(log.lines).toEqual([]);
  });

  test('rows that could not be kept are an error of the job, and stacks are sent again', async () => {
    const jobs = jobsOf([target('shop-1', await serve(goProcess))]);
    fail = 'stacks';
    await expect(poll(jobs, 'poll-goroutine:shop-1')).rejects.toThrow('journal full');
    expect(appended).toEqual([]);
    fail = undefined;
    await poll(jobs, 'poll-goroutine:shop-1');
    expect(rowsOf('stacks').length).toBeGreaterThan(0);
  });
});

test('targets that hang cost their neighbour no poll', async () => {
  let hanging = 0;
  const deaf = await serve(() => void (hanging += 1));
  const healthy = await serve(goProcess);
  const often = { every: 25, cpuEvery: 25, cpuDuration: 1000 };
  const names = ['deaf-1', 'deaf-2', 'deaf-3'];
  const targets = [...names.map((name) => target(name, deaf, often)), target('shop-1', healthy, often)];
  const jobs = targetJobs({ ...depsOf(targets), clock: systemClock }, createTargetFetch(systemClock));
  const scheduler = createScheduler({ clock: systemClock, log, random: Math.random, workers: 64, onRun: () => {} });
  for (const job of jobs) if (!job.id.endsWith(':heliograph')) scheduler.add({ ...job, initialDelayMs: 1 });
  scheduler.start();
  const polls = (name: string): number => rowsOf('target_polls').filter((row) => row.target === name).length;
  while (polls('shop-1') < 40) await new Promise((resolve) => setTimeout(resolve, 10));
  // each deaf target is asked once for each kind, and holds on to nothing else
  expect(hanging).toBe(names.length * 4);
  expect(names.map(polls)).toEqual([0, 0, 0]);
  await scheduler.stop(1000);
});

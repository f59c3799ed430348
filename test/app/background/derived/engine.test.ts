import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDeveloperFamily } from '../../../../app/background/derived/developers.ts';
import type { Family } from '../../../../app/background/derived/exposition.ts';
import { derivedJobs } from '../../../../app/background/derived/job.ts';
import { createReadRows } from '../../../../app/background/derived/read.ts';
import { createRequestFamily } from '../../../../app/background/derived/requests.ts';
import { createTargetFamilies } from '../../../../app/background/derived/targets.ts';
import { loadConfig } from '../../../../app/config/load.ts';
import type { Statement } from '../../../../core/ports.ts';
import { PINNED_BLOCK_SETTINGS } from '../../../../store/load.ts';
import { startMigratedEngine, type TestEngine } from '../../../support/engine.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { encodeRequest, type Text } from '../../../support/otlp-encode.ts';
import { stamp } from '../../../support/stamp.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

const never = new AbortController().signal;
const NOW_MS = Date.now();
const NOW_S = Math.floor(NOW_MS / 1000);

interface Request {
  service: Text;
  route: Text;
  durationNs: number;
  ageS: number;
  error?: boolean;
  kind?: number;
}

async function load(requests: readonly Request[]): Promise<void> {
  const path = join(engine.dir, 'load.seg');
  const resourceSpans = requests.map(({ service, route, durationNs, ageS, error, kind = 2 }) => {
    const start = BigInt(NOW_S - ageS) * 1_000_000_000n;
    return {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId: randomBytes(16).toString('hex'),
              spanId: randomBytes(8).toString('hex'),
              name: 'GET',
              kind,
              startTimeUnixNano: start,
              endTimeUnixNano: start + BigInt(durationNs),
              attributes: [{ key: 'http.route', value: { stringValue: route } }],
              ...(error === true && { status: { code: 2 } }),
            },
          ],
        },
      ],
    };
  });
  writeFileSync(path, encodeRequest({ resourceSpans }));
  const token = randomBytes(8).toString('hex');
  const settings = { ...PINNED_BLOCK_SETTINGS };
  await engine.store.load({ token, signal: 'otlp_traces', team: '', path, loNs: 0n, hiNs: 2n ** 63n - 1n, settings });
}

/** Value by suffix and the labels after the service. */
function valuesOf({ samples }: Family, service: string): Record<string, number> {
  return Object.fromEntries(
    [...samples]
      .filter(({ labels }) => labels['service'] === service)
      .map(({ suffix, labels, value }) => [`${suffix} ${Object.values(labels).slice(1).join()}`, value]),
  );
}

test('the histogram of what came since the first call is exact: buckets, sum, count, by status', async () => {
  const requests = createRequestFamily(createReadRows(engine.store));
  await load([{ service: 'exact', route: '/old', durationNs: 5e6, ageS: 60 }]);
  expect(valuesOf(await requests(NOW_MS, never), 'exact')['_count /old,Unset']).toBe(0);

  const durations = [0, 1, 156_435, 156_436, 2_471_882, 2_471_883, 1e8, 61_409_356_696, 61_409_356_697, 4e12];
  const sent: Request[] = durations.map((durationNs) => ({ service: 'exact', route: '/new', durationNs, ageS: 30 }));
  await load([
    ...sent,
    { service: 'exact', route: '/new', durationNs: 1e6, ageS: 5 * 3600, error: true },
    { service: 'exact', route: '/new', durationNs: 1e6, ageS: 30, kind: 3 },
    { service: 'exact', route: '/old', durationNs: 5e6, ageS: 60 },
    { service: 'exact', route: '/ancient', durationNs: 5e6, ageS: 7 * 3600 },
  ]);
  const values = valuesOf(await requests(NOW_MS, never), 'exact');
  for (const [series, value] of Object.entries(values)) {
    const le = /^_bucket \/new,Unset,(.+)$/.exec(series)?.[1];
    if (le === undefined) continue;
    const boundNs = le === '+Inf' ? Number.POSITIVE_INFINITY : Math.round(Number(le) * 1e9);
    expect([le, value]).toEqual([le, durations.filter((duration) => duration <= boundNs).length]);
  }
  expect(values).toMatchObject({
    '_bucket /new,Unset,+Inf': durations.length,
    '_count /new,Unset': durations.length,
    '_count /new,Error': 1,
    '_sum /new,Error': 0.001,
    '_count /old,Unset': 1,
  });
  expect(values['_sum /new,Unset']).toBeCloseTo(durations.reduce((sum, ns) => sum + ns, 0) / 1e9, 6);
  expect(values).not.toHaveProperty('_count /ancient,Unset');

  await load([{ service: 'exact', route: '/new', durationNs: 1e6, ageS: 3 * 3600, error: true }]);
  expect(valuesOf(await requests(NOW_MS, never), 'exact')['_count /new,Error']).toBe(2);
});

test('names with quotes, new lines and broken UTF-8 are series of their own', async () => {
  const requests = createRequestFamily(createReadRows(engine.store));
  await requests(NOW_MS, never);
  const broken = (last: number): Uint8Array => Uint8Array.from([0x2f, 0xff, last]);
  await load([
    { service: "o'hara", route: '/"a"\\\n\t漢', durationNs: 1e6, ageS: 10 },
    { service: "o'hara", route: broken(0xfe), durationNs: 1e6, ageS: 10 },
    { service: "o'hara", route: broken(0xfd), durationNs: 1e6, ageS: 10 },
  ]);
  const values = valuesOf(await requests(NOW_MS, never), "o'hara");
  expect(values['_count /"a"\\\n\t漢,Unset']).toBe(1);
  const counted = Object.entries(values).filter(([series]) => series.startsWith('_count'));
  expect(counted.reduce((sum, [, value]) => sum + value, 0)).toBe(3);
});

test('routes beyond the bound are other, and every span is in one series', async () => {
  const requests = createRequestFamily(createReadRows(engine.store));
  await requests(NOW_MS, never);
  const many = Array.from({ length: 250 }, (_, index) => ({
    service: 'many',
    route: `/${index}`,
    durationNs: 1e6,
    ageS: 10,
  }));
  const busy = Array.from({ length: 3 }, () => ({ service: 'many', route: '/249', durationNs: 1e6, ageS: 10 }));
  await load([...many, ...busy]);
  const first = valuesOf(await requests(NOW_MS, never), 'many');
  await load([...many, { service: 'newcomer', route: '/x', durationNs: 1e6, ageS: 10 }]);
  const family = await requests(NOW_MS, never);
  const second = valuesOf(family, 'many');
  const counts = Object.entries(second).filter(([series]) => series.startsWith('_count'));
  expect(counts).toHaveLength(201 - otherNames(first));
  expect(counts.reduce((sum, [, value]) => sum + value, 0)).toBe(2 * many.length + busy.length);
  expect(second['_count /249,Unset']).toBe(5);
  expect(second['_count other,Unset']).toBe(2 * (first['_count other,Unset'] ?? Number.NaN));
  expect(valuesOf(family, 'newcomer')).toMatchObject({ '_count other,Unset': 1 });
});

/** How many of the 200 names other tests of this file have taken from `many`. */
function otherNames(values: Record<string, number>): number {
  return (values['_count other,Unset'] ?? Number.NaN) - 50;
}

function poll(target: string, kind: string, ageS: number, total: number | null, outcome = 'ok'): object {
  return {
    time: stamp(NOW_S - ageS),
    service: 'shop',
    target,
    kind,
    outcome,
    reason: '',
    duration_ms: 1500,
    bytes: 10,
    total,
  };
}

test('gauges of targets are their newest values, and a silent target has none', async () => {
  await engine.store.insertRows('heliograph.target_polls', [
    poll('shop-1', 'goroutine', 90, 12),
    poll('shop-1', 'goroutine', 30, 9),
    poll('shop-1', 'goroutine', 10, null, 'timeout'),
    poll('shop-1', 'cpu', 500, 100),
    poll('shop-1', 'heap', 20, 5, 'not_mounted'),
    poll('shop-1', 'expvar', 20, null),
    poll('gone', 'goroutine', 301, 7),
  ]);
  const scrape = { service: 'shop', pauses_ns: [], vars: {} };
  await engine.store.insertRows('heliograph.go_runtime', [
    { ...scrape, target: 'shop-1', time: stamp(NOW_S - 70), last_gc: stamp(NOW_S - 75.5) },
    { ...scrape, target: 'shop-1', time: stamp(NOW_S - 10), last_gc: stamp(NOW_S - 20.25) },
    { ...scrape, target: 'young', time: stamp(NOW_S - 10), last_gc: null },
  ]);
  const read = createReadRows(engine.store);
  const families = await createTargetFamilies(read, [{ every: 30_000, cpuEvery: 60_000 }])(NOW_MS, never);
  const shop = { service: 'shop', target: 'shop-1' };
  expect(Object.fromEntries(families.map(({ name, samples }) => [name, [...samples]]))).toEqual({
    go_goroutines: [{ labels: shop, value: 9 }],
    goroutines_total: [{ labels: shop, value: 9 }],
    gc_last_time_seconds: [{ labels: shop, value: NOW_S - 20.25 }],
    profile_duration_seconds: [
      { labels: { ...shop, profile: 'cpu' }, value: 1.5 },
      { labels: { service: 'shop', target: 'gone', profile: 'goroutine' }, value: 1.5 },
    ].sort((a, b) => (a.labels.target < b.labels.target ? -1 : 1)),
  });
  const slow = await createTargetFamilies(read, [{ every: 120_000, cpuEvery: 60_000 }])(NOW_MS, never);
  expect([...(slow[0]?.samples ?? [])].map(({ labels }) => labels['target'])).toEqual(['gone', 'shop-1']);
});

function commit(sha: string, author: string, given: object = {}): object {
  return {
    repository: 'shop',
    sha,
    parents: ['0'],
    author,
    committer: author,
    bot_rule: '',
    gone: false,
    author_time: stamp(NOW_S),
    commit_time: stamp(NOW_S),
    version: 1,
    ...given,
  };
}

test('commits are counted by pseudonym: no bots, no merges, once each, and never fewer', async () => {
  const insert = (rows: object[]) => engine.store.insertRows('heliograph.commits', rows);
  await insert([
    commit('a1', 'p1'),
    commit('a2', 'p1'),
    commit('a3', 'p2'),
    commit('a4', 'p2', { parents: ['0', '1'] }),
    commit('a5', 'p3', { bot_rule: 'renovate' }),
    commit('a6', 'p2', { gone: true }),
    commit('b1', 'p1', { repository: 'web' }),
  ]);
  await insert([commit('a1', 'p1', { version: 2 })]);
  const developers = createDeveloperFamily(createReadRows(engine.store));
  const counted = async (nowMs: number) =>
    Object.fromEntries(
      [...(await developers(nowMs, never)).samples].map(({ labels, value }) => [Object.values(labels).join(), value]),
    );
  expect(await counted(0)).toEqual({ 'p1,shop': 2, 'p1,web': 1, 'p2,shop': 1 });
  await insert([commit('a2', 'p1', { gone: true, version: 3 }), commit('a7', 'p2')]);
  expect(await counted(299_999)).toEqual({ 'p1,shop': 2, 'p1,web': 1, 'p2,shop': 1 });
  expect(await counted(300_000)).toEqual({ 'p1,shop': 2, 'p1,web': 1, 'p2,shop': 2 });
  await insert([commit('a8', 'p2')]);
  await engine.store.insertRows('heliograph.git_tips', [
    { repository: 'shop', branch: 'main', tip: 'a8', collected_at: stamp(NOW_S) },
  ]);
  expect(await counted(300_001)).toMatchObject({ 'p2,shop': 3 });
});

test('a run that takes long makes the next ones rarer, but never stale', async () => {
  const clock = new FakeClock(NOW_MS);
  let queryMs = 600; // one, then three at once, where nothing new has come
  let runs = 0;
  const { config } = loadConfig({ env: {}, flags: {}, cwd: engine.dir, readFile: () => undefined });
  const slow = async (statement: Statement) => {
    await clock.advance(queryMs);
    return engine.store.query(statement);
  };
  const [job = expect.fail('one job')] = derivedJobs({
    config,
    store: { ...engine.store, query: slow },
    publishDerived: () => void (runs += 1),
    lastScrapedMs: () => clock.nowMs(),
    clock,
  });
  const ticks = async (count: number): Promise<number> => {
    runs = 0;
    for (let i = 0; i < count; i++) {
      await job.run(never);
      await clock.advance(15_000);
    }
    return runs;
  };
  await ticks(4);
  expect(await ticks(8)).toBe(4); // 1.2 s at 5 % is one run in 24 s
  queryMs = 3000;
  await ticks(4);
  expect(await ticks(8)).toBe(4); // 6 s would be one in two minutes
});

test('the job is rare while nobody scrapes, and says nothing of developers unless told to', async () => {
  const clock = new FakeClock(NOW_MS);
  const published: string[] = [];
  let scrapedMs: number | null = null;
  const jobOf = (variables: Record<string, string>) => {
    const { config } = loadConfig({ env: variables, flags: {}, cwd: engine.dir, readFile: () => undefined });
    const [job] = derivedJobs({
      config,
      store: engine.store,
      publishDerived: (text) => void published.push(text),
      lastScrapedMs: () => scrapedMs,
      clock,
    });
    return job ?? expect.fail('one job');
  };
  const job = jobOf({});
  const tick = async (intervalMs = 15_000): Promise<number> => {
    await job.run(never);
    await clock.advance(intervalMs);
    return published.length;
  };
  expect([await tick(60_000), await tick(60_000), await tick()]).toEqual([1, 1, 2]);
  scrapedMs = clock.nowMs();
  expect([await tick(), await tick()]).toEqual([3, 4]);
  await clock.advance(300_000);
  expect([await tick(), await tick()]).toEqual([5, 5]);
  expect(published.at(-1)).not.toContain('dev_commit_total');
  await jobOf({ HELIOGRAPH_PEOPLE_DEVELOPER_SERIES: 'true' }).run(never);
  expect(published.at(-1)).toContain('dev_commit_total{developer="p1",repo="web"} 1\n');
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { loadProfiles, loadRows, pollAt, rowsOf, scrapeAt, stackOf } from '../../support/profile-rows.ts';

const FROM_S = 1_790_000_400; // a multiple of 600
const at = (seconds: number): number => (FROM_S + seconds) * 1000;
const window = (seconds: number, step: number): string =>
  `from = toDateTime(${FROM_S}), to = toDateTime(${FROM_S + seconds}), step = ${step}`;

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

const select = (view: string, seconds: number, step: number, where: string): Promise<Record<string, unknown>[]> =>
  rowsOf(
    engine,
    `SELECT * EXCEPT time, toUnixTimestamp(time) - ${FROM_S} AS at FROM boards.${view}(${window(seconds, step)}) WHERE ${where} ORDER BY ALL`,
  );

describe('goroutines', () => {
  const IDLE = 'main.main;sync.(*WaitGroup).Wait;sync.runtime_SemacquireWaitGroup;runtime.gopark';
  const WORK = 'main.work;time.Sleep;runtime.gopark';
  beforeAll(async () => {
    const one = { service: 'shop', target: 'shop-1' };
    await loadProfiles(engine, [
      { ...one, atMs: at(-1), stacks: { [IDLE]: 1000 } },
      { ...one, atMs: at(0), stacks: { [IDLE]: 2, [WORK]: 5 } },
      { ...one, atMs: at(30), stacks: { [IDLE]: 2, [WORK]: 8 } },
      { ...one, atMs: at(60), stacks: { [IDLE]: 2 } },
      { ...one, atMs: at(90), stacks: { [IDLE]: 1, [WORK]: 4 } },
      { service: 'shop', target: 'shop-2', atMs: at(95), stacks: { [IDLE]: 7, 'runtime.bgsweep;runtime.gopark': 1 } },
    ]);
    await loadRows(engine, 'target_polls', [
      pollAt('shop', 'shop-1', 'goroutine', at(100), 'unreachable'),
      { ...pollAt('shop', 'shop-1', 'goroutine', at(110), 'ok'), total: 50 }, // its samples are still on their way
    ]);
  });

  test('most and least of each step, polls that failed left out', async () => {
    expect(await select('goroutines', 600, 60, "service = 'shop'")).toEqual([
      { service: 'shop', target: 'shop-1', goroutines: 10, goroutines_min: 7, polls: 2, at: 0 },
      { service: 'shop', target: 'shop-1', goroutines: 50, goroutines_min: 2, polls: 3, at: 60 },
      { service: 'shop', target: 'shop-2', goroutines: 8, goroutines_min: 8, polls: 1, at: 60 },
    ]);
  });

  test('by stack: absent is 0, not yet stored is not', async () => {
    const rows = await select('goroutine_stacks', 600, 60, "service = 'shop'");
    const row = (target: string, at_: number, folded: string, named: string, most: number, least: number): object => ({
      service: 'shop',
      target,
      stack: stackOf(folded),
      function: named,
      goroutines: most,
      goroutines_min: least,
      at: at_,
    });
    expect(rows).toHaveLength(6);
    expect(rows).toEqual(
      expect.arrayContaining([
        row('shop-1', 0, IDLE, 'main.main', 2, 2),
        row('shop-1', 0, WORK, 'main.work', 8, 5),
        row('shop-1', 60, IDLE, 'main.main', 2, 1),
        row('shop-1', 60, WORK, 'main.work', 4, 0),
        row('shop-2', 60, IDLE, 'main.main', 7, 7),
        row('shop-2', 60, 'runtime.bgsweep;runtime.gopark', 'runtime.bgsweep', 1, 1),
      ]),
    );
  });

  test('a duplicated row changes nothing', async () => {
    const before = await select('goroutine_stacks', 600, 600, "target = 'shop-1'");
    await loadProfiles(engine, [{ service: 'shop', target: 'shop-1', atMs: at(90), stacks: { [IDLE]: 1, [WORK]: 4 } }]);
    expect(await select('goroutine_stacks', 600, 600, "target = 'shop-1'")).toEqual(before);
  });
});

describe('runtime', () => {
  const MB = 1_000_000;
  const figures = (total: number, cycles: number, forced: number, pauseNs: number): object => ({
    total_alloc_bytes: total,
    gc_cycles: cycles,
    gc_forced_cycles: forced,
    gc_pause_total_ns: pauseNs,
  });
  const ofTarget = async (target: string, seconds = 600, step = 60): Promise<Record<string, unknown>[]> =>
    (await select('runtime', seconds, step, `target = '${target}'`)).toSorted(
      (a, b) => Number(a['at']) - Number(b['at']),
    );

  test('levels are the largest of the step, counters the differences between scrapes', async () => {
    const scrape = (seconds: number, row: object) => scrapeAt('shop', 'plain', at(seconds), row);
    await loadRows(engine, 'go_runtime', [
      scrape(-30, { ...figures(100 * MB, 10, 1, 1000), heap_alloc_bytes: 999 * MB }),
      scrape(0, { ...figures(130 * MB, 12, 1, 3000), heap_alloc_bytes: 5 * MB, pauses_ns: [900, 1100] }),
      scrape(30, {
        ...figures(190 * MB, 13, 2, 2_003_000),
        heap_alloc_bytes: 9 * MB,
        heap_objects: 70,
        next_gc_bytes: 16 * MB,
        pauses_ns: [2_000_000],
        last_gc_ns: '1790000420123456789',
        gc_cpu_fraction: 0.02,
      }),
      scrape(60, { ...figures(190 * MB, 13, 2, 2_003_000), heap_alloc_bytes: 7 * MB, gc_cpu_fraction: 0.01 }),
    ]);
    expect(await ofTarget('plain')).toMatchObject([
      {
        at: 0,
        heap_alloc_bytes: 9 * MB,
        heap_objects: 70,
        next_gc_bytes: 16 * MB,
        heap_sys_bytes: null,
        alloc_rate_bytes: (90 * MB) / 60,
        gc_cycles: 3,
        gc_forced_cycles: 1,
        gc_pause_ms: 2.002,
        gc_pause_max_ms: 2,
        last_gc: '2026-09-21 14:20:20.123456789',
        gc_cpu_fraction: 0.02,
        scrapes: 2,
      },
      {
        at: 60,
        heap_alloc_bytes: 7 * MB,
        alloc_rate_bytes: 0,
        gc_cycles: 0,
        gc_forced_cycles: 0,
        gc_pause_ms: 0,
        gc_pause_max_ms: null,
        last_gc: null,
        gc_cpu_fraction: 0.01,
        scrapes: 1,
      },
    ]);
  });

  test('nothing is known across a restart, and before the second scrape', async () => {
    const scrape = (seconds: number, row: object) => scrapeAt('shop', 'restarted', at(seconds), row);
    await loadRows(engine, 'go_runtime', [
      scrape(30, figures(500 * MB, 90, 0, 900)),
      scrape(60, figures(560 * MB, 92, 0, 920)),
      scrape(90, figures(10 * MB, 1, 0, 5)),
      scrape(120, figures(5000 * MB, 1, 0, 5)), // again a restart: memory says no, cycles do not either
      scrape(150, figures(5030 * MB, 0, 0, 0)), // fewer cycles than before
    ]);
    expect(await ofTarget('restarted')).toMatchObject([
      { at: 0, alloc_rate_bytes: null, gc_cycles: null, gc_pause_ms: null, scrapes: 1 },
      { at: 60, alloc_rate_bytes: 2 * MB, gc_cycles: 2, gc_pause_ms: 20 / 1e6, scrapes: 2 },
      { at: 120, alloc_rate_bytes: (4990 * MB) / 30, gc_cycles: 0, gc_pause_ms: 0, scrapes: 2 },
    ]);
  });

  test('a gap of more than three usual intervals is a gap', async () => {
    const scrape = (seconds: number, total: number) => scrapeAt('shop', 'gappy', at(seconds), figures(total, 1, 0, 0));
    await loadRows(
      engine,
      'go_runtime',
      [0, 30, 60, 90, 120, 500, 530].map((seconds) => scrape(seconds, (1000 + seconds) * MB)),
    );
    expect(
      (await ofTarget('gappy', 600, 300)).map((row) => [row['at'], row['alloc_rate_bytes'], row['scrapes']]),
    ).toEqual([
      [0, MB, 5],
      [300, MB, 2],
    ]);
    expect((await ofTarget('gappy', 520, 300))[1]).toMatchObject({ at: 300, alloc_rate_bytes: null, gc_cycles: null });
  });

  test('a target without memstats has NULL, and its own variables', async () => {
    await loadRows(engine, 'go_runtime', [
      scrapeAt('node', 'heliograph', at(1), { vars: { 'a.b': 1, uptime: 5 } }),
      scrapeAt('node', 'heliograph', at(31), { vars: { 'a.b': 3 } }),
      scrapeAt('node', 'heliograph', at(61), {}),
    ]);
    expect(await ofTarget('heliograph')).toMatchObject([
      {
        heap_alloc_bytes: null,
        alloc_rate_bytes: null,
        gc_cycles: null,
        gc_pause_max_ms: null,
        last_gc: null,
        scrapes: 2,
      },
      { scrapes: 1 },
    ]);
    expect(await select('expvars', 600, 60, "target = 'heliograph'")).toEqual([
      { service: 'node', target: 'heliograph', name: 'a.b', value: 3, at: 0 },
      { service: 'node', target: 'heliograph', name: 'uptime', value: 5, at: 0 },
    ]);
  });
});

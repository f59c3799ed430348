/** What the rules say of seeded rollups, on the real engine. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LatencyEvidence } from '../../alerts/evidence.ts';
import { goroutineRule, onsetWindow } from '../../alerts/rules/goroutines.ts';
import { isJump, type LatencyOptions, latencyRule } from '../../alerts/rules/latency.ts';
import type { OpenAlert, Transition, Verdict } from '../../alerts/types.ts';
import { startMigratedEngine, type TestEngine } from '../support/engine.ts';
import { loadProfiles, loadRows, type SeedProfile, stackOf } from '../support/profile-rows.ts';
import { binMs, binOf, type RollupMinute, seedDeploys, seedRollup } from './harness.ts';

const MINUTE = 60_000;
/** A whole hour in the past: windows end here. */
const AT = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 2 * 3_600_000;
/** The minute before AT is over and settled. */
const NOW = AT + 10_000;
const OPTIONS: LatencyOptions = {
  windowMs: 5 * MINUTE,
  baselineMs: 60 * MINUTE,
  minIncreaseMs: 200,
  minIncreaseRatio: 0.2,
  minCount: 300,
  forMs: 0,
};

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

const context = (atMs = NOW) => ({ store: engine.store, atMs, signal: new AbortController().signal });

/** `n` spans of one bin in each of the minutes [from, to), counted back from AT. */
function minutes(route: string, from: number, to: number, n: number, bin: number): RollupMinute[] {
  return Array.from({ length: from - to }, (_, index) => ({
    service: 'shop',
    route,
    atMs: AT - (from - index) * MINUTE,
    bins: { [bin]: n },
  }));
}

async function verdictOf(
  route: string,
  options: Partial<LatencyOptions> = {},
  open: readonly OpenAlert[] = [],
  atMs = NOW,
): Promise<Verdict | undefined> {
  const verdicts = await latencyRule({ ...OPTIONS, ...options }).evaluate(open, context(atMs));
  return verdicts.find(({ labels }) => labels['route'] === route);
}

const numbers = (verdict: Verdict | undefined): LatencyEvidence => {
  if (verdict === undefined) throw new Error('no verdict');
  return verdict.evidence as unknown as LatencyEvidence;
};

describe('latency', () => {
  const [slow, fast] = [binOf(500), binOf(200)];

  test('window and baseline are whole minutes side by side; the minute still filling is left out', async () => {
    await seedRollup(engine, [
      ...minutes('/edges', 66, 65, 1_000_000, binOf(9_000)), // before the baseline
      ...minutes('/edges', 65, 5, 10, fast),
      ...minutes('/edges', 5, 0, 100, slow),
      ...minutes('/edges', 0, -1, 1_000_000, binOf(9_000)), // the minute that holds NOW
    ]);
    const verdict = await verdictOf('/edges');
    expect(verdict).toMatchObject({ active: true, labels: { service: 'shop', route: '/edges' } });
    expect(numbers(verdict)).toMatchObject({
      before: { n: 600, from: new Date(AT - 65 * MINUTE).toISOString(), to: new Date(AT - 5 * MINUTE).toISOString() },
      after: { n: 500, from: new Date(AT - 5 * MINUTE).toISOString(), to: new Date(AT).toISOString() },
    });
    expect(numbers(verdict).before.p99Ms).toBeCloseTo(binMs(fast), 6);
    expect(numbers(verdict).after.p99Ms).toBeCloseTo(binMs(slow), 6);
  });

  test('a minute is looked at once it is ten seconds over', async () => {
    expect(numbers(await verdictOf('/edges', {}, [], AT + 9_999)).after.to).toBe(new Date(AT - MINUTE).toISOString());
  });

  test('the increase must be more than the amount and more than the share, not as much', async () => {
    const { before, after } = numbers(await verdictOf('/edges'));
    const rise = after.p99Ms - before.p99Ms;
    const share = rise / before.p99Ms;
    const active = async (options: Partial<LatencyOptions>) => (await verdictOf('/edges', options))?.active;
    expect(await active({ minIncreaseMs: rise })).toBe(false);
    expect(await active({ minIncreaseMs: rise * (1 - 1e-12) })).toBe(true);
    expect(await active({ minIncreaseRatio: share * (1 + 1e-12) })).toBe(false);
    expect(await active({ minIncreaseRatio: share * (1 - 1e-12) })).toBe(true);
  });

  test('200 ms more of ten seconds is no jump: it is less than the share', async () => {
    await seedRollup(engine, [
      ...minutes('/slow-anyway', 65, 5, 10, binOf(10_000)),
      ...minutes('/slow-anyway', 5, 0, 100, binOf(10_900)),
    ]);
    expect(await verdictOf('/slow-anyway')).toMatchObject({ active: false });
  });

  test('both sides need enough spans', async () => {
    await seedRollup(engine, [
      ...minutes('/thin-after', 65, 5, 10, fast),
      ...minutes('/thin-after', 5, 0, 59, slow), // 295
      ...minutes('/thin-before', 65, 5, 4, fast), // 240
      ...minutes('/thin-before', 5, 0, 100, slow),
      ...minutes('/new', 5, 0, 100, slow),
      ...minutes('/just', 65, 5, 5, fast), // 300
      ...minutes('/just', 5, 0, 60, slow), // 300
      ...minutes('/gone', 65, 5, 100, fast),
    ]);
    for (const route of ['/thin-after', '/thin-before', '/new', '/gone'])
      expect([route, await verdictOf(route)]).toEqual([route, undefined]);
    expect(await verdictOf('/just')).toMatchObject({ active: true });
  });

  test('client spans are not looked at', async () => {
    const asClient = [...minutes('/client', 65, 5, 10, fast), ...minutes('/client', 5, 0, 100, slow)];
    await seedRollup(
      engine,
      asClient.map((each) => ({ ...each, kind: 'Client' })),
    );
    expect(await verdictOf('/client')).toBeUndefined();
  });

  test('what the sketch could be wrong by is no increase, even with thresholds of zero', async () => {
    // Durations in neighbouring bins may be equal but for a hair; two bins apart a whole bin lies between them.
    await seedRollup(engine, [
      ...minutes('/one-bin', 65, 5, 10, fast),
      ...minutes('/one-bin', 5, 0, 100, fast + 1),
      ...minutes('/two-bins', 65, 5, 10, fast),
      ...minutes('/two-bins', 5, 0, 100, fast + 2),
    ]);
    const zero = { minIncreaseMs: 0, minIncreaseRatio: 0 };
    expect(await verdictOf('/one-bin', zero)).toMatchObject({ active: false });
    expect(await verdictOf('/two-bins', zero)).toMatchObject({ active: true });
    expect(isJump(100, 102.0202, 0.01, zero)).toBe(false);
    expect(isJump(100, 102.0203, 0.01, zero)).toBe(true);
  });

  test('worst first', async () => {
    await seedRollup(engine, [...minutes('/worst', 65, 5, 10, fast), ...minutes('/worst', 5, 0, 100, binOf(5_000))]);
    const [first] = await latencyRule(OPTIONS).evaluate([], context());
    expect(first?.labels['route']).toBe('/worst');
  });

  describe('an open alert', () => {
    const open = (evidence: LatencyEvidence, firedAtMs: number | null): OpenAlert => ({
      fingerprint: 'f',
      rule: 'latency',
      labels: { service: 'shop', route: evidence.route },
      status: 'firing',
      startsAtMs: NOW,
      firedAtMs,
      judgedAtMs: NOW,
      heldMs: 0,
      clearCount: 0,
      clearAtMs: null,
      missingMs: 0,
      evidence,
      latest: evidence,
    });

    test('is held against the baseline it was first seen with, though the sliding one is slow by now', async () => {
      const first = numbers(await verdictOf('/edges'));
      await seedRollup(engine, [...minutes('/stays', 65, 0, 100, slow)]);
      const frozen = { ...first, route: '/stays' };
      expect(await verdictOf('/stays')).toMatchObject({ active: false });
      const held = await verdictOf('/stays', {}, [open(frozen, NOW)]);
      expect(held).toMatchObject({ active: true });
      expect(numbers(held).before).toEqual(frozen.before);
    });

    test('is over after a day of it, as the new normal', async () => {
      const frozen = { ...numbers(await verdictOf('/edges')), route: '/stays' };
      const day = 24 * 3_600_000;
      expect(await verdictOf('/stays', {}, [open(frozen, NOW - day + 1)])).toMatchObject({ active: true });
      expect(await verdictOf('/stays', {}, [open(frozen, NOW - day)])).toMatchObject({
        active: false,
        resolution: 'new_normal',
      });
    });

    test('of a route without enough requests is not judged', async () => {
      const frozen = { ...numbers(await verdictOf('/edges')), route: '/thin-after' };
      expect(await verdictOf('/thin-after', {}, [open(frozen, NOW)])).toBeUndefined();
    });

    test('of a thin baseline is judged by its own', async () => {
      const frozen = { ...numbers(await verdictOf('/edges')), route: '/new' };
      expect(await verdictOf('/new', {}, [open(frozen, NOW)])).toMatchObject({ active: true });
    });
  });

  test('an alert that had to wait for its `for` is slow since before its window', async () => {
    await seedRollup(engine, [...minutes('/waited', 65, 12, 10, fast), ...minutes('/waited', 12, 0, 100, slow)]);
    const frozen = { ...numbers(await verdictOf('/edges')), route: '/waited' };
    const fired: Transition = {
      fingerprint: 'f',
      rule: 'latency',
      labels: {},
      from: 'pending',
      to: 'firing',
      startsAtMs: NOW - 10 * MINUTE,
      endsAtMs: null,
      atMs: NOW,
      evidence: frozen,
      latest: {},
      resolution: null,
    };
    expect((await latencyRule(OPTIONS).enrich([fired], context())).get('f')).toMatchObject({
      onset: new Date(AT - 12 * MINUTE).toISOString(),
    });
  });

  test('one slow minute long ago does not move the onset, and a failed read is said, not thrown', async () => {
    await seedRollup(engine, [
      ...minutes('/onset', 65, 5, 10, fast),
      ...minutes('/onset', 5, 4, 100, slow),
      ...minutes('/onset', 4, 2, 100, fast),
      ...minutes('/onset', 2, 0, 100, slow),
    ]);
    const rule = latencyRule(OPTIONS);
    const verdict = await verdictOf('/onset');
    const fired: Transition = {
      fingerprint: 'f',
      rule: 'latency',
      labels: verdict?.labels ?? {},
      from: 'pending',
      to: 'firing',
      startsAtMs: NOW,
      endsAtMs: null,
      atMs: NOW,
      evidence: verdict?.evidence ?? {},
      latest: {},
      resolution: null,
    };
    expect((await rule.enrich([fired], context())).get('f')).toEqual({
      onset: new Date(AT - 2 * MINUTE).toISOString(),
      slowestTraces: [],
      suspectDeploy: null,
      notes: [],
    });
    const broken = { ...context(), store: { query: () => Promise.reject(new Error('store down')) } };
    expect((await rule.enrich([fired], broken)).get('f')).toEqual({
      onset: new Date(AT - 5 * MINUTE).toISOString(),
      slowestTraces: [],
      suspectDeploy: null,
      notes: [
        'traces could not be read: store down',
        'the onset could not be read: store down',
        'deploys could not be read: store down',
      ],
    });
  });
});

describe('suspect deploy', () => {
  const deployAt = (service: string, ...offsetsMs: number[]): Promise<void> =>
    seedDeploys(
      engine,
      offsetsMs.map((offsetMs) => ({ service, atMs: AT + offsetMs, sha: `sha${offsetMs}`, id: String(offsetMs) })),
    );
  /** Goroutines of a service whose onset lies in [AT, AT + 10 min), beside another that began long before. */
  const suspectOf = async (service: string) => {
    const fired: Transition = {
      fingerprint: service,
      rule: 'goroutines',
      labels: {},
      from: 'pending',
      to: 'firing',
      startsAtMs: NOW,
      endsAtMs: null,
      atMs: NOW,
      evidence: { kind: 'goroutines', service, since: new Date(AT).toISOString() },
      latest: {},
      resolution: null,
    };
    const rule = goroutineRule({ windowMs: 600_000, windows: 4, minGrowth: 1, forMs: 0 });
    const since = new Date(AT - 600 * MINUTE).toISOString();
    const earlier = { ...fired, fingerprint: 'x', evidence: { kind: 'goroutines', service: 'x', since } };
    const later = { ...earlier, evidence: { ...earlier.evidence, since: new Date(AT + 60 * MINUTE).toISOString() } };
    return (await rule.enrich([earlier, fired, later], context())).get(service)?.['suspectDeploy'];
  };

  test('is the newest from half an hour before the onset to the end of its grain', async () => {
    await deployAt('inside', -30 * MINUTE, -10 * MINUTE, 11 * MINUTE);
    expect(await suspectOf('inside')).toEqual({
      time: new Date(AT - 10 * MINUTE).toISOString(),
      version: null,
      sha: 'sha-600000',
      repository: 'o/shop',
      environment: 'production',
      status: 'success',
      source: 'event',
      id: '-600000',
    });
    await deployAt('edge', -30 * MINUTE, 10 * MINUTE);
    expect(await suspectOf('edge')).toMatchObject({ id: String(10 * MINUTE) });
  });

  test('is null where none is known: too old, too late, of another service', async () => {
    await deployAt('outside', -30 * MINUTE - 1, 10 * MINUTE + 1);
    expect(await suspectOf('outside')).toBeNull();
    expect(await suspectOf('never deployed')).toBeNull();
  });
});

describe('goroutines', () => {
  const rule = goroutineRule({ windowMs: 600_000, windows: 4, minGrowth: 1, forMs: 0 });
  const labels = { service: 'shop', target: 'shop-1', stack: stackOf('main.main;main.leak;runtime.gopark') };
  /** A profile every two minutes of the last forty; `stacks` by minutes ago. */
  const profiles = (target: string, stacks: (minutesAgo: number) => Record<string, number>): SeedProfile[] =>
    Array.from({ length: 20 }, (_, index) => 39 - 2 * index).map((ago) => ({
      service: 'shop',
      target,
      atMs: NOW - ago * MINUTE,
      stacks: stacks(ago),
    }));
  const open = (of: Readonly<Record<string, string>>): OpenAlert => ({
    fingerprint: 'f',
    rule: 'goroutines',
    labels: of,
    status: 'firing',
    startsAtMs: AT,
    firedAtMs: AT,
    judgedAtMs: AT,
    heldMs: 0,
    clearCount: 0,
    clearAtMs: null,
    missingMs: 0,
    evidence: {},
    latest: {},
  });

  test.each([
    [[10, 20, 30, 40], 0, 'a steady leak began in the oldest window'],
    [[1, 2, 3, 45], 2, 'a pool that crept up before does not move the onset back'],
    [[0, 8, 503, 990], 1, 'a leak that began late in a window began in it'],
    [[], 0, 'nothing known, nothing moved'],
  ])('of minima %j the onset lies in window %i: %s', (minima, window) => {
    expect(onsetWindow(minima)).toBe(window);
  });

  test('each suspect is an alert of service, target and stack, with its minima', async () => {
    await loadProfiles(
      engine,
      profiles('shop-1', (ago) => ({ 'main.main;main.leak;runtime.gopark': 50 - ago, 'main.main;main.steady': 5 })),
    );
    expect(await rule.evaluate([], context())).toEqual([
      {
        labels,
        active: true,
        evidence: {
          kind: 'goroutines',
          ...labels,
          function: 'main.leak',
          location: 'main.go:2',
          functions: ['main.main', 'main.leak', 'runtime.gopark'],
          minima: [11, 21, 31, 41],
          before: 11,
          after: 41,
          growth: 30,
          n: 20,
          windowSeconds: 600,
          since: new Date(NOW - 40 * MINUTE).toISOString(),
        },
      },
    ]);
  });

  test('a stack that is gone is over only where the target was polled in every window', async () => {
    const steady = { ...labels, stack: stackOf('main.main;main.steady') };
    const unwatched = { ...labels, target: 'shop-2' };
    const seen = profiles('shop-2', () => ({ 'main.main;main.leak;runtime.gopark': 3 }));
    const isThird = (ms: number): boolean => ms >= NOW - 30 * MINUTE && ms < NOW - 20 * MINUTE;
    await loadProfiles(
      engine,
      seen.filter(({ atMs }) => !isThird(atMs)),
    );
    const failed = { service: 'shop', target: 'shop-2', reason: '', duration_ms: 1, bytes: 0, total: null };
    await loadRows(engine, 'target_polls', [
      { ...failed, time_ms: NOW - 25 * MINUTE, kind: 'goroutine', outcome: 'timeout' },
      { ...failed, time_ms: NOW - 24 * MINUTE, kind: 'cpu', outcome: 'ok' },
    ]);
    const judge = async () =>
      (await rule.evaluate([open(labels), open(steady), open(unwatched)], context())).map((each) => [
        each.labels,
        each.active,
      ]);
    expect(await judge()).toEqual([
      [labels, true],
      [steady, false],
    ]);
    await loadProfiles(
      engine,
      seen.filter(({ atMs }) => isThird(atMs)),
    );
    expect(await judge()).toEqual([
      [labels, true],
      [steady, false],
      [unwatched, false],
    ]);
  });

  test('a suspect that grew by less than minGrowth is no alert', async () => {
    await loadProfiles(
      engine,
      profiles('small', (ago) => ({ 'main.main;main.small;runtime.gopark': 50 - ago })),
    );
    const grown = async (minGrowth: number): Promise<number> => {
      const verdicts = await goroutineRule({ windowMs: 600_000, windows: 4, minGrowth, forMs: 0 }).evaluate(
        [],
        context(),
      );
      return verdicts.filter((each) => each.labels['target'] === 'small').length;
    };
    expect(await grown(30)).toBe(1);
    expect(await grown(31)).toBe(0);
  });
});

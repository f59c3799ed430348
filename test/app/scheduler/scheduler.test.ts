import { describe, expect, test } from 'vitest';
import { createScheduler, type Scheduler } from '../../../app/scheduler/scheduler.ts';
import type { Task, TaskRun, TaskStats } from '../../../app/scheduler/task.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { memoryLog } from '../../support/memory-log.ts';

const HOUR_MS = 3_600_000;
const START = Date.parse('2026-01-01T00:00:00Z');

function setUp(options: { workers?: number; random?: () => number } = {}) {
  const clock = new FakeClock(START);
  const log = memoryLog();
  const runs: TaskRun[] = [];
  const scheduler = createScheduler({ clock, log, random: () => 0.5, onRun: (run) => runs.push(run), ...options });
  return { clock, log, runs, scheduler };
}

type Overrides = Partial<Omit<Task, 'cron' | 'intervalMs'>> & { intervalMs?: number };

function every(intervalMs: number, overrides: Overrides = {}): Task {
  return {
    id: 'job',
    run: async () => {},
    initialDelayMs: 0,
    intervalMs,
    timeoutMs: 60_000,
    overlap: 'skip',
    ...overrides,
  };
}

function statsOf(scheduler: Scheduler, id = 'job'): TaskStats {
  const stats = scheduler.stats().find((each) => each.id === id);
  if (stats === undefined) throw new Error(`no task ${id}`);
  return stats;
}

/** A job that takes its time on the fake clock and, if told to, gives up when asked. */
function takes(clock: FakeClock, ms: number, obedient = false): Task['run'] {
  return (signal) =>
    new Promise((resolve, reject) => {
      clock.after(ms, resolve);
      if (obedient) signal.addEventListener('abort', () => reject(signal.reason));
    });
}

describe('intervals', () => {
  test('the first run comes after the initial delay, then at a fixed rate', async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.add(every(1_000, { initialDelayMs: 300, run: takes(clock, 400) }));
    await clock.advance(500);
    expect(runs).toEqual([]);
    scheduler.start();
    await clock.advance(3_500);
    expect(runs.map((run) => run.startedMs - START)).toEqual([800, 1_800, 2_800]);
    expect(runs[0]).toEqual({
      id: 'job',
      dueMs: START + 800,
      startedMs: START + 800,
      endedMs: START + 1_200,
      lagMs: 0,
      outcome: 'ok',
    });
  });

  test('a task added to a started scheduler counts from there', async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.start();
    await clock.advance(250);
    scheduler.add(every(1_000, { initialDelayMs: 100 }));
    await clock.advance(1_200);
    expect(runs.map((run) => run.startedMs - START)).toEqual([350, 1_350]);
  });

  test('jitter delays a tick by its share of the interval and does not add up', async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.add(every(1_000, { jitterRatio: 0.2 }));
    scheduler.start();
    await clock.advance(3_500);
    expect(runs.map((run) => run.startedMs - START)).toEqual([100, 1_100, 2_100, 3_100]);
  });

  test('a step of the wall clock moves no interval', async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.add(every(1_000));
    scheduler.start();
    await clock.advance(1_500);
    clock.stepWall(-86_400_000);
    await clock.advance(1_000);
    expect(runs).toHaveLength(3);
    expect(runs[2]?.lagMs).toBe(0);
  });

  test('a task due in 60 days is waited for an hour at a time', async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.add(every(60 * 24 * HOUR_MS, { initialDelayMs: 60 * 24 * HOUR_MS }));
    scheduler.start();
    await clock.advance(60 * 24 * HOUR_MS - 1);
    expect(Math.max(...clock.delaysMs)).toBe(HOUR_MS);
    expect(runs).toHaveLength(0);
    await clock.advance(1);
    expect(runs).toHaveLength(1);
  });
});

describe('ticks that cannot run', () => {
  test('a job that is still busy skips its ticks, counts them and keeps its rate', async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.add(every(1_000, { run: takes(clock, 2_500) }));
    scheduler.start();
    await clock.advance(6_100);
    expect(runs.map((run) => run.startedMs - START)).toEqual([0, 3_000]);
    expect(statsOf(scheduler)).toMatchObject({ runs: 2, missed: 4, state: 'running' });
  });

  test('ticks that went by while the process stood still are counted, not replayed', async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.add(every(1_000));
    scheduler.start();
    await clock.advance(500);
    clock.stall(10_000);
    await clock.advance(1_000);
    expect(runs.map((run) => [run.startedMs - START, run.lagMs])).toEqual([
      [0, 0],
      [10_500, 9_500],
      [11_000, 0],
    ]);
    expect(statsOf(scheduler).missed).toBe(9);
  });
});

describe('workers', () => {
  test('no more run at once than there are, the rest wait in order and the wait is lag', async () => {
    const { clock, runs, scheduler } = setUp({ workers: 2 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) scheduler.add(every(HOUR_MS, { id, run: takes(clock, 100) }));
    scheduler.start();
    await clock.advance(50);
    expect(scheduler.stats().map((stats) => stats.state)).toEqual([
      'running',
      'running',
      'waiting',
      'waiting',
      'waiting',
    ]);
    await clock.advance(300);
    expect(runs.map((run) => [run.id, run.lagMs])).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 100],
      ['d', 100],
      ['e', 200],
    ]);
  });

  test('a cancelled task leaves the queue', async () => {
    const { clock, runs, scheduler } = setUp({ workers: 1 });
    scheduler.add(every(HOUR_MS, { id: 'a', run: takes(clock, 100) }));
    const waiting = scheduler.add(every(HOUR_MS, { id: 'b' }));
    scheduler.add(every(HOUR_MS, { id: 'c' }));
    scheduler.start();
    await clock.advance(10);
    await waiting.cancel();
    await clock.advance(200);
    expect(runs.map((run) => run.id)).toEqual(['a', 'c']);
  });
});

describe('time-outs', () => {
  test('abort the signal, and the slot is free once the run has settled', async () => {
    const { clock, log, runs, scheduler } = setUp({ workers: 1 });
    scheduler.add(every(HOUR_MS, { id: 'slow', timeoutMs: 1_000, run: takes(clock, 5_000, true) }));
    scheduler.add(every(HOUR_MS, { id: 'next' }));
    scheduler.start();
    await clock.advance(999);
    expect(runs).toEqual([]);
    await clock.advance(1);
    expect(runs.map((run) => [run.id, run.outcome, run.endedMs - START])).toEqual([
      ['slow', 'timeout', 1_000],
      ['next', 'ok', 1_000],
    ]);
    expect(statsOf(scheduler, 'slow')).toMatchObject({
      runs: 1,
      failures: 1,
      timeouts: 1,
      lastOutcome: 'timeout',
      lastDurationMs: 1_000,
    });
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { task: 'slow', timeoutMs: 1_000 } }]);
  });

  test('a job that ignores its signal keeps its slot and is a time-out all the same', async () => {
    const { clock, runs, scheduler } = setUp({ workers: 1 });
    scheduler.add(every(HOUR_MS, { id: 'deaf', timeoutMs: 1_000, run: takes(clock, 5_000) }));
    scheduler.add(every(HOUR_MS, { id: 'next' }));
    scheduler.start();
    await clock.advance(4_999);
    expect(runs).toEqual([]);
    await clock.advance(1);
    expect(runs.map((run) => [run.id, run.outcome])).toEqual([
      ['deaf', 'timeout'],
      ['next', 'ok'],
    ]);
  });

  test('a run that ends in time leaves no time-out behind', async () => {
    const { clock, log, scheduler } = setUp();
    scheduler.add(every(10_000, { timeoutMs: 1_000 }));
    scheduler.start();
    await clock.advance(35_000);
    expect(statsOf(scheduler)).toMatchObject({ runs: 4, failures: 0, timeouts: 0 });
    expect(log.lines).toEqual([]);
  });
});

describe('failures', () => {
  test('a job that throws, at once or later, is logged and counted and runs again', async () => {
    const { clock, log, runs, scheduler } = setUp();
    let calls = 0;
    const boom = new Error('boom');
    const run = () => {
      calls += 1;
      if (calls === 1) throw boom;
      return calls === 2 ? Promise.reject(boom) : Promise.resolve();
    };
    scheduler.add(every(1_000, { run }));
    scheduler.start();
    await clock.advance(2_500);
    expect(runs.map((each) => each.outcome)).toEqual(['error', 'error', 'ok']);
    expect(runs[0]?.error).toBe(boom);
    expect(statsOf(scheduler)).toMatchObject({ runs: 3, failures: 2, timeouts: 0, lastOutcome: 'ok' });
    expect(log.lines.map((line) => [line.level, line.fields['task'], line.fields['err']])).toEqual([
      ['error', 'job', boom],
      ['error', 'job', boom],
    ]);
  });

  test('an onRun that throws costs nobody a run', async () => {
    const clock = new FakeClock(START);
    const log = memoryLog();
    const onRun = () => {
      throw new Error('no room for metrics');
    };
    const scheduler = createScheduler({ clock, log, random: () => 0, workers: 1, onRun });
    scheduler.add(every(1_000));
    scheduler.start();
    await clock.advance(2_500);
    expect(statsOf(scheduler).runs).toBe(3);
    expect(log.lines).toHaveLength(3);
  });
});

describe('cancelling', () => {
  test('aborts the run under way, resolves when it has settled and frees id and slot', async () => {
    const { clock, runs, scheduler } = setUp({ workers: 1 });
    const handle = scheduler.add(every(1_000, { run: takes(clock, 5_000, true) }));
    scheduler.start();
    await clock.advance(200);
    await handle.cancel();
    expect(runs.map((run) => [run.outcome, run.endedMs - START])).toEqual([['cancelled', 200]]);
    expect(scheduler.stats()).toEqual([]);
    scheduler.add(every(1_000));
    await clock.advance(500);
    expect(runs.at(-1)?.outcome).toBe('ok');
  });

  test('keeps the id while a deaf run is still under way, so that it cannot meet its successor', async () => {
    const { clock, scheduler } = setUp();
    const handle = scheduler.add(every(1_000, { run: takes(clock, 500) }));
    scheduler.start();
    await clock.advance(100);
    let cancelled = false;
    void handle.cancel().then(() => {
      cancelled = true;
    });
    await clock.advance(100);
    expect(cancelled).toBe(false);
    expect(() => scheduler.add(every(1_000))).toThrow(/id is taken/);
    await clock.advance(400);
    expect(cancelled).toBe(true);
    scheduler.add(every(1_000));
  });
});

describe('calendar rules', () => {
  const nightly = (overrides: Overrides = {}): Task => {
    const { intervalMs: _, ...rest } = every(1, overrides);
    return { ...rest, cron: { pattern: '0 4 * * *', zone: 'UTC' } } as Task;
  };

  test('run when the wall clock says so', async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.add(nightly());
    scheduler.start();
    expect(statsOf(scheduler).nextDueMs).toBe(START + 4 * HOUR_MS);
    await clock.advance(29 * HOUR_MS);
    expect(runs.map((run) => (run.startedMs - START) / HOUR_MS)).toEqual([4, 28]);
  });

  test('the initial delay passes over instants that lie in it', async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.add(nightly({ initialDelayMs: 5 * HOUR_MS }));
    scheduler.start();
    await clock.advance(29 * HOUR_MS);
    expect(runs.map((run) => (run.startedMs - START) / HOUR_MS)).toEqual([28]);
  });

  test('a wall clock set forward is noticed within a minute, and what it jumped over is counted', async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.add(nightly());
    scheduler.start();
    await clock.advance(HOUR_MS);
    clock.stepWall(51 * HOUR_MS); // two nights
    await clock.advance(60_000);
    expect(runs).toHaveLength(1);
    expect(statsOf(scheduler).missed).toBe(2);
    expect(statsOf(scheduler).nextDueMs).toBe(START + 76 * HOUR_MS);
  });

  test('a wall clock set back runs no instant twice and none early', async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.add(nightly());
    scheduler.start();
    await clock.advance(4 * HOUR_MS + 1);
    clock.stepWall(-2 * HOUR_MS);
    await clock.advance(25 * HOUR_MS);
    expect(runs).toHaveLength(1);
    await clock.advance(HOUR_MS);
    expect(runs).toHaveLength(2);
  });

  test('a wall clock set back before the first instant runs nothing early', async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.add(nightly());
    scheduler.start();
    await clock.advance(4 * HOUR_MS - 1);
    clock.stepWall(-60 * 60_000);
    await clock.advance(HOUR_MS);
    expect(runs).toHaveLength(0);
    await clock.advance(1);
    expect(runs).toHaveLength(1);
    expect(runs[0]?.startedMs).toBe(START + 4 * HOUR_MS);
  });

  test('a rule that never comes round is said so once', async () => {
    const { clock, log, scheduler } = setUp();
    scheduler.add({ ...nightly(), cron: { pattern: '0 0 30 2 *', zone: 'UTC' } } as Task);
    scheduler.start();
    await clock.advance(24 * HOUR_MS);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { task: 'job' } }]);
    expect(statsOf(scheduler).nextDueMs).toBe(null);
  });
});

describe('stopping', () => {
  test('starts nothing new and lets a run finish', async () => {
    const { clock, runs, scheduler } = setUp({ workers: 1 });
    scheduler.add(every(1_000, { id: 'a', run: takes(clock, 700) }));
    scheduler.add(every(1_000, { id: 'b' }));
    scheduler.start();
    await clock.advance(10);
    const stopped = scheduler.stop(5_000);
    await clock.advance(690);
    await stopped;
    expect(runs.map((run) => [run.id, run.outcome])).toEqual([['a', 'ok']]);
    await clock.advance(10_000);
    expect(runs).toHaveLength(1);
    expect(clock.timers).toBe(0);
  });

  test('aborts a long run in time for it to obey before the deadline', async () => {
    const { clock, log, runs, scheduler } = setUp();
    scheduler.add(every(1_000, { run: takes(clock, 60_000, true) }));
    scheduler.start();
    await clock.advance(10);
    const stopped = scheduler.stop(4_000);
    await clock.advance(3_000);
    await stopped;
    expect(runs.map((run) => [run.outcome, run.endedMs - START])).toEqual([['cancelled', 3_010]]);
    expect(log.lines).toEqual([]);
  });

  test('does not wait beyond its deadline for a run that will not end, and names it', async () => {
    const { clock, log, scheduler } = setUp();
    scheduler.add(every(1_000, { run: () => new Promise(() => {}) }));
    scheduler.start();
    await clock.advance(10);
    const stopped = Promise.all([scheduler.stop(4_000), scheduler.stop(4_000)]);
    await clock.advance(4_000);
    await stopped;
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { tasks: ['job'] } }]);
    expect(clock.timers).toBe(0);
  });
});

describe('tasks that could not be kept are refused by name', () => {
  test.each([
    [{ id: '' }, /id is not empty/],
    [{ intervalMs: 0 }, /"job": intervalMs/],
    [{ intervalMs: Number.POSITIVE_INFINITY }, /intervalMs is finite/],
    [{ timeoutMs: 0 }, /timeoutMs/],
    [{ initialDelayMs: -1 }, /initialDelayMs/],
    [{ jitterRatio: 1.5 }, /jitterRatio/],
  ])('%o', (overrides, reason) => {
    expect(() => setUp().scheduler.add(every(1_000, overrides))).toThrow(reason);
  });

  test('and so is a second one with the same id', () => {
    const { scheduler } = setUp();
    scheduler.add(every(1_000));
    expect(() => scheduler.add(every(1_000))).toThrow(/"job": the id is taken/);
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createScheduler } from '../../../app/scheduler/scheduler.ts';
import type { Task, TaskHandle, TaskRun } from '../../../app/scheduler/task.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { memoryLog } from '../../support/memory-log.ts';

interface Plan {
  delayMs: number;
  intervalMs: number;
  jitterRatio: number;
  timeoutMs: number;
  takesMs: number[];
  ending: 'ok' | 'throws' | 'deaf';
  cancelAfterMs: number | undefined;
}

const plan = fc.record({
  delayMs: fc.nat(2_000),
  intervalMs: fc.integer({ min: 1, max: 1_500 }),
  jitterRatio: fc.constantFrom(0, 0.1, 1),
  timeoutMs: fc.integer({ min: 1, max: 1_000 }),
  takesMs: fc.array(fc.nat(2_000), { minLength: 1, maxLength: 4 }),
  ending: fc.constantFrom('ok' as const, 'throws' as const, 'deaf' as const),
  cancelAfterMs: fc.option(fc.nat(4_000), { nil: undefined, freq: 4 }),
});

const scenario = fc.record({
  plans: fc.array(plan, { minLength: 1, maxLength: 8 }),
  workers: fc.integer({ min: 1, max: 3 }),
  steps: fc.array(fc.record({ ms: fc.integer({ min: 1, max: 700 }), stalled: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  }),
  randoms: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 5 }),
});

/** Watches the runs from inside, where overlap and crowding would show. */
class Witness {
  readonly busy = new Set<string>();
  readonly begun = new Map<string, number>();
  most = 0;

  enter(id: string): void {
    expect(this.busy.has(id), `${id} met itself`).toBe(false);
    this.busy.add(id);
    this.begun.set(id, (this.begun.get(id) ?? 0) + 1);
    this.most = Math.max(this.most, this.busy.size);
  }

  leave(id: string): void {
    this.busy.delete(id);
  }
}

function taskOf(id: string, each: Plan, clock: FakeClock, witness: Witness): Task {
  let calls = 0;
  const run = async (signal: AbortSignal) => {
    witness.enter(id);
    const takesMs = each.takesMs[calls++ % each.takesMs.length] ?? 0;
    try {
      await new Promise<void>((resolve, reject) => {
        clock.after(takesMs, () => (each.ending === 'throws' ? reject(new Error(id)) : resolve()));
        if (each.ending !== 'deaf') signal.addEventListener('abort', () => reject(signal.reason));
      });
    } finally {
      witness.leave(id);
    }
  };
  const { delayMs, intervalMs, jitterRatio, timeoutMs } = each;
  return { id, run, initialDelayMs: delayMs, intervalMs, jitterRatio, timeoutMs, overlap: 'skip' };
}

test('whatever the load: nothing early, nothing twice at once, nothing uncounted, and stop keeps its deadline', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ plans, workers, steps, randoms }) => {
      const clock = new FakeClock();
      const startMs = clock.nowMs();
      const witness = new Witness();
      const runs: TaskRun[] = [];
      let drawn = 0;
      const random = () => randoms[drawn++ % randoms.length] ?? 0;
      const scheduler = createScheduler({ clock, log: memoryLog(), random, workers, onRun: (run) => runs.push(run) });
      const handles = plans.map((each, i): [TaskHandle, Plan] => [
        scheduler.add(taskOf(`t${i}`, each, clock, witness)),
        each,
      ]);
      scheduler.start();
      for (const [handle, each] of handles) {
        if (each.cancelAfterMs !== undefined) clock.after(each.cancelAfterMs, () => void handle.cancel());
      }
      for (const step of steps) {
        if (step.stalled) clock.stall(step.ms);
        else await clock.advance(step.ms);
      }
      await clock.advance(0);

      const elapsedMs = clock.nowMs() - startMs;
      const stats = new Map(scheduler.stats().map((each) => [each.id, each]));
      expect(witness.most).toBeLessThanOrEqual(workers);
      for (const [i, each] of plans.entries()) {
        const id = `t${i}`;
        for (const run of runs.filter((one) => one.id === id)) {
          expect(run.lagMs).toBeGreaterThanOrEqual(0);
          expect(run.endedMs).toBeGreaterThanOrEqual(run.startedMs);
          // A due instant lies on the fixed grid, delayed by at most its share of jitter.
          const offGridMs = (run.dueMs - startMs - each.delayMs) % each.intervalMs;
          expect(run.dueMs - startMs).toBeGreaterThanOrEqual(each.delayMs - 1e-6);
          if (each.jitterRatio === 0) expect(Math.min(offGridMs, each.intervalMs - offGridMs)).toBeCloseTo(0, 5);
        }
        const known = stats.get(id);
        if (known === undefined || each.jitterRatio !== 0 || each.cancelAfterMs !== undefined) continue;
        // Every tick so far has run, runs, waits or was missed.
        const ticks = elapsedMs < each.delayMs ? 0 : Math.floor((elapsedMs - each.delayMs) / each.intervalMs) + 1;
        const waiting = known.state === 'waiting' ? 1 : 0;
        expect((witness.begun.get(id) ?? 0) + waiting + known.missed).toBe(ticks);
      }

      const begun = [...witness.begun.values()].reduce((sum, n) => sum + n, 0);
      let stopped = false;
      void scheduler.stop(1_000).then(() => {
        stopped = true;
      });
      await clock.advance(1_000);
      expect(stopped).toBe(true);
      await clock.advance(5_000);
      expect([...witness.begun.values()].reduce((sum, n) => sum + n, 0)).toBe(begun);
      expect(witness.busy.size).toBe(0);
      expect(runs).toHaveLength(begun);
    }),
    { numRuns: 150 },
  );
});

test('a hundred thousand tasks each run when they are due', async () => {
  const clock = new FakeClock();
  const scheduler = createScheduler({ clock, log: memoryLog(), random: () => 0, workers: 8 });
  const n = 100_000;
  let ran = 0;
  const run = async () => {
    ran += 1;
  };
  for (let i = 0; i < n; i += 1) {
    scheduler.add({
      id: `t${i}`,
      run,
      initialDelayMs: (i * 7_919) % 100,
      intervalMs: 60_000,
      timeoutMs: 1_000,
      overlap: 'skip',
    });
  }
  scheduler.start();
  await clock.advance(49);
  expect(ran).toBe(n / 2);
  await clock.advance(50);
  expect(ran).toBe(n);
  expect(scheduler.stats().every((stats) => stats.missed === 0)).toBe(true);
});

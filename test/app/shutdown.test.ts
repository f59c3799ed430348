import { expect, test } from 'vitest';
import { type ShutdownStep, shutDown } from '../../app/shutdown.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { memoryLog } from '../support/memory-log.ts';

const never = (): Promise<void> => new Promise(() => {});

test('steps run in order, each told what is left of the deadline', async () => {
  const clock = new FakeClock();
  const seen: [string, number][] = [];
  const step = (name: string, takesMs: number): ShutdownStep => ({
    name,
    run: (remainingMs) => {
      seen.push([name, remainingMs]);
      return new Promise((resolve) => clock.after(takesMs, () => resolve(undefined)));
    },
  });
  const stopping = shutDown([step('door', 1000), step('journal', 500), step('engine', 0)], 5000, clock, memoryLog());
  await clock.advance(1000);
  await clock.advance(500);
  await clock.advance(0);
  expect(await stopping).toEqual({ unfinished: [], tookMs: 1500 });
  expect(seen).toEqual([
    ['door', 5000],
    ['journal', 4000],
    ['engine', 3500],
  ]);
});

test('a step that hangs costs the rest of the deadline, and the steps after it still run', async () => {
  const clock = new FakeClock();
  let released = false;
  const log = memoryLog();
  const steps: ShutdownStep[] = [
    { name: 'loader', run: never },
    { name: 'lock', run: async () => void (released = true) },
  ];
  const stopping = shutDown(steps, 5000, clock, log);
  await clock.advance(5000);
  const { unfinished, tookMs } = await stopping;
  expect(unfinished).toContain('loader');
  expect(tookMs).toBe(5000);
  expect(released).toBe(true);
  expect(log.lines.map((line) => line.message)).toContain('shutdown step unfinished');
});

test('a step that throws is named, and the others run', async () => {
  const clock = new FakeClock();
  const ran: string[] = [];
  const steps: ShutdownStep[] = [
    { name: 'page', run: () => Promise.reject(new Error('already closed')) },
    { name: 'engine', run: async () => void ran.push('engine') },
  ];
  expect((await shutDown(steps, 5000, clock, memoryLog())).unfinished).toEqual(['page']);
  expect(ran).toEqual(['engine']);
});

/** Stopping in order, within a deadline. What is acked is on disk before, so a deadline that passes loses nothing. */
import type { Clock, Log } from '../core/ports.ts';

export interface ShutdownStep {
  name: string;
  /** `remainingMs` is what is left of the deadline when the step begins; the step should settle within it. */
  run(remainingMs: number): Promise<unknown>;
}

/** Registers the way to stop what has just been started. What starts last stops first. */
export type OnStop = (name: string, run: (remainingMs: number) => Promise<unknown>) => void;

export interface ShutdownResult {
  /** Steps that did not settle in time or failed, by name. */
  unfinished: string[];
  tookMs: number;
}

/** Runs the steps one after another. A step that throws or hangs costs its own share, never the steps after it. */
export async function shutDown(
  steps: readonly ShutdownStep[],
  deadlineMs: number,
  clock: Clock,
  log: Log,
): Promise<ShutdownResult> {
  const startedMs = clock.monotonicMs();
  const unfinished: string[] = [];
  for (const step of steps) {
    const remainingMs = Math.max(0, deadlineMs - (clock.monotonicMs() - startedMs));
    const outcome = await settleWithin(step.run(remainingMs), remainingMs, clock);
    if (outcome === 'done') continue;
    unfinished.push(step.name);
    log.warn({ step: step.name, outcome }, 'shutdown step unfinished');
  }
  return { unfinished, tookMs: clock.monotonicMs() - startedMs };
}

function settleWithin(promise: Promise<unknown>, limitMs: number, clock: Clock): Promise<'done' | 'failed' | 'late'> {
  return new Promise((resolve) => {
    const timer = clock.after(limitMs, () => resolve('late'));
    promise
      .then(
        () => resolve('done'),
        () => resolve('failed'),
      )
      .finally(() => timer.cancel());
  });
}

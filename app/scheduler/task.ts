/** What a periodic job is, and what is known of it. */
import type { CalendarRule } from './calendar.ts';

interface TaskBase {
  /** Unique among the tasks of a scheduler; label of its metrics and name of its spans. */
  id: string;
  /** The work. It should obey the signal: a run that ignores its time-out keeps its worker slot until it settles. */
  run(signal: AbortSignal): Promise<void>;
  /** From start (or from `add` on a started scheduler) to the first tick; calendar rules begin to count after it. */
  initialDelayMs: number;
  /** Each tick is delayed by up to this share (0..1) of the interval, drawn anew. Never earlier than the plain tick. */
  jitterRatio?: number;
  timeoutMs: number;
  /** A tick that meets the previous run, waiting or running, is skipped and counted as missed. */
  overlap: 'skip';
}

/** A job with a fixed rate or with a calendar rule, never both. */
export type Task = TaskBase & ({ intervalMs: number; cron?: never } | { cron: CalendarRule; intervalMs?: never });

export type Outcome = 'ok' | 'error' | 'timeout' | 'cancelled';

/** One measured run. Times are Unix ms, anchored at the wall clock of the start and spaced by the monotonic one. */
export interface TaskRun {
  id: string;
  dueMs: number;
  startedMs: number;
  endedMs: number;
  /** From due to started: late timer plus wait for a worker. */
  lagMs: number;
  outcome: Outcome;
  /** What the run threw, where it threw. */
  error?: unknown;
}

export interface TaskStats {
  id: string;
  state: 'idle' | 'waiting' | 'running';
  /** Runs that have settled, whatever their outcome. */
  runs: number;
  /** Runs with outcome `error` or `timeout`. */
  failures: number;
  timeouts: number;
  /** Ticks that did not run: the job was still busy, or they lay wholly in a time the process did not see. */
  missed: number;
  lastOutcome: Outcome | null;
  lastDurationMs: number | null;
  lastLagMs: number | null;
  /** Unix ms of the next tick, null when there is none. */
  nextDueMs: number | null;
}

export interface TaskHandle {
  readonly id: string;
  /** No further run; aborts one that is under way. Resolves when it has settled; until then the id stays taken. */
  cancel(): Promise<void>;
}

/** Refuses a task that could not be kept. Throws RangeError naming the task and the rule. */
export function checkTask(task: Task): void {
  const rule = brokenRule(task);
  if (rule !== undefined) throw new RangeError(`task ${JSON.stringify(task.id)}: ${rule}`);
}

function brokenRule({ id, initialDelayMs, intervalMs, cron, jitterRatio = 0, timeoutMs }: Task): string | undefined {
  if (id === '') return 'id is not empty';
  if (!(initialDelayMs >= 0 && initialDelayMs < Number.POSITIVE_INFINITY)) return 'initialDelayMs is 0 or more';
  if (!(timeoutMs > 0 && timeoutMs < Number.POSITIVE_INFINITY)) return 'timeoutMs is more than 0';
  if (!(jitterRatio >= 0 && jitterRatio <= 1)) return 'jitterRatio is between 0 and 1';
  if ((cron === undefined) === (intervalMs === undefined)) return 'either intervalMs or cron is set';
  if (intervalMs !== undefined && !(intervalMs >= 1)) return 'intervalMs is 1 or more';
  if (intervalMs === Number.POSITIVE_INFINITY) return 'intervalMs is finite';
  return undefined;
}

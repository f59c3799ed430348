/**
 * One scheduler for every periodic job. It decides when a job runs and how long it may; what a job does, and what becomes
 * of its measurements, is the caller's.
 */
import type { Clock, Log, Timer } from '../../core/ports.ts';
import { createCalendar, type NextInstant } from './calendar.ts';
import { checkTask, type Outcome, type Task, type TaskHandle, type TaskRun, type TaskStats } from './task.ts';
import { intervalTick, nextCalendarTick, nextIntervalTick, type Random, type Tick } from './tick.ts';
import { type Entry, Timetable } from './timetable.ts';
import { Workers } from './workers.ts';

/** A run under way at `stop` may finish by itself for this share of the deadline; then its signal is aborted. */
const PATIENT_SHARE = 0.75;
/** Stands until the first tick is placed. */
const NO_TICK: Tick = { plainMs: 0, dueMs: 0 };

export interface SchedulerOptions {
  clock: Clock;
  log: Log;
  /** For jitter. */
  random: Random;
  /** Runs under way at once, all tasks together. Default 4. */
  workers?: number;
  /** Is handed every run once it has settled. */
  onRun?: (run: TaskRun) => void;
}

export interface Scheduler {
  /**
   * Adds a task, before or after `start`. Throws RangeError on a task that breaks a rule or an id that is taken, and
   * `bad_config` on a bad calendar rule.
   */
  add(task: Task): TaskHandle;
  start(): void;
  /** Ends all ticking and waits at most `deadlineMs` for the runs under way; late ones are aborted before that. */
  stop(deadlineMs: number): Promise<void>;
  stats(): TaskStats[];
}

/** A run is its own entry in the timetable, set to its time-out. */
interface Run extends Entry {
  readonly kind: 'run';
  readonly job: Job;
  readonly dueMs: number;
  readonly startedMs: number;
  readonly startedMonotonicMs: number;
  readonly abort: AbortController;
  /** Why the signal was aborted, null while it is not. */
  aborted: 'timeout' | 'cancelled' | null;
}

/** A job is its own entry in the timetable, set to its next tick. */
interface Job extends Entry {
  readonly kind: 'job';
  readonly task: Task;
  /** Set for calendar rules only. */
  readonly calendar: NextInstant | undefined;
  readonly stats: TaskStats;
  tick: Tick;
  /** Monotonic ms at which the waiting or running run fell due. */
  runDueMs: number;
  run: Run | undefined;
  cancelled: boolean;
  /** Called when a cancelled job has settled. */
  settled: (() => void)[];
}

/** Makes a scheduler. Nothing runs before `start`. */
export function createScheduler(options: SchedulerOptions): Scheduler {
  return new TaskScheduler(options);
}

class TaskScheduler implements Scheduler {
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly random: Random;
  private readonly onRun: (run: TaskRun) => void;
  private readonly calendar = createCalendar();
  private readonly timetable: Timetable<Job | Run>;
  private readonly workers: Workers<Job>;
  private readonly jobs = new Map<string, Job>();
  private readonly running = new Set<Job>();
  private started = false;
  private stopped: Promise<void> | undefined;
  private drained: () => void = () => {};

  constructor(options: SchedulerOptions) {
    this.clock = options.clock;
    this.log = options.log;
    this.random = options.random;
    this.onRun = options.onRun ?? (() => {});
    this.timetable = new Timetable(options.clock, (item, dueMs) => {
      if (item.kind === 'job') this.onTick(item, dueMs);
      else this.timeOut(item.job);
    });
    this.workers = new Workers(options.workers ?? 4, (job) => this.execute(job));
  }

  add(task: Task): TaskHandle {
    checkTask(task);
    if (this.jobs.has(task.id)) throw new RangeError(`task ${JSON.stringify(task.id)}: the id is taken`);
    const job = newJob(task, task.cron === undefined ? undefined : this.calendar(task.cron));
    this.jobs.set(task.id, job);
    if (this.started && this.stopped === undefined) this.placeFirst(job);
    return { id: task.id, cancel: () => this.cancel(job) };
  }

  start(): void {
    if (this.started || this.stopped !== undefined) return;
    this.started = true;
    this.timetable.batch(() => {
      for (const job of this.jobs.values()) this.placeFirst(job);
    });
  }

  stop(deadlineMs: number): Promise<void> {
    this.stopped ??= this.drain(deadlineMs);
    return this.stopped;
  }

  stats(): TaskStats[] {
    return [...this.jobs.values()].map((job) => ({
      ...job.stats,
      nextDueMs: this.timetable.dueWallMs(job),
    }));
  }

  private async drain(deadlineMs: number): Promise<void> {
    for (const job of this.jobs.values()) this.timetable.clear(job);
    for (const job of this.workers.withdrawAll()) job.stats.state = 'idle';
    if (this.running.size > 0) {
      const timers: Timer[] = [];
      await new Promise<void>((resolve) => {
        this.drained = resolve;
        timers.push(this.clock.after(deadlineMs * PATIENT_SHARE, () => this.abortAll()));
        timers.push(this.clock.after(deadlineMs, resolve));
      });
      for (const timer of timers) timer.cancel();
    }
    this.timetable.close();
    const tasks = [...this.running].map((job) => job.task.id);
    if (tasks.length > 0) this.log.warn({ tasks, deadlineMs }, 'stopped with runs that did not settle');
  }

  private async cancel(job: Job): Promise<void> {
    if (!job.cancelled) {
      job.cancelled = true;
      this.timetable.clear(job);
      if (job.stats.state === 'waiting') this.workers.withdraw(job);
      this.abort(job, 'cancelled');
      if (job.run === undefined) this.jobs.delete(job.task.id);
    }
    if (job.run !== undefined) await new Promise<void>((resolve) => job.settled.push(resolve));
  }

  private placeFirst(job: Job): void {
    const { task, calendar } = job;
    const jitterRatio = task.jitterRatio ?? 0;
    if (calendar !== undefined) {
      const fromMs = this.clock.nowMs() + task.initialDelayMs;
      this.place(job, nextCalendarTick(calendar, fromMs, jitterRatio, fromMs, this.random).tick);
    } else if (task.intervalMs !== undefined) {
      const firstMs = this.clock.monotonicMs() + task.initialDelayMs;
      this.place(job, intervalTick(firstMs, task.intervalMs, jitterRatio, this.random));
    }
  }

  private placeNext(job: Job): void {
    const { task, calendar, tick } = job;
    const jitterRatio = task.jitterRatio ?? 0;
    const next =
      calendar !== undefined
        ? nextCalendarTick(calendar, tick.plainMs, jitterRatio, this.clock.nowMs(), this.random)
        : nextIntervalTick(tick, task.intervalMs ?? 0, jitterRatio, this.clock.monotonicMs(), this.random);
    job.stats.missed += next.missed;
    this.place(job, next.tick);
  }

  private place(job: Job, tick: Tick | undefined): void {
    if (tick === undefined) {
      this.log.warn({ task: job.task.id }, 'the calendar rule of this task does not come round again');
      return;
    }
    job.tick = tick;
    if (job.calendar === undefined) this.timetable.setMonotonic(job, tick.dueMs);
    else this.timetable.setWall(job, tick.dueMs);
  }

  private onTick(job: Job, dueMs: number): void {
    this.placeNext(job);
    if (job.stats.state !== 'idle') {
      job.stats.missed += 1;
      return;
    }
    job.runDueMs = dueMs;
    job.stats.state = 'waiting';
    this.workers.offer(job);
  }

  private async execute(job: Job): Promise<void> {
    const run = this.begin(job);
    let thrown: { error: unknown } | undefined;
    try {
      await job.task.run(run.abort.signal);
    } catch (error) {
      thrown = { error };
    }
    this.end(job, run, thrown);
  }

  private begin(job: Job): Run {
    const startedMonotonicMs = this.clock.monotonicMs();
    const startedMs = this.clock.nowMs();
    const run: Run = {
      atMs: 0,
      index: -1,
      order: 0,
      wallMs: undefined,
      kind: 'run',
      job,
      dueMs: startedMs - (startedMonotonicMs - job.runDueMs),
      startedMs,
      startedMonotonicMs,
      abort: new AbortController(),
      aborted: null,
    };
    job.run = run;
    job.stats.state = 'running';
    this.running.add(job);
    this.timetable.setMonotonic(run, startedMonotonicMs + job.task.timeoutMs);
    return run;
  }

  private end(job: Job, run: Run, thrown: { error: unknown } | undefined): void {
    this.timetable.clear(run);
    this.running.delete(job);
    job.run = undefined;
    const durationMs = this.clock.monotonicMs() - run.startedMonotonicMs;
    const { dueMs, startedMs } = run;
    const outcome: Outcome = run.aborted ?? (thrown === undefined ? 'ok' : 'error');
    const record = {
      id: job.task.id,
      dueMs,
      startedMs,
      endedMs: startedMs + durationMs,
      lagMs: startedMs - dueMs,
      outcome,
    };
    count(job.stats, record);
    if (outcome === 'error')
      this.log.error({ task: record.id, err: thrown?.error, durationMs }, 'a periodic task failed');
    this.report(thrown === undefined ? record : { ...record, error: thrown.error });
    if (job.cancelled) this.jobs.delete(record.id);
    for (const resolve of job.settled) resolve();
    if (this.running.size === 0) this.drained();
  }

  private report(run: TaskRun): void {
    try {
      this.onRun(run);
    } catch (err) {
      this.log.error({ task: run.id, err }, 'recording a run failed');
    }
  }

  private timeOut(job: Job): void {
    this.log.warn({ task: job.task.id, timeoutMs: job.task.timeoutMs }, 'a periodic task ran out of time');
    this.abort(job, 'timeout');
  }

  private abortAll(): void {
    for (const job of this.running) this.abort(job, 'cancelled');
  }

  private abort(job: Job, why: 'timeout' | 'cancelled'): void {
    const run = job.run;
    if (run === undefined || run.aborted !== null) return;
    run.aborted = why;
    const name = why === 'timeout' ? 'TimeoutError' : 'AbortError';
    run.abort.abort(new DOMException(`task ${job.task.id}: ${why}`, name));
  }
}

function newJob(task: Task, calendar: NextInstant | undefined): Job {
  return {
    atMs: 0,
    index: -1,
    order: 0,
    wallMs: undefined,
    kind: 'job',
    task,
    calendar,
    stats: newStats(task.id),
    tick: NO_TICK,
    runDueMs: 0,
    run: undefined,
    cancelled: false,
    settled: [],
  };
}

function newStats(id: string): TaskStats {
  return {
    id,
    state: 'idle',
    runs: 0,
    failures: 0,
    timeouts: 0,
    missed: 0,
    lastOutcome: null,
    lastDurationMs: null,
    lastLagMs: null,
    nextDueMs: null,
  };
}

function count(stats: TaskStats, run: TaskRun): void {
  stats.state = 'idle';
  stats.runs += 1;
  if (run.outcome === 'error' || run.outcome === 'timeout') stats.failures += 1;
  if (run.outcome === 'timeout') stats.timeouts += 1;
  stats.lastOutcome = run.outcome;
  stats.lastDurationMs = run.endedMs - run.startedMs;
  stats.lastLagMs = run.lagMs;
}

/** The main thread's side of the background thread: starts it, makes its rows durable, starts it anew when it dies. */
import type { Worker } from 'node:worker_threads';
import { HeliographError } from '../../core/errors.ts';
import type { Clock, Journal, Log } from '../../core/ports.ts';
import { appendBodies } from '../../ingest/rows.ts';
import type { TaskRun, TaskStats } from '../scheduler/task.ts';
import type { MarkCovered } from './coverage.ts';
import type { BackgroundCommand, BackgroundEvent } from './protocol.ts';

export interface BackgroundDepsOfHost {
  startWorker(): Worker;
  journal: Journal;
  markCovered: MarkCovered;
  onRun(run: TaskRun): void;
  clock: Clock;
  log: Log;
}

export interface Background {
  start(): void;
  /** Figures of the thread's jobs; empty until the first has run. */
  jobs(): readonly TaskStats[];
  restarts(): number;
  /** The newest series derived from the store, and when they came (Unix ms). */
  derived(): { text: string; atMs: number } | undefined;
  /** Somebody reads /metrics: the thread keeps what it derives for them fresher. */
  scraped(): void;
  /** Ends the jobs within the deadline, then the thread. */
  stop(deadlineMs: number): Promise<void>;
}

const RESTART_MIN_MS = 500;
const RESTART_MAX_MS = 30_000;
/** A thread that lived this long had not died of its start. */
const SETTLED_MS = 60_000;
/** How often the thread is told of scrapes. */
const TELL_SCRAPED_MS = 60_000;

export function createBackground(deps: BackgroundDepsOfHost): Background {
  return new BackgroundHost(deps);
}

class BackgroundHost implements Background {
  readonly #deps: BackgroundDepsOfHost;
  #worker: Worker | undefined;
  #jobs: readonly TaskStats[] = [];
  #restarts = 0;
  #derived: { text: string; atMs: number } | undefined;
  #toldScrapedMs = Number.NEGATIVE_INFINITY;
  #restartMs = RESTART_MIN_MS;
  #stopped = true;
  #onStopped = (): void => {};

  constructor(deps: BackgroundDepsOfHost) {
    this.#deps = deps;
  }

  start(): void {
    this.#stopped = false;
    this.#run();
  }

  jobs(): readonly TaskStats[] {
    return this.#jobs;
  }

  restarts(): number {
    return this.#restarts;
  }

  derived(): { text: string; atMs: number } | undefined {
    return this.#derived;
  }

  scraped(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#worker === undefined || nowMs - this.#toldScrapedMs < TELL_SCRAPED_MS) return;
    this.#toldScrapedMs = nowMs;
    this.#tell(this.#worker, { scraped: true });
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = this.#deps.clock.after(deadlineMs, resolve);
      this.#onStopped = () => {
        timer.cancel();
        resolve();
      };
      this.#tell(worker, { stop: { deadlineMs: deadlineMs * 0.8 } });
    });
    this.#worker = undefined;
    await worker.terminate();
  }

  #run(): void {
    if (this.#stopped) return;
    const { clock, log } = this.#deps;
    const worker = this.#deps.startWorker();
    const startedMs = clock.monotonicMs();
    this.#worker = worker;
    this.#toldScrapedMs = Number.NEGATIVE_INFINITY;
    worker.on('message', (event: BackgroundEvent) => this.#hear(worker, event));
    worker.on('error', (error) => log.error({ err: error }, 'background thread failed'));
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#onStopped();
      if (this.#stopped) return;
      if (clock.monotonicMs() - startedMs > SETTLED_MS) this.#restartMs = RESTART_MIN_MS;
      this.#restarts += 1;
      clock.after(this.#restartMs, () => this.#run());
      this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MAX_MS);
    });
  }

  #hear(worker: Worker, event: BackgroundEvent): void {
    if ('append' in event) void this.#append(worker, event.append);
    else if ('covered' in event) this.#deps.markCovered(event.covered);
    else if ('log' in event) this.#deps.log[event.log.level](event.log.fields, event.log.message);
    else if ('stopped' in event) this.#onStopped();
    else if ('derived' in event) this.#derived = { text: event.derived, atMs: this.#deps.clock.nowMs() };
    else {
      this.#jobs = event.jobs;
      this.#deps.onRun(event.run);
    }
  }

  async #append(worker: Worker, { id, signal, bodies }: Extract<BackgroundEvent, { append: object }>['append']) {
    try {
      await appendBodies(this.#deps.journal, signal, bodies);
      this.#tell(worker, { appended: { id } });
    } catch (error) {
      const known =
        error instanceof HeliographError ? error : new HeliographError('internal', undefined, { cause: error });
      if (known.code === 'internal')
        this.#deps.log.error({ err: error, signal }, 'rows of the background thread lost their way');
      const { code, message, retryAfterSeconds } = known;
      this.#tell(worker, { appended: { id, error: { code, message, retryAfterSeconds } } });
    }
  }

  #tell(worker: Worker, command: BackgroundCommand): void {
    worker.postMessage(command);
  }
}

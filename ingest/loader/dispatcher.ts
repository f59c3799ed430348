/** Hands sealed segments to the loader thread, oldest first, and deletes each once it is in the store. */
import { Worker } from 'node:worker_threads';
import type { Clock, Log } from '../../core/ports.ts';
import type { LoadableSegment, LoadReport } from './load-segment.ts';

/** To the worker. */
export interface LoaderCommand {
  load: LoadableSegment;
}

/** From the worker. */
export type LoaderEvent =
  | { loaded: LoadReport }
  /** The store refuses this segment again and again. */
  | { postponed: { name: string; reason: string } }
  /** `level` and `fields` as the log takes them; worker threads have no log of their own. */
  | { log: { level: 'info' | 'warn' | 'error'; fields: Record<string, unknown>; message: string } };

export interface SegmentQueue {
  /** Oldest first. */
  sealed(): readonly LoadableSegment[];
  onSealed(listener: () => void): () => void;
  /** `unloaded`: offsets of bodies that are in quarantine and not in the store. */
  remove(name: string, unloaded: readonly number[]): Promise<void>;
}

export interface DispatcherDeps {
  queue: SegmentQueue;
  /** Starts the loader thread. */
  startWorker(): Worker;
  onLoaded(report: LoadReport, segment: LoadableSegment): void;
  clock: Clock;
  log: Log;
}

export interface Dispatcher {
  start(): void;
  /** Resolves when nothing sealed is left (true), or at the deadline (false). */
  drained(deadlineMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

/**
 * Loads at once. The engine parses a segment on one thread, so the second load uses what a second core has left over; more
 * would only add memory, some 300 MB each.
 */
const LOADS_AT_ONCE = 2;
const RESTART_MS = 500;
const DELETE_RETRY_MS = 10_000;
const POSTPONE_MS = 60_000;

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  return new LoadDispatcher(deps);
}

class LoadDispatcher implements Dispatcher {
  readonly #deps: DispatcherDeps;
  readonly #underWay = new Map<string, LoadableSegment>();
  /** Loaded, but still on disk. */
  readonly #undeleted = new Set<string>();
  /** Refused by the store again and again; each becomes due again by its own timer. */
  readonly #postponed = new Set<string>();
  readonly #waitingForIdle = new Set<() => void>();
  #worker: Worker | undefined;
  #stopped = true;
  #unsubscribe = (): void => {};

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#stopped = false;
    this.#unsubscribe = this.#deps.queue.onSealed(() => this.#next());
    this.#run();
  }

  drained(deadlineMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (drained: boolean): void => {
        this.#waitingForIdle.delete(wake);
        timer.cancel();
        resolve(drained);
      };
      const wake = (): void => settle(true);
      const timer = this.#deps.clock.after(deadlineMs, () => settle(false));
      this.#waitingForIdle.add(wake);
      this.#next();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #run(): void {
    if (this.#stopped) return;
    const worker = this.#deps.startWorker();
    this.#worker = worker;
    worker.on('message', (event: LoaderEvent) => {
      if ('loaded' in event) void this.#finish(event.loaded);
      else if ('postponed' in event) this.#postpone(event.postponed);
      else this.#deps.log[event.log.level](event.log.fields, event.log.message);
    });
    worker.on('error', (error) => this.#deps.log.error({ err: error }, 'loader thread failed'));
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#underWay.clear();
      this.#deps.clock.after(RESTART_MS, () => this.#run());
    });
    this.#next();
  }

  #next(): void {
    const waiting = this.#deps.queue
      .sealed()
      .filter(({ name }) => !this.#undeleted.has(name) && !this.#postponed.has(name));
    if (waiting.length === 0) for (const wake of this.#waitingForIdle) wake();
    if (this.#worker === undefined) return;
    for (const segment of waiting) {
      if (this.#underWay.size >= LOADS_AT_ONCE) return;
      if (this.#underWay.has(segment.name)) continue;
      this.#underWay.set(segment.name, segment);
      this.#worker.postMessage({ load: plain(segment) } satisfies LoaderCommand);
    }
  }

  #postpone({ name, reason }: { name: string; reason: string }): void {
    this.#deps.log.error({ segment: name, reason, retryMs: POSTPONE_MS }, 'segment postponed: the store refuses it');
    this.#postponed.add(name);
    this.#underWay.delete(name);
    this.#deps.clock.after(POSTPONE_MS, () => {
      this.#postponed.delete(name);
      this.#next();
    });
    this.#next();
  }

  async #finish(report: LoadReport): Promise<void> {
    const segment = this.#underWay.get(report.name);
    if (segment === undefined) return;
    await this.#remove(report.name, report.quarantinedOffsets);
    this.#underWay.delete(report.name);
    this.#deps.onLoaded(report, segment);
    this.#next();
  }

  /** A segment that cannot be deleted is set aside, not loaded over and over; after a restart its token makes a reload harmless. */
  async #remove(name: string, unloaded: readonly number[]): Promise<void> {
    try {
      await this.#deps.queue.remove(name, unloaded);
      this.#undeleted.delete(name);
    } catch (error) {
      if (!this.#undeleted.has(name))
        this.#deps.log.warn({ err: error, segment: name }, 'loaded segment not deleted, will retry');
      this.#undeleted.add(name);
      this.#deps.clock.after(DELETE_RETRY_MS, () => void this.#remove(name, unloaded));
    }
  }
}

/** Only what crosses a thread. */
function plain(segment: LoadableSegment): LoadableSegment {
  const { name, path, indexPath, signal, format, team, loNs, hiNs, bytes, bodies, items, firstAppendMs, loadSettings } =
    segment;
  return { name, path, indexPath, signal, format, team, loNs, hiNs, bytes, bodies, items, firstAppendMs, loadSettings };
}

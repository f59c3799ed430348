/** Hands sealed segments to the loader thread, oldest first, one at a time, and deletes each once it is in the store. */
import { Worker } from 'node:worker_threads';
import type { Clock, Log, Timer } from '../../core/ports.ts';
import type { LoadableSegment, LoadReport } from './load-segment.ts';

/** To the worker. */
export interface LoaderCommand {
  load: LoadableSegment;
}

/** From the worker. */
export type LoaderEvent =
  | { loaded: LoadReport }
  /** `level` and `fields` as the log takes them; worker threads have no log of their own. */
  | { log: { level: 'info' | 'warn' | 'error'; fields: Record<string, unknown>; message: string } };

export interface SegmentQueue {
  /** Oldest first. */
  sealed(): readonly LoadableSegment[];
  onSealed(listener: () => void): () => void;
  remove(name: string): Promise<void>;
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
  /** Name of the segment under way, and since when (monotonic ms). */
  current(): { name: string; sinceMs: number } | undefined;
  /** Resolves when nothing sealed is left, or at the deadline (false). */
  drained(deadlineMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

const RESTART_MS = 500;
const DELETE_RETRY_MS = 10_000;

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  let worker: Worker | undefined;
  let current: { segment: LoadableSegment; sinceMs: number } | undefined;
  let stopped = true;
  let unsubscribe = (): void => {};
  const idle = new Set<() => void>();
  /** Loaded, but still on disk. */
  const undeleted = new Set<string>();

  const next = (): void => {
    if (stopped || worker === undefined || current !== undefined) return;
    const segment = deps.queue.sealed().find(({ name }) => !undeleted.has(name));
    if (segment === undefined) {
      for (const wake of idle) wake();
      return;
    }
    current = { segment, sinceMs: deps.clock.monotonicMs() };
    worker.postMessage({ load: plain(segment) } satisfies LoaderCommand);
  };
  // A segment that cannot be deleted is set aside, not loaded over and over; after a restart its token makes a reload harmless.
  const remove = async (name: string): Promise<void> => {
    try {
      await deps.queue.remove(name);
      undeleted.delete(name);
    } catch (error) {
      if (!undeleted.has(name)) deps.log.warn({ err: error, segment: name }, 'loaded segment not deleted, will retry');
      undeleted.add(name);
      deps.clock.after(DELETE_RETRY_MS, () => void remove(name));
    }
  };
  const finish = async (report: LoadReport): Promise<void> => {
    const done = current?.segment;
    if (done?.name !== report.name) return;
    await remove(report.name);
    current = undefined;
    deps.onLoaded(report, done);
    next();
  };
  const run = (): void => {
    if (stopped) return;
    const started = deps.startWorker();
    worker = started;
    started.on('message', (event: LoaderEvent) => {
      if ('loaded' in event) void finish(event.loaded);
      else deps.log[event.log.level](event.log.fields, event.log.message);
    });
    started.on('error', (error) => deps.log.error({ err: error }, 'loader thread failed'));
    started.on('exit', () => {
      if (worker !== started) return;
      worker = undefined;
      current = undefined;
      if (!stopped) deps.clock.after(RESTART_MS, run);
    });
    next();
  };

  return {
    start() {
      stopped = false;
      unsubscribe = deps.queue.onSealed(next);
      run();
    },
    current: () => current && { name: current.segment.name, sinceMs: current.sinceMs },
    drained(deadlineMs) {
      if (current === undefined && deps.queue.sealed().every(({ name }) => undeleted.has(name))) return Promise.resolve(true);
      return new Promise((resolve) => {
        const wake = (): void => settle(true);
        const timer: Timer = deps.clock.after(deadlineMs, () => settle(false));
        const settle = (drained: boolean): void => {
          idle.delete(wake);
          timer.cancel();
          resolve(drained);
        };
        idle.add(wake);
        next();
      });
    },
    async stop() {
      stopped = true;
      unsubscribe();
      const stopping = worker;
      worker = undefined;
      await stopping?.terminate();
    },
  };
}

/** Only what crosses a thread. */
function plain(segment: LoadableSegment): LoadableSegment {
  const { name, path, indexPath, signal, team, loNs, hiNs, bytes, bodies, items, firstAppendMs, loadSettings } =
    segment;
  return { name, path, indexPath, signal, team, loNs, hiNs, bytes, bodies, items, firstAppendMs, loadSettings };
}

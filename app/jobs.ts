/** Every periodic job of Heliograph, as data: the scheduler runs them, /metrics counts them. */
import type { Clock, Log, Store } from '../core/ports.ts';
import type { Layout } from '../store/render.ts';
import type { QuarantineKeeper } from '../ingest/journal/quarantine-keeper.ts';
import { applyRetention, dropExpired, type Retention } from '../store/retention.ts';
import type { Coverage } from './background/coverage.ts';
import type { DiskKeeper } from './disk.ts';
import type { Metrics } from './metrics.ts';
import type { Task } from './scheduler/task.ts';

export interface JobDeps {
  store: Store;
  layout: Layout;
  retention: Retention;
  disk: DiskKeeper;
  quarantine: QuarantineKeeper;
  metrics: Metrics;
  coverage: Coverage;
  /** Samples the queue; appends what the doors counted in minutes that are over, once a minute. */
  recordPipeline(): Promise<void>;
  /** Sources in `boards.source_status` whose doors are open right now. */
  openSources(): readonly string[];
  /** Our own page port, probed like a user would; undefined switches the probe off. */
  probeUrl: string | undefined;
  probeHeaders: Record<string, string>;
  /** Sends our own spans now, not with the next batch: called once, after the first probe, so that the first page has them. */
  flushSelfTelemetry(): Promise<void>;
  clock: Clock;
  log: Log;
}

const SECOND_MS = 1000;

export function createJobs(deps: JobDeps): Task[] {
  return [
    {
      id: 'metrics-snapshot',
      initialDelayMs: 0,
      intervalMs: 10 * SECOND_MS,
      timeoutMs: 4 * SECOND_MS,
      overlap: 'skip',
      run: () => deps.metrics.refresh(),
    },
    {
      id: 'source-minutes',
      initialDelayMs: 0,
      intervalMs: 10 * SECOND_MS,
      timeoutMs: 10 * SECOND_MS,
      overlap: 'skip',
      run: recordMinutes(deps),
    },
    {
      id: 'retention',
      initialDelayMs: 2 * SECOND_MS,
      intervalMs: 3600 * SECOND_MS,
      timeoutMs: 60 * SECOND_MS,
      overlap: 'skip',
      run: async () => {
        await applyRetention(deps.store, deps.layout, deps.retention, deps.log);
        await dropExpired(deps.store, deps.layout, deps.retention, deps.clock.nowMs(), deps.log);
      },
    },
    {
      id: 'quarantine',
      initialDelayMs: 3 * SECOND_MS,
      intervalMs: 60 * SECOND_MS,
      timeoutMs: 30 * SECOND_MS,
      overlap: 'skip',
      run: () => deps.quarantine.keep(),
    },
    {
      id: 'disk',
      initialDelayMs: 5 * SECOND_MS,
      // Without a cap it only measures, for /metrics.
      intervalMs: (deps.disk.state().capBytes === undefined ? 600 : 60) * SECOND_MS,
      timeoutMs: 60 * SECOND_MS,
      overlap: 'skip',
      run: () => deps.disk.keep(),
    },
    ...(deps.probeUrl === undefined ? [] : [probeTask(deps, deps.probeUrl)]),
  ];
}

/**
 * A minute in which a door was open is a minute in which its items could come in. What did come in is appended in the same turn, so
 * that the disk wakes once a minute for both.
 */
function recordMinutes(deps: JobDeps): () => Promise<void> {
  return async () => {
    for (const source of deps.openSources()) deps.coverage.mark(source);
    await Promise.all([deps.coverage.flush(), deps.recordPipeline()]);
  };
}

const PROBED_PATHS = ['/readyz', '/api/boards', '/api/query/services?from=now-1h&to=now'];

/** Asks the public face what a user would ask. It is also why the first page is never empty: these requests are traced. */
function probeTask(deps: JobDeps, url: string): Task {
  let isFirst = true;
  return {
    id: 'self-probe',
    initialDelayMs: 0,
    intervalMs: 60 * SECOND_MS,
    timeoutMs: 10 * SECOND_MS,
    overlap: 'skip',
    run: async (signal) => {
      for (const path of PROBED_PATHS) {
        const response = await fetch(url + path, { headers: deps.probeHeaders, signal, redirect: 'error' });
        await response.arrayBuffer();
        if (!response.ok) throw new Error(`${path} answered ${response.status}`);
      }
      if (isFirst) await deps.flushSelfTelemetry();
      isFirst = false;
    },
  };
}

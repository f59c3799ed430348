/**
 * The composition: the only place where rooms meet. Starts everything in the order that lets senders in first, and returns
 * the way to stop it.
 */
import { Worker } from 'node:worker_threads';
import { builtPath } from '../core/paths.ts';
import type { Clock, Log } from '../core/ports.ts';
import { createAuth } from '../ingest/auth.ts';
import type { DiskJournal } from '../ingest/journal/types.ts';
import type { Dispatcher } from '../ingest/loader/dispatcher.ts';
import { createRowSink } from '../ingest/rows.ts';
import { acquireDataDir } from '../store/embedded/lock.ts';
import { createFace } from '../store/face/face.ts';
import type { Retention } from '../store/retention.ts';
import { createCoverage } from './background/coverage.ts';
import { type Background, createBackground } from './background/host.ts';
import { isLoopback } from './config/loopback.ts';
import type { Config } from './config/schema.ts';
import { openPageDoors, type PageDoors } from './doors.ts';
import type { Checker } from './http/health.ts';
import { closeServer } from './http/close.ts';
import { hostOf, listen } from './http/listen.ts';
import { createHttpServer } from './http/server.ts';
import { type Ingest, openDispatcher, openIngest } from './ingest.ts';
import { createJobs } from './jobs.ts';
import type { MetricSources } from './metric-series.ts';
import { createMetrics } from './metrics.ts';
import { prepareStore } from './prepare-store.ts';
import { countGc } from './profiling/gc.ts';
import { createProfiler, type Profiler } from './profiling/profiler.ts';
import { createScheduler } from './scheduler/scheduler.ts';
import type { TaskRun } from './scheduler/task.ts';
import { type OnStop, type ShutdownResult, shutDown } from './shutdown.ts';
import { createStatus } from './status.ts';
import { type OpenStore, openStore } from './store.ts';
import { recordTaskRun } from './telemetry/task-spans.ts';
import { noTelemetry, type SelfTelemetry, startSelfTelemetry } from './telemetry/start.ts';
import { tracedStore } from './telemetry/traced-store.ts';
import { readVars } from './vars.ts';
import { VERSION } from './version.ts';
import type { BackgroundWorkerData } from './workers/background.ts';

/** A running Heliograph. */
export interface Heliograph {
  /** `http://127.0.0.1:7070`, with the port that was really taken. */
  pageUrl: string;
  otlpUrl: string;
  /** Resolves once the store is migrated and rows flow; rejects with `migration_failed`. The doors ack before that. */
  ready: Promise<void>;
  stop(deadlineMs: number): Promise<ShutdownResult>;
}

/** Starts the whole thing. Throws `data_dir_locked` or `port_taken`; what had started by then is stopped again. */
export async function startHeliograph(config: Config, clock: Clock, log: Log): Promise<Heliograph> {
  const undo: { name: string; run(remainingMs: number): Promise<unknown> }[] = [];
  const onStop = (name: string, run: (remainingMs: number) => Promise<unknown>): void =>
    void undo.unshift({ name, run });
  const stop = (deadlineMs: number): Promise<ShutdownResult> => shutDown(undo, deadlineMs, clock, log);
  try {
    return { ...(await compose(config, clock, log, onStop)), stop };
  } catch (error) {
    await stop(config.drainDeadline);
    throw error;
  }
}

async function compose(config: Config, clock: Clock, log: Log, onStop: OnStop): Promise<Omit<Heliograph, 'stop'>> {
  const lock = await acquireDataDir(config.dataDir);
  onStop('lock', async () => lock.release());
  const auth = createAuth(config.token);
  const opening = openStore(config, clock, log); // the engine starts while the journal recovers
  opening.catch(() => {}); // awaited below; until then a failure is nobody's unhandled rejection
  onStop('engine', async (remainingMs) => (await opening).engine?.stop(Math.max(500, remainingMs)));
  const ingest = await openIngest(config, auth, clock, log, onStop);
  const { ledger } = ingest;
  const otlpPort = await listen(ingest.door, config.bind, config.otlp.httpPort, 'HELIOGRAPH_OTLP_HTTP_PORT');
  const otlpUrl = `http://${hostOf(config.bind)}:${otlpPort}`;

  const store = await opening;
  onStop('store client', () => store.store.close());
  const telemetry = openTelemetry(config, otlpUrl);
  const state = { migrated: false, engineUp: false };
  const onRun = (run: TaskRun): void => recordTaskRun(telemetry.tracer, run);
  const scheduler = createScheduler({ clock, log, random: Math.random, onRun });
  let background: Background | undefined; // needs the page's port, which needs the metrics
  const doors = await openPageDoors(config.hooks.github.secretFile, ingest.journal, clock, log);
  const sources = metricSources({ ingest, doors, store, state, scheduler, background: () => background, clock });
  const metrics = createMetrics(sources, VERSION);
  const profiler = createProfiler();
  const gc = countGc();
  const dispatcher = openDispatcher(config, ingest, store, metrics, clock, log);
  const face = createFace({ address: store.address, role: store.faceRole, clock, log });
  onStop('face', async () => face.close());
  const web = createHttpServer({
    store: tracedStore(store.store, telemetry.tracer),
    face,
    auth,
    metrics,
    status: createStatus({ ledger, hooks: doors.ledger, journal: ingest.journal, store, otlpUrl, clock }),
    onScrape: () => background?.scraped(),
    profiler,
    vars: () => readVars({ sources, metrics, gc, uptimeSeconds: () => process.uptime() }),
    checkers: checkers(store, ingest.journal, state, profiler),
    viewsReady: () => state.migrated,
    registerDoors: doors.register,
    loopbackOnly: isLoopback(config.bind),
    tracer: telemetry.tracer,
    clock,
    log,
  });
  onStop('page', (remainingMs) => closeServer(web, remainingMs / 2, clock));
  const pagePort = await listen(web, config.bind, config.port, 'HELIOGRAPH_PORT');
  const pageUrl = `http://${hostOf(config.bind)}:${pagePort}`;

  const jobs = createJobs({
    store: store.store,
    layout: store.layout,
    retention: retentionOf(config),
    metrics,
    markCovered: createCoverage(createRowSink(ingest.journal), clock),
    openSources: () => [
      ...(ingest.door.server.listening ? ['otlp_traces'] : []),
      ...(web.server.listening ? doors.sources : []),
    ],
    recordPipeline: () => recordPipeline(ingest),
    probeUrl: config.selfTelemetry.enabled ? pageUrl : undefined,
    flushSelfTelemetry: telemetry.flush,
    probeHeaders: config.token === undefined ? {} : { authorization: `Bearer ${config.token}` },
    clock,
    log,
  });
  for (const job of jobs) scheduler.add(job);
  const workerData: BackgroundWorkerData = { config, pageUrl, store: store.address };
  background = openBackground(workerData, { journal: ingest.journal, onRun, clock, log });
  const ready = prepareStore(store, clock, log).then(() => {
    state.migrated = true;
    dispatcher.start();
    scheduler.start();
    background.start();
  });
  stopInOrder(onStop, clock, { ingest, dispatcher, scheduler, background, telemetry });
  return { pageUrl, otlpUrl, ready };
}

/** Looks at the queue, and appends the minutes that are over. */
function recordPipeline({ book, journal }: Ingest): Promise<void> {
  book.sampled(journal.depth());
  return book.write(createRowSink(journal));
}

/** The background thread; it does not run yet. */
function openBackground(
  workerData: BackgroundWorkerData,
  deps: Omit<Parameters<typeof createBackground>[0], 'startWorker'>,
): Background {
  const startWorker = (): Worker =>
    new Worker(builtPath('app/workers/background.ts'), { name: 'background', workerData });
  return createBackground({ ...deps, startWorker });
}

function metricSources(parts: {
  ingest: Ingest;
  doors: PageDoors;
  store: OpenStore;
  state: { engineUp: boolean };
  scheduler: ReturnType<typeof createScheduler>;
  background(): Background | undefined;
  clock: Clock;
}): MetricSources {
  const { ingest, doors, store, state, scheduler, background, clock } = parts;
  return {
    door: () => ingest.ledger.totals(),
    hooks: () => doors.ledger.totals(),
    flows: () => ingest.book.flows(),
    journal: () => ({ ...ingest.journal.depth(), refused: ingest.journal.stats().refused }),
    engine: () => ({
      up: store.engine === undefined ? state.engineUp : store.engine.state() === 'running',
      restarts: store.engine?.restarts() ?? 0,
    }),
    jobs: () => [...scheduler.stats(), ...(background()?.jobs() ?? [])],
    slowLaneWaiting: () => ingest.slowLane.waiting(),
    backgroundRestarts: () => background()?.restarts() ?? 0,
    derived: () => background()?.derived(),
    nowMs: () => clock.nowMs(),
  };
}

/** What stops first stands last: no new work, our own last spans, then the door, the journal and what the loader still can. */
function stopInOrder(
  onStop: OnStop,
  clock: Clock,
  parts: {
    ingest: Ingest;
    dispatcher: Dispatcher;
    scheduler: ReturnType<typeof createScheduler>;
    background: Background;
    telemetry: SelfTelemetry;
  },
): void {
  const { ingest, dispatcher, scheduler, background, telemetry } = parts;
  onStop('loader', () => dispatcher.stop());
  onStop('loader queue', (remainingMs) => dispatcher.drained(remainingMs / 2));
  onStop('journal', (remainingMs) => ingest.journal.close(remainingMs));
  onStop('pipeline minutes', () => ingest.book.write(createRowSink(ingest.journal), true));
  onStop('slow lane', () => ingest.slowLane.stop());
  onStop('door', (remainingMs) => closeServer(ingest.door, remainingMs / 2, clock));
  onStop('self telemetry', () => telemetry.stop());
  onStop('background', (remainingMs) => background.stop(Math.min(2000, remainingMs / 2)));
  onStop('scheduler', (remainingMs) => scheduler.stop(Math.min(1000, remainingMs)));
}

function openTelemetry(config: Config, otlpUrl: string): SelfTelemetry {
  if (!config.selfTelemetry.enabled) return noTelemetry();
  return startSelfTelemetry({
    url: `${otlpUrl}/v1/traces`,
    token: config.token,
    ratio: config.selfTelemetry.ratio,
    version: VERSION,
    instanceId: String(process.pid),
  });
}

function retentionOf({ retention }: Config): Retention {
  return {
    spansMs: retention.spans,
    profilesMs: retention.profiles,
    rollupMinuteMs: retention.rollupMinute,
    rollupCoarseMs: retention.rollupCoarse,
  };
}

function checkers(
  store: OpenStore,
  journal: DiskJournal,
  state: { migrated: boolean; engineUp: boolean },
  profiler: Profiler,
): Checker[] {
  return [
    {
      name: 'store',
      async check() {
        state.engineUp = false;
        await store.store.ping();
        state.engineUp = true;
        return undefined;
      },
    },
    {
      name: 'migrations',
      async check() {
        if (!state.migrated) throw new Error('migrations are not applied yet');
        return undefined;
      },
    },
    {
      name: 'journal',
      async check() {
        const { full } = journal.room();
        if (full !== undefined) throw new Error(full);
        return undefined;
      },
    },
    // Never a reason not to be ready: without a profiler everything but profiles works.
    { name: 'profiler', check: async () => profiler.describe() },
  ];
}

/**
 * The composition: the only place where rooms meet. Starts everything in the order that lets senders in first, and returns
 * the way to stop it.
 */
import { Worker } from 'node:worker_threads';
import type { FastifyInstance } from 'fastify';
import { builtPath } from '../core/paths.ts';
import type { Clock, Log } from '../core/ports.ts';
import { createAuth } from '../ingest/auth/token.ts';
import type { Dispatcher } from '../ingest/loader/dispatcher.ts';
import type { ReplayOne } from '../ingest/replay.ts';
import { createRowSink } from '../ingest/rows.ts';
import { acquireDataDir } from '../store/embedded/lock.ts';
import { createFace } from '../store/face/face.ts';
import type { Retention } from '../store/retention.ts';
import { type Coverage, createCoverage } from './background/coverage.ts';
import { type Background, createBackground } from './background/host.ts';
import { createCheckers } from './checkers.ts';
import { isLoopback } from './config/loopback.ts';
import type { Config } from './config/schema.ts';
import { createDiskKeeper, type DiskKeeper } from './disk.ts';
import { openPageDoors, type PageDoors } from './doors.ts';
import { closeServer } from './http/close.ts';
import { hostOf, listen } from './http/listen.ts';
import { createHttpServer } from './http/server.ts';
import { registerJournal } from './http/journal.ts';
import { type Ingest, listenOtlp, openDispatcher, openIngest, openReplay } from './ingest.ts';
import { createJobs, type JobDeps } from './jobs.ts';
import { metricSources } from './metric-sources.ts';
import { createMetrics } from './metrics.ts';
import { prepareStore } from './prepare-store.ts';
import { countGc } from './profiling/gc.ts';
import { createProfiler } from './profiling/profiler.ts';
import { createScheduler } from './scheduler/scheduler.ts';
import type { Task, TaskRun } from './scheduler/task.ts';
import { type OnStop, type ShutdownResult, shutDown } from './shutdown.ts';
import { createStatus } from './status.ts';
import { type OpenStore, openStore } from './store.ts';
import { recordTaskRun } from './telemetry/task-spans.ts';
import { openTelemetry } from './telemetry/own.ts';
import type { SelfTelemetry } from './telemetry/start.ts';
import { tracedStore } from './telemetry/traced-store.ts';
import { readVars } from './vars.ts';
import { VERSION } from './version.ts';
import type { BackgroundWorkerData } from './workers/background.ts';

/** A running Heliograph. */
export interface Heliograph {
  /** `http://127.0.0.1:7070`, with the port that was really taken. */
  pageUrl: string;
  otlpUrl: string;
  otlpGrpcUrl: string;
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
  const { otlpUrl, otlpGrpcUrl } = await listenOtlp(ingest, config);

  const store = await opening;
  onStop('store client', () => store.store.close());
  const telemetry = await openTelemetry(config, ingest, otlpUrl);
  const state = { migrated: false, engineUp: false };
  const onRun = (run: TaskRun): void => recordTaskRun(telemetry.tracer, run);
  const scheduler = createScheduler({ clock, log, random: Math.random, onRun });
  let background: Background | undefined; // needs the page's port, which needs the metrics
  const disk = openDiskKeeper(config, store, ingest, clock, log);
  const doors = await openPageDoors(config.hooks.github.secretFile, ingest.journal, clock, log);
  onStop('rejected events', () => doors.settled());
  const sources = metricSources({ ingest, disk, doors, store, state, scheduler, background: () => background, clock });
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
    status: createStatus({
      ledger: ingest.ledger,
      hooks: doors.ledger,
      journal: ingest.journal,
      store,
      otlpUrl,
      otlpGrpcUrl,
      clock,
    }),
    onScrape: () => background?.scraped(),
    profiler,
    vars: () => readVars({ sources, metrics, gc, uptimeSeconds: () => process.uptime() }),
    checkers: createCheckers(store, ingest.journal, state, profiler),
    viewsReady: () => state.migrated,
    registerDoors: (app) => registerDoors(app, doors, ingest, openReplay(ingest, store, clock, log)),
    loopbackOnly: isLoopback(config.bind),
    tracer: telemetry.tracer,
    clock,
    log,
  });
  onStop('page', (remainingMs) => closeServer(web, remainingMs / 2, clock));
  const pagePort = await listen(web, config.bind, config.port, 'HELIOGRAPH_PORT');
  const pageUrl = `http://${hostOf(config.bind)}:${pagePort}`;

  const coverage = createCoverage(createRowSink(ingest.journal), clock);
  const opened = { ingest, store, doors, web, pageUrl, telemetry };
  const jobs = openJobs(config, opened, { disk, metrics, coverage, clock, log });
  for (const job of [...jobs, ...ingest.access.jobs]) scheduler.add(job);
  const workerData: BackgroundWorkerData = { config, pageUrl, store: store.address };
  background = openBackground(workerData, { journal: ingest.journal, markCovered: coverage.mark, onRun, clock, log });
  const settings = { peopleFloor: config.people.floor, routesPerService: config.budgets.routes };
  const ready = prepareStore(store, settings, clock, log).then(() => {
    state.migrated = true;
    dispatcher.start();
    scheduler.start();
    background.start();
  });
  stopInOrder(onStop, clock, { ingest, dispatcher, scheduler, background, coverage, telemetry });
  return { pageUrl, otlpUrl, otlpGrpcUrl, ready };
}

/** The jobs of the main thread. */
function openJobs(
  config: Config,
  opened: {
    ingest: Ingest;
    store: OpenStore;
    doors: PageDoors;
    web: FastifyInstance;
    pageUrl: string;
    telemetry: SelfTelemetry;
  },
  shared: Pick<JobDeps, 'disk' | 'metrics' | 'coverage' | 'clock' | 'log'>,
): Task[] {
  const { ingest, store, doors, web, pageUrl, telemetry } = opened;
  return createJobs({
    ...shared,
    store: store.store,
    layout: store.layout,
    retention: retentionOf(config),
    quarantine: ingest.quarantine,
    openSources: () => [
      ...(ingest.door.server.listening && ingest.grpcDoor.server.listening ? ['otlp_traces'] : []),
      ...(web.server.listening ? doors.sources : []),
    ],
    recordPipeline: () => recordPipeline(ingest),
    probeUrl: config.selfTelemetry.enabled ? pageUrl : undefined,
    flushSelfTelemetry: telemetry.flush,
    probeHeaders: config.token === undefined ? {} : { authorization: `Bearer ${config.token}` },
  });
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

/** What stops first stands last: no new work, our own last spans, then the door, the journal and what the loader still can. */
function stopInOrder(
  onStop: OnStop,
  clock: Clock,
  parts: {
    ingest: Ingest;
    dispatcher: Dispatcher;
    scheduler: ReturnType<typeof createScheduler>;
    background: Background;
    coverage: Coverage;
    telemetry: SelfTelemetry;
  },
): void {
  const { ingest, dispatcher, scheduler, background, coverage, telemetry } = parts;
  onStop('loader', () => dispatcher.stop());
  onStop('loader queue', (remainingMs) => dispatcher.drained(remainingMs / 2));
  onStop('journal', (remainingMs) => ingest.journal.close(remainingMs));
  onStop('pipeline minutes', () => ingest.book.write(createRowSink(ingest.journal), true));
  onStop('slow lane', () => ingest.slowLane.stop());
  onStop('door', (remainingMs) => closeServer(ingest.door, remainingMs / 2, clock));
  onStop('gRPC door', (remainingMs) => ingest.grpcDoor.close(remainingMs / 3));
  onStop('self door', async (remainingMs) => {
    if (ingest.selfDoor !== undefined) await closeServer(ingest.selfDoor, remainingMs / 2, clock);
  });
  onStop('self telemetry', () => telemetry.stop());
  onStop('coverage', () => coverage.flushAll());
  onStop('background', (remainingMs) => background.stop(Math.min(2000, remainingMs / 2)));
  onStop('scheduler', (remainingMs) => scheduler.stop(Math.min(1000, remainingMs)));
}

function retentionOf({ retention }: Config): Retention {
  return {
    spansMs: retention.spans,
    profilesMs: retention.profiles,
    rollupMinuteMs: retention.rollupMinute,
    rollupCoarseMs: retention.rollupCoarse,
  };
}

function registerDoors(app: FastifyInstance, doors: PageDoors, ingest: Ingest, replay: ReplayOne): void {
  doors.register(app);
  registerJournal(app, { journal: ingest.journal, quarantine: ingest.quarantine.state, replay });
}

function openDiskKeeper(config: Config, open: OpenStore, ingest: Ingest, clock: Clock, log: Log): DiskKeeper {
  const { journal, quarantine } = ingest;
  const { capGiB } = config.disk;
  return createDiskKeeper({
    store: open.store,
    layout: open.layout,
    rows: createRowSink(journal),
    capBytes: capGiB === undefined ? undefined : capGiB * 1024 ** 3,
    journalBytes: () => journal.depth().bytes + quarantine.state().bytes,
    clock,
    log,
  });
}

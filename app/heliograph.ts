/**
 * The composition: the only place where rooms meet. Starts everything in the order that lets senders in first, and returns
 * the way to stop it.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FastifyInstance } from 'fastify';
import { ANALYZERS } from '../analyzers/index.ts';
import { OTLP_COLLECTORS } from '../collectors/index.ts';
import { encodeStatus } from '../collectors/otlp/response.ts';
import { HeliographError } from '../core/errors.ts';
import { builtPath } from '../core/paths.ts';
import type { Clock, Log } from '../core/ports.ts';
import { type Auth, createAuth } from '../ingest/auth.ts';
import { createLedger, type DoorLedger } from '../ingest/doors/ledger.ts';
import { createOtlpHttpDoor } from '../ingest/doors/otlp-http.ts';
import { createSlowLane, type SlowLane } from '../ingest/doors/slow-lane.ts';
import { createJournal } from '../ingest/journal/journal.ts';
import type { DiskJournal } from '../ingest/journal/types.ts';
import { createDispatcher, type Dispatcher } from '../ingest/loader/dispatcher.ts';
import { createRejectKeeper } from '../ingest/doors/reject-keeper.ts';
import { acquireDataDir } from '../store/embedded/lock.ts';
import { createFace } from '../store/face/face.ts';
import { PINNED_BLOCK_SETTINGS } from '../store/load.ts';
import { migrate, readMigrations } from '../store/migrate.ts';
import { defineViews, grantFaceRole } from '../store/views.ts';
import { isLoopback } from './config/loopback.ts';
import type { Config } from './config/schema.ts';
import type { Checker } from './http/health.ts';
import { closeServer } from './http/close.ts';
import { createHttpServer } from './http/server.ts';
import { createJobs } from './jobs.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createScheduler } from './scheduler/scheduler.ts';
import type { TaskRun } from './scheduler/task.ts';
import { type ShutdownResult, shutDown } from './shutdown.ts';
import { createStatus } from './status.ts';
import { type OpenStore, openStore } from './store.ts';
import { recordTaskRun } from './telemetry/task-spans.ts';
import { noTelemetry, type SelfTelemetry, startSelfTelemetry } from './telemetry/start.ts';
import { tracedStore } from './telemetry/traced-store.ts';
import { VERSION } from './version.ts';
import type { LoaderWorkerData } from './workers/loader.ts';

/** A running Heliograph. */
export interface Heliograph {
  /** `http://127.0.0.1:7070`, with the port that was really taken. */
  pageUrl: string;
  otlpUrl: string;
  /** Resolves once the store is migrated and rows flow; rejects with `migration_failed`. The doors ack before that. */
  ready: Promise<void>;
  stop(deadlineMs: number): Promise<ShutdownResult>;
}

interface Ingest {
  journal: DiskJournal;
  ledger: DoorLedger;
  slowLane: SlowLane;
  door: FastifyInstance;
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

/** Under load, segments grow towards 16 MiB while the loader is at work, but nothing waits for it longer than this. */
const SEGMENT_HOLD_MS = 2000;

type OnStop = (name: string, run: (remainingMs: number) => Promise<unknown>) => void;

async function compose(config: Config, clock: Clock, log: Log, onStop: OnStop): Promise<Omit<Heliograph, 'stop'>> {
  const lock = await acquireDataDir(config.dataDir);
  onStop('lock', async () => lock.release());
  const auth = createAuth(config.token);
  const opening = openStore(config, clock, log); // the engine starts while the journal recovers
  opening.catch(() => {}); // awaited below; until then a failure is nobody's unhandled rejection
  onStop('engine', async (remainingMs) => (await opening).engine?.stop(Math.max(500, remainingMs)));
  const ingest = await openIngest(config, auth, clock, log, onStop);
  const otlpPort = await listen(ingest.door, config.bind, config.otlp.httpPort, 'HELIOGRAPH_OTLP_HTTP_PORT');
  const otlpUrl = `http://${hostOf(config.bind)}:${otlpPort}`;

  const store = await opening;
  onStop('store client', () => store.store.close());
  const telemetry = openTelemetry(config, otlpUrl);
  const state = { migrated: false, engineUp: false };
  const scheduler = createScheduler({
    clock,
    log,
    random: Math.random,
    onRun: (run: TaskRun) => recordTaskRun(telemetry.tracer, run),
  });
  const metrics = createMetrics(
    {
      door: () => ingest.ledger.totals(),
      journal: () => ({ ...ingest.journal.depth(), refused: ingest.journal.stats().refused }),
      engine: () => ({
        up: store.engine === undefined ? state.engineUp : store.engine.state() === 'running',
        restarts: store.engine?.restarts() ?? 0,
      }),
      jobs: () => scheduler.stats(),
      slowLaneWaiting: () => ingest.slowLane.waiting(),
      nowMs: () => clock.nowMs(),
    },
    VERSION,
  );
  const dispatcher = openDispatcher(config, ingest.journal, store, metrics, clock, log);
  const face = createFace({ address: store.address, role: store.faceRole, clock, log });
  onStop('face', async () => face.close());
  const web = createHttpServer({
    store: tracedStore(store.store, telemetry.tracer),
    face,
    auth,
    metrics,
    checkers: checkers(store, ingest.journal, state),
    status: createStatus({ ledger: ingest.ledger, journal: ingest.journal, store, otlpUrl, clock }),
    viewsReady: () => state.migrated,
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
    retention: { spansMs: config.retention.spans, rollupMinuteMs: config.retention.rollupMinute },
    metrics,
    coverageLane: ingest.journal.lane('source_minutes', 'ndjson', ''),
    doorsOpen: () => ingest.door.server.listening,
    probeUrl: config.selfTelemetry.enabled ? pageUrl : undefined,
    flushSelfTelemetry: telemetry.flush,
    probeHeaders: config.token === undefined ? {} : { authorization: `Bearer ${config.token}` },
    clock,
    log,
  });
  for (const job of jobs) scheduler.add(job);
  const ready = prepareStore(store, clock, log).then(() => {
    state.migrated = true;
    dispatcher.start();
    scheduler.start();
  });
  stopInOrder(onStop, clock, { ingest, dispatcher, scheduler, telemetry });
  return { pageUrl, otlpUrl, ready };
}

/** What stops first stands last: no new work, our own last spans, then the door, the journal and what the loader still can. */
function stopInOrder(
  onStop: OnStop,
  clock: Clock,
  parts: {
    ingest: Ingest;
    dispatcher: Dispatcher;
    scheduler: ReturnType<typeof createScheduler>;
    telemetry: SelfTelemetry;
  },
): void {
  const { ingest, dispatcher, scheduler, telemetry } = parts;
  onStop('loader', () => dispatcher.stop());
  onStop('loader queue', (remainingMs) => dispatcher.drained(remainingMs / 2));
  onStop('journal', (remainingMs) => ingest.journal.close(remainingMs));
  onStop('slow lane', () => ingest.slowLane.stop());
  onStop('door', (remainingMs) => closeServer(ingest.door, remainingMs / 2, clock));
  onStop('self telemetry', () => telemetry.stop());
  onStop('scheduler', (remainingMs) => scheduler.stop(Math.min(1000, remainingMs)));
}

async function openIngest(config: Config, auth: Auth, clock: Clock, log: Log, onStop: OnStop): Promise<Ingest> {
  const journal = await createJournal({
    dir: join(config.dataDir, 'journal'),
    clock,
    log,
    options: {
      maxBacklogBytes: config.journal.maxBacklogGiB * 1024 ** 3,
      segmentHoldMs: SEGMENT_HOLD_MS,
      retentionMs: () => config.retention.spans,
      loadSettings: { ...PINNED_BLOCK_SETTINGS },
    },
  });
  await mkdir(join(config.dataDir, 'scratch'), { recursive: true, mode: 0o700 });
  const { recovered } = journal;
  if (recovered.segments > 0 || recovered.quarantined > 0) log.info(recovered, 'journal recovered');
  onStop('journal after a failed start', (remainingMs) => journal.close(remainingMs));
  const ledger = createLedger(clock, log);
  const slowLane = createSlowLane(builtPath('app/workers/slow-lane.ts'), log);
  const keeper = createRejectKeeper(journal.quarantineDir, clock, log);
  const door = createOtlpHttpDoor({
    collectors: OTLP_COLLECTORS,
    rewrite: slowLane.rewrite,
    journal,
    auth,
    ledger,
    encodeStatus,
    keepRejected: keeper,
    log,
  });
  return { journal, ledger, slowLane, door };
}

function openDispatcher(
  config: Config,
  journal: DiskJournal,
  store: OpenStore,
  metrics: Metrics,
  clock: Clock,
  log: Log,
): Dispatcher {
  const scratchDir = join(config.dataDir, 'scratch');
  const workerData: LoaderWorkerData = { store: store.address, quarantineDir: journal.quarantineDir, scratchDir };
  return createDispatcher({
    queue: journal,
    startWorker: () => new Worker(builtPath('app/workers/loader.ts'), { name: 'loader', workerData }),
    onLoaded: (report, segment) =>
      metrics.segmentLoaded({ ...report, freshnessMs: clock.nowMs() - segment.firstAppendMs }),
    clock,
    log,
  });
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

const STORE_RETRY_MAX_MS = 10_000;

/** Migrates and defines the views; waits for a store that does not answer yet, as the doors already ack without it. */
async function prepareStore({ store, layout }: OpenStore, clock: Clock, log: Log): Promise<void> {
  const migrations = await readMigrations();
  for (let delayMs = 500; ; delayMs = Math.min(delayMs * 2, STORE_RETRY_MAX_MS)) {
    try {
      await migrate(store, layout, log, migrations);
      await defineViews(
        store,
        layout,
        ANALYZERS.map((analyzer) => analyzer.sql),
      );
      return await grantFaceRole(store, layout, log);
    } catch (error) {
      const cause = error instanceof HeliographError && error.code === 'migration_failed' ? error.cause : error;
      if (!(cause instanceof HeliographError) || !cause.entry.retryable) throw error;
      log.warn({ err: error, retryMs: delayMs }, 'store not ready, will retry');
      await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
    }
  }
}

function checkers(store: OpenStore, journal: DiskJournal, state: { migrated: boolean; engineUp: boolean }): Checker[] {
  return [
    {
      name: 'store',
      async check() {
        state.engineUp = false;
        await store.store.ping();
        state.engineUp = true;
      },
    },
    {
      name: 'migrations',
      async check() {
        if (!state.migrated) throw new Error('migrations are not applied yet');
      },
    },
    {
      name: 'journal',
      async check() {
        const { full } = journal.room();
        if (full !== undefined) throw new Error(full);
      },
    },
  ];
}

async function listen(app: FastifyInstance, host: string, port: number, variable: string): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new HeliographError(
        'port_taken',
        `port ${port} on ${host} is in use; set ${variable} to another (0 takes a free one)`,
      );
    if (code === 'EACCES')
      throw new HeliographError(
        'port_taken',
        `port ${port} on ${host} may not be opened by this user; set ${variable} to one above 1023`,
      );
    throw error;
  }
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** A bind address as it stands in a URL; the wildcard addresses are reached by loopback. */
function hostOf(bind: string): string {
  if (bind === '0.0.0.0' || bind === '::') return '127.0.0.1';
  return bind.includes(':') ? `[${bind}]` : bind;
}

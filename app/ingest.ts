/** The road in, composed: doors, journal and loader, with what walks and rewrites a body handed in by the collectors. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FastifyInstance } from 'fastify';
import { OTLP_COLLECTORS } from '../collectors/index.ts';
import { encodeStatus } from '../collectors/otlp/response.ts';
import { StoreError } from '../core/errors.ts';
import { builtPath } from '../core/paths.ts';
import type { Clock, Log } from '../core/ports.ts';
import type { Auth } from '../ingest/auth/token.ts';
import { grpcCredentials } from '../ingest/auth/tls.ts';
import { createLedger, type DoorLedger } from '../ingest/doors/ledger.ts';
import { createOtlpGrpcDoor, type OtlpGrpcDoor } from '../ingest/doors/otlp-grpc.ts';
import { createOtlpHttpDoor } from '../ingest/doors/otlp-http.ts';
import { createReceiver } from '../ingest/doors/receive.ts';
import { createRejectKeeper } from '../ingest/doors/reject-keeper.ts';
import { createSlowLane, type SlowLane } from '../ingest/doors/slow-lane.ts';
import {
  createQuarantineKeeper,
  QUARANTINE_LIMITS,
  type QuarantineKeeper,
} from '../ingest/journal/quarantine-keeper.ts';
import { createJournal } from '../ingest/journal/journal.ts';
import type { DiskJournal } from '../ingest/journal/types.ts';
import { createDispatcher, type Dispatcher } from '../ingest/loader/dispatcher.ts';
import { createPipelineBook, type PipelineBook } from '../ingest/pipeline/book.ts';
import { createReplay, type ReplayOne } from '../ingest/replay.ts';
import { PINNED_BLOCK_SETTINGS, renderTrial } from '../store/load.ts';
import { type Access, openAccess } from './access.ts';
import type { Config } from './config/schema.ts';
import { closeServer } from './http/close.ts';
import { hostOf, listen } from './http/listen.ts';
import type { Metrics } from './metrics.ts';
import type { OnStop } from './shutdown.ts';
import type { OpenStore } from './store.ts';
import type { LoaderWorkerData } from './workers/loader.ts';

export interface Ingest {
  journal: DiskJournal;
  quarantine: QuarantineKeeper;
  ledger: DoorLedger;
  book: PipelineBook;
  slowLane: SlowLane;
  door: FastifyInstance;
  grpcDoor: OtlpGrpcDoor;
  access: Access;
  /** For Heliograph's own spans, where the door asks for more than they can show; undefined where it does not. */
  selfDoor: FastifyInstance | undefined;
}

/** Under load, segments grow towards 16 MiB while the loader is at work, but nothing waits for it longer than this. */
const SEGMENT_HOLD_MS = 2000;
/** Where bodies come fast, segments are given this much longer than their half second to fill: fewer and larger loads, for freshness that is not asked for. */
const SEGMENT_FILL_MS = 700;

/** Opens journal and doors; the doors do not listen yet. Throws `bad_config` and what the file system throws. */
export async function openIngest(config: Config, auth: Auth, clock: Clock, log: Log, onStop: OnStop): Promise<Ingest> {
  const instance = randomBytes(8).toString('hex');
  const otlpSignals = OTLP_COLLECTORS.map(({ signal }) => signal);
  const book = createPipelineBook(clock, instance, otlpSignals);
  const access = await openAccess(config, auth, createLedger(clock, log, book), clock, log);
  const { ledger } = access;
  const journal = await createJournal({
    dir: join(config.dataDir, 'journal'),
    clock,
    log,
    options: {
      maxBacklogBytes: config.journal.maxBacklogGiB * 1024 ** 3,
      segmentHoldMs: SEGMENT_HOLD_MS,
      segmentFillMs: SEGMENT_FILL_MS,
      retentionMs: () => config.retention.spans,
      loadSettings: { ...PINNED_BLOCK_SETTINGS },
    },
  });
  await mkdir(join(config.dataDir, 'scratch'), { recursive: true, mode: 0o700 });
  const { recovered } = journal;
  if (recovered.segments > 0 || recovered.quarantined > 0) log.info(recovered, 'journal recovered');
  onStop('journal after a failed start', (remainingMs) => journal.close(remainingMs));
  const slowLane = createSlowLane(builtPath('app/workers/slow-lane.ts'), log);
  const keeper = createRejectKeeper(journal.quarantineDir, clock, log);
  onStop('rejected spans', () => keeper.settled());
  const common = { collectors: OTLP_COLLECTORS, ledger, encodeStatus, log };
  const { admission, tls, self } = access;
  const receiving = { rewrite: slowLane.rewrite, journal, ledger, keepRejected: keeper.keep };
  const receive = createReceiver({ ...receiving, door: 'otlp_http' });
  const door = createOtlpHttpDoor({ ...common, receive, admission, createServer: tls?.createServer });
  const selfDoor =
    self === undefined ? undefined : createOtlpHttpDoor({ ...common, receive, admission: self.admission });
  const grpcDoor = createOtlpGrpcDoor({
    ...common,
    admission,
    receive: createReceiver({ ...receiving, door: 'otlp_grpc' }),
    credentials: (grpc) =>
      tls === undefined ? grpc.ServerCredentials.createInsecure() : grpcCredentials(tls.material),
    maxConnectionAgeMs: tls?.maxConnectionAgeMs,
    clock,
  });
  // A start that fails later must not leave a door open: it would hold the process.
  onStop('doors after a failed start', async (remainingMs) => {
    await Promise.all([closeServer(door, remainingMs / 2, clock), grpcDoor.close(remainingMs / 2)]);
  });
  const quarantine = createQuarantineKeeper(journal.quarantineDir, QUARANTINE_LIMITS, log);
  return { journal, quarantine, ledger, book, slowLane, door, grpcDoor, access, selfDoor };
}

/** Opens the OTLP ports; what they answer to. Throws `port_taken`, naming the port and its variable. */
export async function listenOtlp(
  { access, door, grpcDoor }: Ingest,
  { bind, otlp }: Config,
): Promise<{ otlpUrl: string; otlpGrpcUrl: string }> {
  const scheme = access.tls === undefined ? 'http' : 'https';
  const httpPort = await listen(door, bind, otlp.httpPort, 'HELIOGRAPH_OTLP_HTTP_PORT');
  const grpcPort = await listen(grpcDoor, bind, otlp.grpcPort, 'HELIOGRAPH_OTLP_GRPC_PORT');
  const host = hostOf(bind);
  return { otlpUrl: `${scheme}://${host}:${httpPort}`, otlpGrpcUrl: `${scheme}://${host}:${grpcPort}` };
}

/** Replays of quarantined bodies. The embedded engine is asked first whether it could read them; a server is not, as it would need the bytes. */
export function openReplay({ journal }: Ingest, { store }: OpenStore, clock: Clock, log: Log): ReplayOne {
  return createReplay({
    quarantineDir: journal.quarantineDir,
    journal,
    collectors: OTLP_COLLECTORS,
    async trial(signal, path) {
      if (store.engine !== 'embedded') return undefined;
      try {
        await store.query(renderTrial(signal, path));
        return undefined;
      } catch (error) {
        if (error instanceof StoreError && error.code === 'query_failed') return error.message;
        return undefined; // a store that does not answer says nothing of the bytes: they wait in the journal for it
      }
    },
    clock,
    log,
  });
}

/** The loader; it does not run yet. */
export function openDispatcher(
  config: Config,
  { journal, book }: Pick<Ingest, 'journal' | 'book'>,
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
    onLoaded(report, segment) {
      const load = { ...report, freshnessMs: clock.nowMs() - segment.firstAppendMs };
      metrics.segmentLoaded(load);
      book.loaded({ ...load, signal: segment.signal });
      book.sampled(journal.depth());
    },
    clock,
    log,
  });
}

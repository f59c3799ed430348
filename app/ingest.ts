/** The road in, composed: doors, journal and loader, with what walks and rewrites a body handed in by the collectors. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FastifyInstance } from 'fastify';
import { OTLP_COLLECTORS } from '../collectors/index.ts';
import { encodeStatus } from '../collectors/otlp/response.ts';
import { builtPath } from '../core/paths.ts';
import type { Clock, Log } from '../core/ports.ts';
import { admitByToken } from '../ingest/admission.ts';
import type { Auth } from '../ingest/auth.ts';
import { createLedger, type DoorLedger } from '../ingest/doors/ledger.ts';
import { createOtlpHttpDoor } from '../ingest/doors/otlp-http.ts';
import { createReceiver } from '../ingest/doors/receive.ts';
import { createRejectKeeper } from '../ingest/doors/reject-keeper.ts';
import { createSlowLane, type SlowLane } from '../ingest/doors/slow-lane.ts';
import { createJournal } from '../ingest/journal/journal.ts';
import type { DiskJournal } from '../ingest/journal/types.ts';
import { createDispatcher, type Dispatcher } from '../ingest/loader/dispatcher.ts';
import { createPipelineBook, type PipelineBook } from '../ingest/pipeline/book.ts';
import { PINNED_BLOCK_SETTINGS } from '../store/load.ts';
import type { Config } from './config/schema.ts';
import type { Metrics } from './metrics.ts';
import type { OnStop } from './shutdown.ts';
import type { OpenStore } from './store.ts';
import type { LoaderWorkerData } from './workers/loader.ts';

export interface Ingest {
  journal: DiskJournal;
  ledger: DoorLedger;
  book: PipelineBook;
  slowLane: SlowLane;
  door: FastifyInstance;
}

/** Under load, segments grow towards 16 MiB while the loader is at work, but nothing waits for it longer than this. */
const SEGMENT_HOLD_MS = 2000;

/** Opens journal and doors; the doors do not listen yet. Throws what the file system throws. */
export async function openIngest(config: Config, auth: Auth, clock: Clock, log: Log, onStop: OnStop): Promise<Ingest> {
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
  const instance = randomBytes(8).toString('hex');
  const otlpSignals = OTLP_COLLECTORS.map(({ signal }) => signal);
  const book = createPipelineBook(clock, instance, otlpSignals);
  const ledger = createLedger(clock, log, book);
  const slowLane = createSlowLane(builtPath('app/workers/slow-lane.ts'), log);
  const keeper = createRejectKeeper(journal.quarantineDir, clock, log);
  const door = createOtlpHttpDoor({
    collectors: OTLP_COLLECTORS,
    receive: createReceiver({ door: 'otlp_http', rewrite: slowLane.rewrite, journal, ledger, keepRejected: keeper }),
    admission: admitByToken(auth),
    ledger,
    encodeStatus,
    log,
  });
  return { journal, ledger, book, slowLane, door };
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

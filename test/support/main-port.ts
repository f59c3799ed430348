/** The real server of the main port over a real journal, without a store behind it: for the doors that take data there. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trace, type Tracer } from '@opentelemetry/api';
import { openPageDoors, type PageDoors } from '../../app/doors.ts';
import { createHttpServer } from '../../app/http/server.ts';
import { createMetrics } from '../../app/metrics.ts';
import { createProfiler } from '../../app/profiling/profiler.ts';
import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/ports.ts';
import { createAuth } from '../../ingest/auth/token.ts';
import { createJournal } from '../../ingest/journal/journal.ts';
import { listQuarantine } from '../../ingest/journal/quarantine.ts';
import type { DiskJournal } from '../../ingest/journal/types.ts';
import { createFace } from '../../store/face/face.ts';
import { createStore } from '../../store/client.ts';
import { type LogLine, memoryLog } from './memory-log.ts';
import { idleStorage } from './storage-sources.ts';

export interface MainPort {
  url: string;
  dir: string;
  log: { lines: LogLine[] };
  journal: DiskJournal;
  doors: PageDoors;
  /** Rows acked so far, by signal, in the order of the journal. */
  rows(signal: string): Promise<Record<string, unknown>[]>;
  /** What was put aside, once its bytes are there. */
  quarantined(): ReturnType<typeof listQuarantine>;
  stop(): Promise<void>;
}

export interface MainPortOptions {
  secretFile?: string;
  token?: string;
  maxBacklogBytes?: number;
  tracer?: Tracer;
  /** Of the doors; the journal keeps the machine's. */
  clock?: Clock;
}

export async function startMainPort(options: MainPortOptions = {}): Promise<MainPort> {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-main-port-'));
  const log = memoryLog();
  const journal = await createJournal({
    dir: join(dir, 'journal'),
    clock: systemClock,
    log,
    options: {
      retentionMs: () => 86_400_000,
      loadSettings: {},
      minFreeBytes: 0,
      maxBacklogBytes: options.maxBacklogBytes ?? 1024 ** 3,
    },
  });
  const clock = options.clock ?? systemClock;
  const doors = await openPageDoors(options.secretFile, journal, clock, log);
  const store = createStore({ socketPath: join(dir, 'nobody'), log });
  const metrics = createMetrics(
    {
      ...idleStorage,
      door: () => ({
        bodies: 0,
        bytes: 0,
        spans: 0,
        byDoor: { otlp_http: { bodies: 0, bytes: 0, spans: 0 }, otlp_grpc: { bodies: 0, bytes: 0, spans: 0 } },
        slowLaneBodies: 0,
        duplicateBodies: 0,
        clockSkewSpans: 0,
        lastAtMs: null,
        rejectedSpans: {},
        refused: [],
      }),
      flows: () => [],
      hooks: doors.ledger.totals,
      journal: () => ({ ...journal.depth(), refused: journal.stats().refused }),
      engine: () => ({ up: false, restarts: 0 }),
      jobs: () => [],
      slowLaneWaiting: () => 0,
      backgroundRestarts: () => 0,
      derived: () => undefined,
      nowMs: () => clock.nowMs(),
    },
    'test',
  );
  const app = createHttpServer({
    store,
    face: createFace({ address: { socketPath: join(dir, 'nobody') }, role: 'face', clock, log }),
    auth: createAuth(options.token),
    metrics,
    onScrape: () => {},
    profiler: createProfiler(),
    vars: async () => ({}),
    checkers: [],
    status: async () => ({}),
    viewsReady: () => false,
    registerDoors: doors.register,
    loopbackOnly: true,
    tracer: options.tracer ?? trace.getTracer('test'),
    clock,
    log,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    dir,
    log,
    journal,
    doors,
    async rows(signal) {
      await journal.sealAll();
      const rows: Record<string, unknown>[] = [];
      for (const segment of journal.sealed().filter((each) => each.signal === signal))
        for await (const body of journal.readBodies(segment))
          for (const line of body.bytes.toString('utf8').trimEnd().split('\n'))
            rows.push(JSON.parse(line) as Record<string, unknown>);
      return rows;
    },
    quarantined: async () => {
      const found = existsSync(journal.quarantineDir) ? await listQuarantine(journal.quarantineDir) : [];
      return found.filter(({ bytes }) => bytes !== null && bytes > 0); // the reason is written first
    },
    async stop() {
      await app.close();
      await doors.settled();
      await journal.close(1000);
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

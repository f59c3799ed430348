/** `/api/status`: what a person or `doctor` asks first. */
import type { Clock } from '../core/ports.ts';
import type { HookCount, HookLedger } from '../ingest/doors/hook-ledger.ts';
import type { DoorLedger, RefusalCount } from '../ingest/doors/ledger.ts';
import type { DiskJournal } from '../ingest/journal/types.ts';
import type { OpenStore } from './store.ts';
import { SELF_SERVICE } from './telemetry/start.ts';
import { VERSION } from './version.ts';

export interface Status {
  version: string;
  uptimeSeconds: number;
  doors: {
    /** What it received, rejected and refused is of both OTLP doors. */
    otlpHttp: {
      url: string;
      received: { bodies: number; spans: number; bytes: number; lastAtMs: number | null };
      rejectedSpans: Record<string, number>;
      refused: RefusalCount[];
    };
    otlpGrpc: { url: string; received: { bodies: number; spans: number; bytes: number } };
    /** Webhooks and deploy events, by what they came to. */
    hooks: HookCount[];
  };
  journal: { segments: number; bytes: number; oldestMs: number | null };
  engine: { kind: 'embedded' | 'server'; state: string; restarts: number };
  selfService: string;
  /** Spans of the last hour from services other than Heliograph itself; null while the store does not answer. */
  foreignSpans: number | null;
}

export interface StatusDeps {
  ledger: DoorLedger;
  hooks: HookLedger;
  journal: DiskJournal;
  store: OpenStore;
  otlpUrl: string;
  otlpGrpcUrl: string;
  clock: Clock;
}

export function createStatus(deps: StatusDeps): () => Promise<Status> {
  const { ledger, hooks, journal, store, otlpUrl, otlpGrpcUrl, clock } = deps;
  const startedMs = clock.monotonicMs();
  return async () => {
    const { bodies, spans, bytes, lastAtMs, rejectedSpans, refused, byDoor } = ledger.totals();
    const foreignSpans = await countForeignSpans(store);
    return {
      version: VERSION,
      uptimeSeconds: Math.round((clock.monotonicMs() - startedMs) / 1000),
      doors: {
        otlpHttp: { url: otlpUrl, received: { bodies, spans, bytes, lastAtMs }, rejectedSpans, refused },
        otlpGrpc: { url: otlpGrpcUrl, received: byDoor.otlp_grpc },
        hooks: hooks.totals(),
      },
      journal: journal.depth(),
      engine: {
        kind: store.store.engine,
        state: store.engine?.state() ?? (foreignSpans === null ? 'unreachable' : 'running'),
        restarts: store.engine?.restarts() ?? 0,
      },
      selfService: SELF_SERVICE,
      foreignSpans,
    };
  };
}

async function countForeignSpans({ store }: OpenStore): Promise<number | null> {
  try {
    const { rows } = await store.query({
      sql: 'SELECT sum(span_count) FROM boards.services(from = now() - 3600, to = now()) WHERE service != {self:String}',
      params: { self: SELF_SERVICE },
    });
    return Number(rows[0]?.[0] ?? 0);
  } catch {
    return null;
  }
}

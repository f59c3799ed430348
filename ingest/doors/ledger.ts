/** What the doors took in, turned away and why. One ledger feeds /metrics, /api/status, `doctor` and the log. */
import type { BodyFormat, Clock, Log, Sender } from '../../core/ports.ts';
import type { Origin } from '../pipeline/flow.ts';

export interface RefusalCount {
  reason: string;
  count: number;
  lastAtMs: number;
  /** What the sender should change. */
  hint: string;
}

/** The doors that OTLP comes in by. */
export const OTLP_DOORS = ['otlp_http', 'otlp_grpc'] as const;
export type OtlpDoor = (typeof OTLP_DOORS)[number];

export interface DoorTotals {
  bodies: number;
  bytes: number;
  spans: number;
  slowLaneBodies: number;
  /** Bodies that had been stored before; in none of the other sums. */
  duplicateBodies: number;
  clockSkewSpans: number;
  lastAtMs: number | null;
  rejectedSpans: Record<string, number>;
  refused: RefusalCount[];
  /** The same bodies by the door they came in by; together they are the sums above. */
  byDoor: Readonly<Record<OtlpDoor, { bodies: number; bytes: number; spans: number }>>;
}

export interface Acceptance {
  door: OtlpDoor;
  bytes: number;
  spans: number;
  clockSkew: number;
  slowLane: boolean;
  /** The same bytes were stored before: acked, not counted again. */
  duplicate: boolean;
  format: BodyFormat;
  sender: Sender;
  signal: string;
  rejected: Readonly<Record<string, number>>;
}

export interface DoorLedger {
  accepted(acceptance: Acceptance): void;
  /** Counts and logs; a reason is logged once a second at most, with the number held back. `origin` where it is known. */
  refused(reason: string, hint: string, fields: object, origin?: Origin): void;
  totals(): DoorTotals;
}

/** Is told of everything that the ledger counts. */
export interface DoorObserver {
  accepted(acceptance: Acceptance): void;
  refused(reason: string, origin: Origin | undefined): void;
}

const LOG_INTERVAL_MS = 1000;

export function createLedger(clock: Clock, log: Log, observer?: DoorObserver): DoorLedger {
  const sums = { bodies: 0, bytes: 0, spans: 0, slowLaneBodies: 0, duplicateBodies: 0, clockSkewSpans: 0 };
  const byDoor = { otlp_http: { bodies: 0, bytes: 0, spans: 0 }, otlp_grpc: { bodies: 0, bytes: 0, spans: 0 } };
  let lastAtMs: number | null = null;
  const rejectedSpans: Record<string, number> = {};
  const refusals = new Map<string, RefusalCount & { loggedAtMs: number; heldBack: number }>();
  return {
    accepted(acceptance) {
      const { door, bytes, spans, clockSkew, slowLane, duplicate, rejected } = acceptance;
      observer?.accepted(acceptance);
      lastAtMs = clock.nowMs();
      if (duplicate) {
        sums.duplicateBodies += 1;
        return;
      }
      sums.bodies += 1;
      sums.bytes += bytes;
      sums.spans += spans;
      sums.clockSkewSpans += clockSkew;
      byDoor[door].bodies += 1;
      byDoor[door].bytes += bytes;
      byDoor[door].spans += spans;
      if (slowLane) sums.slowLaneBodies += 1;
      for (const reason in rejected) rejectedSpans[reason] = (rejectedSpans[reason] ?? 0) + (rejected[reason] ?? 0);
    },
    refused(reason, hint, fields, origin) {
      observer?.refused(reason, origin);
      const nowMs = clock.nowMs();
      const entry = refusals.get(reason) ?? {
        reason,
        count: 0,
        lastAtMs: 0,
        hint,
        loggedAtMs: -LOG_INTERVAL_MS,
        heldBack: 0,
      };
      refusals.set(reason, entry);
      entry.count += 1;
      entry.lastAtMs = nowMs;
      if (clock.monotonicMs() - entry.loggedAtMs < LOG_INTERVAL_MS) {
        entry.heldBack += 1;
        return;
      }
      log.warn({ reason, ...fields, heldBack: entry.heldBack, hint }, 'request refused');
      entry.loggedAtMs = clock.monotonicMs();
      entry.heldBack = 0;
    },
    totals: () => ({
      ...sums,
      lastAtMs,
      rejectedSpans: { ...rejectedSpans },
      byDoor: { otlp_http: { ...byDoor.otlp_http }, otlp_grpc: { ...byDoor.otlp_grpc } },
      refused: [...refusals.values()].map(({ reason, count, lastAtMs: at, hint }) => ({
        reason,
        count,
        lastAtMs: at,
        hint,
      })),
    }),
  };
}

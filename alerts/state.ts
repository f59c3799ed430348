/** Everything the alerts remember, as one value and as one file. */
import Type from 'typebox';
import { Check } from 'typebox/value';
import type { AlertDeliveryRow, AlertRow } from '../core/rows.ts';
import { type MachineState, NO_ALERTS } from './machine.ts';
import type { OutboxEntry } from './outbox.ts';

export interface AlertsState {
  machine: MachineState;
  /** In the order of decision. */
  outbox: readonly OutboxEntry[];
  /** Rows that are not known to be durable in the journal yet, oldest first. */
  records: Records;
}

export interface Records {
  alerts: readonly AlertRow[];
  deliveries: readonly AlertDeliveryRow[];
}

export const EMPTY_STATE: AlertsState = {
  machine: NO_ALERTS,
  outbox: [],
  records: { alerts: [], deliveries: [] },
};

const VERSION = 1;
/** The journal may refuse rows for days; then the oldest are lost, which costs the record and no delivery. */
const MAX_RECORDS = 5_000;

const text = Type.String();
const number = Type.Number();
const nullableNumber = Type.Union([Type.Number(), Type.Null()]);
const texts = Type.Record(Type.String(), Type.String());
const evidence = Type.Record(Type.String(), Type.Unknown());
const rule = Type.Union([Type.Literal('latency'), Type.Literal('goroutines')]);
const status = Type.Union([Type.Literal('pending'), Type.Literal('firing'), Type.Literal('resolved')]);

const OPEN_ALERT = Type.Object({
  fingerprint: text,
  rule,
  labels: texts,
  status: Type.Union([Type.Literal('pending'), Type.Literal('firing')]),
  startsAtMs: number,
  firedAtMs: nullableNumber,
  judgedAtMs: number,
  heldMs: number,
  clearCount: number,
  clearAtMs: nullableNumber,
  missingMs: number,
  evidence,
  latest: evidence,
});

const ENTRY = Type.Object({
  key: text,
  receiver: text,
  message: Type.Object({
    fingerprint: text,
    status: Type.Union([Type.Literal('firing'), Type.Literal('resolved')]),
    labels: texts,
    annotations: texts,
    startsAtMs: number,
    endsAtMs: nullableNumber,
    generatorUrl: text,
    externalUrl: text,
    evidence,
  }),
  createdAtMs: number,
  dueAtMs: number,
  attempts: number,
  refusals: number,
});

const FILE = Type.Object({
  version: Type.Literal(VERSION),
  machine: Type.Object({
    open: Type.Record(Type.String(), OPEN_ALERT),
    knownAtMs: Type.Record(Type.String(), number),
  }),
  outbox: Type.Array(ENTRY),
  records: Type.Object({
    alerts: Type.Array(
      Type.Object({
        fingerprint: text,
        rule: text,
        status,
        labels: texts,
        summary: text,
        starts_at_ms: number,
        ends_at_ms: nullableNumber,
        changed_at_ms: number,
        evidence: text,
      }),
    ),
    deliveries: Type.Array(
      Type.Object({
        time_ms: number,
        receiver: text,
        idempotency_key: text,
        fingerprint: text,
        starts_at_ms: number,
        status: text,
        attempt: number,
        outcome: text,
        http_status: nullableNumber,
      }),
    ),
  }),
});

/** The file's text, one line. */
export function serializeState({ machine, outbox, records }: AlertsState): string {
  return `${JSON.stringify({ version: VERSION, machine, outbox, records })}\n`;
}

/** Reads the file's text. Throws Error saying what is wrong with it. */
export function parseState(file: string): AlertsState {
  const value: unknown = JSON.parse(file);
  if (!Check(FILE, value)) {
    const version = typeof value === 'object' && value !== null ? (value as { version?: unknown }).version : undefined;
    throw new Error(
      version === VERSION
        ? 'the state does not have the shape of its version'
        : `version ${String(version)} is not known here`,
    );
  }
  const { machine, outbox, records } = value;
  return { machine, outbox, records } as unknown as AlertsState;
}

/** Adds rows; returns how many of the oldest had to go. */
export function withRecords(records: Records, added: Partial<Records>): { records: Records; lost: number } {
  const alerts = [...records.alerts, ...(added.alerts ?? [])];
  const deliveries = [...records.deliveries, ...(added.deliveries ?? [])];
  const lost = Math.max(0, alerts.length - MAX_RECORDS) + Math.max(0, deliveries.length - MAX_RECORDS);
  return { records: { alerts: alerts.slice(-MAX_RECORDS), deliveries: deliveries.slice(-MAX_RECORDS) }, lost };
}

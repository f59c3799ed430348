/**
 * The ports: what a room may ask of its neighbours without knowing them. The composition root (`app/`) hands in the
 * real thing; tests hand in the real thing too, save for the clock.
 */
import type { Violation } from './errors.ts';

/** A cancellable timer handle. */
export interface Timer {
  cancel(): void;
}

/** Time as an argument. `nowMs` is wall clock (Unix ms); `monotonicMs` never steps back and is for intervals only. */
export interface Clock {
  nowMs(): number;
  monotonicMs(): number;
  /** Runs `fn` once after `delayMs`; delays above one hour are the caller's mistake (2^31 ms fires at once in Node). */
  after(delayMs: number, fn: () => void): Timer;
}

/** Structured log, pino-shaped: fields first, message last. Secrets never go into fields. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

/** One result column: its name and ClickHouse type. */
export interface Column {
  name: string;
  type: string;
}

/** A statement with bound `{name:Type}` parameters. Values are never pasted into `sql`. */
export interface Statement {
  sql: string;
  params?: Record<string, unknown>;
  /** ClickHouse settings for this statement alone. */
  settings?: Record<string, string | number>;
  signal?: AbortSignal;
}

/** Rows in column order, as ClickHouse `JSONCompact` gives them (64-bit integers unquoted, NaN and Inf as null). */
export interface QueryResult {
  columns: Column[];
  rows: unknown[][];
}

/** One journal segment on its way into the engine. `token` makes a repeated load a no-op, rollups included. */
export interface SegmentLoad {
  /** Segment name: instance + signal + sequence. Also the deduplication token, but for bisected ranges. */
  token: string;
  signal: string;
  team: string;
  /** Absolute path of a file that holds exactly the bytes to load. */
  path: string;
  /** Accepted start times, inclusive, Unix nanoseconds; the view drops what the door counted as rejected. */
  loNs: bigint;
  hiNs: bigint;
  /** Block settings recorded when the segment was opened: other block sizes would double-count under the same token. */
  settings: Record<string, string | number>;
}

/**
 * The one store. Every implementation speaks ClickHouse HTTP; the embedded engine is one more ClickHouse behind a Unix
 * socket. Failures are `StoreError` (see core/errors.ts), with the engine's numeric code where there is one.
 */
export interface Store {
  readonly engine: 'embedded' | 'server';
  query(statement: Statement): Promise<QueryResult>;
  /** DDL, settings, anything without rows. */
  command(statement: Statement): Promise<void>;
  /** `rows` are plain objects, sent as JSONEachRow into `table` (low volume: git, CI, own records). */
  insertRows(table: string, rows: readonly object[], settings?: Record<string, string | number>): Promise<void>;
  /** Loads a whole segment; the embedded engine is handed the path, a server the bytes. */
  load(segment: SegmentLoad): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** The kinds of bytes a segment can hold. */
export type SegmentFormat = 'protobuf' | 'ndjson';

/** Accepted start times of an open segment, inclusive, Unix nanoseconds. */
export interface TimeBounds {
  loNs: bigint;
  hiNs: bigint;
}

/** One body offered to the journal: bytes that concatenate (flat protobuf, or whole NDJSON lines). */
export interface JournalBody {
  bytes: Uint8Array;
  /** Items (spans, rows) in the body that the loader will store; what the door rejected is not counted. */
  items: number;
  /** Bytes the engine needs to hold the body unfolded; its length where absent. Bounds a segment beside its own size. */
  engineBytes?: number;
}

/**
 * An open lane of the journal: one signal, one format, one team. `bounds` and `append` must be called in the same tick,
 * so that a body is judged by the bounds of the segment it lands in.
 */
export interface JournalLane {
  bounds(): TimeBounds;
  /** Resolves when the bytes and their index record are on disk. Rejects with `journal_full` or `journal_unavailable`. */
  append(body: JournalBody): Promise<Appended>;
}

/** What became of a body: durable in any case. */
export interface Appended {
  /** The very same bytes came before, within the window in which a sender may retry: they are not stored again. */
  duplicate: boolean;
}

/** Who sent a body, as far as the doors know. */
export interface Sender {
  /** Column `team` of what is stored; '' where no key names one. */
  team: string;
  /** Name of the API key, token subject or certificate that let the sender in, never a secret; '' where none is asked for. */
  key: string;
}

/** Append, fsync, then ack. The only way rows enter Heliograph. */
export interface Journal {
  lane(signal: string, format: SegmentFormat, team: string): JournalLane;
}

/** What a walk over the wire bytes of one body found. `offset` and `rule` say where and why the framing is broken. */
export type BodyWalk =
  | {
      ok: true;
      spans: number;
      /** Rejected spans by reason; they stay in the bytes and the engine's view drops them by the same predicate. */
      rejected: Readonly<Record<string, number>>;
      rejectedTotal: number;
      /** Accepted spans that end before they start; stored with duration 0. */
      clockSkew: number;
      /** Bytes that the engine holds beyond the body's own, as what spans share is copied to each. */
      copiedBytes: number;
      /** Whether the body must be rewritten to flat protobuf before the engine can read it. */
      needsRewrite: boolean;
    }
  | { ok: false; offset: number; rule: string };

/** An OTLP signal as a door sees it; the collector implements it, the composition root hands it in. */
export interface OtlpCollector {
  /** HTTP path, `/v1/traces`. */
  path: string;
  /** gRPC method, `/opentelemetry.proto.collector.trace.v1.TraceService/Export`. */
  grpcMethod: string;
  /** Journal signal, `otlp_traces`. */
  signal: string;
  walk(bytes: Uint8Array, bounds: TimeBounds): BodyWalk;
  /** Body of a 200: an empty message where everything was accepted. */
  encodeResponse(rejectedSpans: number, message: string, format: BodyFormat): Uint8Array;
  /** One sentence for `partial_success.error_message`: counts, reasons, the mend. */
  rejectMessage(rejected: Readonly<Record<string, number>>): string;
}

/** The forms in which an OTLP body comes in. */
export type BodyFormat = 'protobuf' | 'json';

/** What every OTLP error says, as google.rpc.Status. */
export interface OtlpStatus {
  /** google.rpc.Code. */
  code: number;
  message: string;
  /** Detail RetryInfo: when a retry is sensible. */
  retryAfterSeconds?: number | undefined;
  /** Detail BadRequest: the field and the rule it breaks. */
  violation?: Violation | undefined;
}

/** Encodes a Status: the body of an OTLP/HTTP error, `grpc-status-details-bin` of a gRPC one. */
export type StatusEncoder = (status: OtlpStatus, format: BodyFormat) => Uint8Array;

/**
 * The error table: every error a user can meet has one stable code, one HTTP status, one gRPC status and one sentence.
 * docs/ERRORS.md is generated from it and compared in the tests.
 */

interface ErrorEntry {
  /** HTTP status a door or the API answers with. */
  http: number;
  /** google.rpc.Code for Status bodies (https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto). */
  grpc: number;
  /** Whether the same request may succeed later. */
  retryable: boolean;
  /** What it means and what to do. */
  text: string;
}

export const ERRORS = {
  bad_request: {
    http: 400,
    grpc: 3,
    retryable: false,
    text: 'The request breaks a rule of its protocol; the message names the field and the rule.',
  },
  bad_framing: {
    http: 400,
    grpc: 3,
    retryable: false,
    text: 'The body is not a well-formed protobuf ExportTraceServiceRequest.',
  },
  bad_encoding: {
    http: 400,
    grpc: 3,
    retryable: false,
    text: 'The body could not be decompressed with the Content-Encoding it names.',
  },
  unauthenticated: {
    http: 401,
    grpc: 16,
    retryable: false,
    text: 'A token, key or certificate is asked for and the request does not carry a valid one.',
  },
  forbidden: {
    http: 403,
    grpc: 7,
    retryable: false,
    text: 'The sender is who it says, but no rule of auth.certificates lets it write, or its certificate and its token name different teams.',
  },
  bad_signature: {
    http: 401,
    grpc: 16,
    retryable: false,
    text: 'The signature over the body is missing or was made with another secret; webhook and secretFile must hold the same.',
  },
  not_found: { http: 404, grpc: 5, retryable: false, text: 'There is nothing at this path.' },
  signal_not_supported: {
    http: 404,
    grpc: 12,
    retryable: false,
    text: 'This signal is not collected yet; traces are.',
  },
  method_not_allowed: { http: 405, grpc: 12, retryable: false, text: 'This path answers another method.' },
  body_too_large: {
    http: 413,
    grpc: 8,
    retryable: false,
    text: 'The body is over 16 MiB after decompression or after rewriting; send smaller batches.',
  },
  unsupported_media_type: {
    http: 415,
    grpc: 3,
    retryable: false,
    text: 'This door takes application/x-protobuf and application/json; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.',
  },
  unsupported_encoding: {
    http: 415,
    grpc: 3,
    retryable: false,
    text: 'Content-Encoding is neither identity nor gzip.',
  },
  bad_event: {
    http: 422,
    grpc: 3,
    retryable: false,
    text: 'A field of the event breaks a rule; the message names the field and the rule.',
  },
  too_busy: {
    http: 429,
    grpc: 14,
    retryable: true,
    text: 'Too many requests are waiting; retry after the stated time.',
  },
  over_budget: {
    http: 429,
    grpc: 8,
    retryable: true,
    text: 'The key has spent its budget of spans or bytes a second; retry after the stated time.',
  },
  journal_full: {
    http: 503,
    grpc: 14,
    retryable: true,
    text: 'The journal may not grow: disk is full or the store is behind. Nothing acked is lost; retry after the stated time.',
  },
  journal_unavailable: {
    http: 503,
    grpc: 14,
    retryable: true,
    text: 'The journal could not make the body durable; retry.',
  },
  shutting_down: { http: 503, grpc: 14, retryable: true, text: 'Heliograph is draining before it stops; retry.' },
  store_unavailable: {
    http: 503,
    grpc: 14,
    retryable: true,
    text: 'The store does not answer. The doors keep acking into the journal.',
  },
  store_timeout: {
    http: 504,
    grpc: 4,
    retryable: true,
    text: 'The store did not answer in time; narrow the time range.',
  },
  query_failed: {
    http: 500,
    grpc: 13,
    retryable: false,
    text: 'The store refused the query; the message is the engine’s own.',
  },
  bad_config: {
    http: 500,
    grpc: 9,
    retryable: false,
    text: 'A setting is unknown or its value breaks a rule; the message names key, value and rule.',
  },
  port_taken: {
    http: 500,
    grpc: 9,
    retryable: false,
    text: 'A port is in use; the message names it and the variable that moves it.',
  },
  data_dir_locked: { http: 500, grpc: 9, retryable: false, text: 'Another Heliograph runs on this data directory.' },
  migration_failed: {
    http: 500,
    grpc: 9,
    retryable: false,
    text: 'A migration did not apply; the message names it and the engine’s reason.',
  },
  internal: { http: 500, grpc: 13, retryable: false, text: 'A fault of Heliograph itself; the log has the details.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** Which part of a request breaks a rule: a path to the field (`resourceSpans[0]…kind`) and the rule. */
export interface Violation {
  field: string;
  rule: string;
}

/** An operating error with a code from the table. `message` is for people and holds no secret. */
export class HeliographError extends Error {
  readonly code: ErrorCode;
  /** Seconds after which a retry is sensible, where that is known. */
  readonly retryAfterSeconds: number | undefined;
  /** Where a request that is refused can be said to be wrong in one field. */
  readonly violation: Violation | undefined;
  /** What the ledger counts a refusal under, where it is finer than the code: `jwt_expired`. Never holds what the sender sent. */
  readonly reason: string | undefined;

  constructor(
    code: ErrorCode,
    message?: string,
    options: {
      cause?: unknown;
      retryAfterSeconds?: number | undefined;
      violation?: Violation | undefined;
      reason?: string;
    } = {},
  ) {
    super(message ?? ERRORS[code].text, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HeliographError';
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.violation = options.violation;
    this.reason = options.reason;
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code];
  }
}

/** An answer of the engine that is an exception. `engineCode` is ClickHouse's number (33 = CANNOT_READ_ALL_DATA, …), 0 where none came. */
export class StoreError extends HeliographError {
  readonly engineCode: number;

  constructor(
    code: 'store_unavailable' | 'store_timeout' | 'query_failed',
    engineCode: number,
    message: string,
    cause?: unknown,
  ) {
    super(code, message, { cause });
    this.name = 'StoreError';
    this.engineCode = engineCode;
  }
}

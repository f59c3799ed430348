/** The `Store` port over ClickHouse HTTP: the team's server by URL, the embedded engine by its socket. */
import { open } from 'node:fs/promises';
import { Agent } from 'node:http';
import type { Readable } from 'node:stream';
import {
  ClickHouseError,
  type ClickHouseClient,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
} from '@clickhouse/client';
import { StoreError } from '../core/errors.ts';
import type { Column, Log, QueryResult, SegmentLoad, Statement, Store } from '../core/ports.ts';
import { isKeyword, tokenize } from './embedded/lexer.ts';
import { renderLoad } from './load.ts';

export interface StoreOptions {
  /** `http(s)://user:password@host:port/database` of a server. */
  url?: string;
  /** Socket of the embedded engine. One of the two is given. */
  socketPath?: string;
  log: Log;
  /** How long a statement may be silent. Default 60 s. */
  requestTimeoutMs?: number;
}

const DEFAULT_REQUEST_TIMEOUT_MS = 60_000;
const TIMEOUT_CODES = new Set([159, 160, 209]);
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
  'EACCES',
]);

/** A store; opens no connection yet. Throws `TypeError` for a URL that is none. */
export function createStore(options: StoreOptions): Store {
  const engine = options.socketPath === undefined ? 'server' : 'embedded';
  const client = connect(options);
  const log = options.log.child({ part: 'store', engine });
  return {
    engine,
    query: (statement) => attempt(() => query(client, statement, engine), statement, log),
    command: (statement) => guarded(() => command(client, statement), statement.signal),
    insertRows: (table, rows, settings) => guarded(() => insertRows(client, table, rows, settings)),
    load: (segment) => guarded(() => load(client, segment, engine)),
    ping: () =>
      guarded(async () => {
        const answer = await client.ping();
        if (!answer.success) throw answer.error;
      }),
    close: () => client.close(),
  };
}

function connect(options: StoreOptions): ClickHouseClient {
  const common = {
    request_timeout: options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS,
    // The client's own log would carry statements and their parameters.
    log: { level: ClickHouseLogLevel.OFF },
  };
  if (options.socketPath !== undefined) {
    const http_agent = new Agent({ keepAlive: true, socketPath: options.socketPath } as ConstructorParameters<
      typeof Agent
    >[0]);
    return createClient({ ...common, url: 'http://engine', http_agent });
  }
  const url = new URL(options.url ?? '');
  const database = decodeURIComponent(url.pathname.slice(1));
  return createClient({
    ...common,
    url: url.origin,
    username: decodeURIComponent(url.username) || 'default',
    password: decodeURIComponent(url.password),
    ...(database === '' ? {} : { database }),
    max_open_connections: 16,
    compression: { request: false, response: true },
  });
}

/** Defaults of the embedded engine; servers before 25.8 quote 64-bit integers. There each statement with settings costs 0.3 ms more. */
const SERVER_FORMAT_SETTINGS = {
  output_format_json_quote_64bit_integers: 0,
  output_format_json_quote_denormals: 0,
} as const;

async function query(client: ClickHouseClient, statement: Statement, engine: Store['engine']): Promise<QueryResult> {
  const answer = await client.query({
    query: statement.sql,
    format: 'JSONCompact',
    clickhouse_settings: {
      ...(engine === 'server' ? SERVER_FORMAT_SETTINGS : {}),
      ...asSettings(statement.settings),
    },
    ...parametersOf(statement),
  });
  // The client heeds the signal up to the first byte only.
  const close = (): void => answer.close();
  if (statement.signal?.aborted === true) close();
  statement.signal?.addEventListener('abort', close, { once: true });
  try {
    const { meta, data } = await answer.json<unknown[]>();
    return { columns: meta as Column[], rows: data };
  } finally {
    statement.signal?.removeEventListener('abort', close);
  }
}

async function command(client: ClickHouseClient, statement: Statement): Promise<void> {
  await client.command({
    query: statement.sql,
    clickhouse_settings: asSettings(statement.settings),
    ...parametersOf(statement),
  });
}

async function insertRows(
  client: ClickHouseClient,
  table: string,
  rows: readonly object[],
  settings?: Statement['settings'],
): Promise<void> {
  if (rows.length === 0) return;
  await client.insert({ table, values: rows, format: 'JSONEachRow', clickhouse_settings: asSettings(settings) });
}

async function load(client: ClickHouseClient, segment: SegmentLoad, engine: Store['engine']): Promise<void> {
  const { sql, params, settings, body } = renderLoad(segment, engine);
  const request = { query: sql, query_params: params, clickhouse_settings: asSettings(settings) };
  if (body === 'path') {
    await client.command(request);
    return;
  }
  const file = await open(segment.path).catch((error: unknown) => {
    throw new StoreError('query_failed', 0, `Segment ${segment.path} cannot be read: ${String(error)}`, error);
  });
  const values = file.createReadStream();
  try {
    await drain((await client.exec({ ...request, values })).stream);
  } finally {
    values.destroy(); // and the file with it
  }
}

async function drain(stream: Readable): Promise<void> {
  for await (const _ of stream);
}

/** Settings of this engine that the client's types do not list are settings all the same. */
function asSettings(settings: Statement['settings']): ClickHouseSettings {
  return (settings ?? {}) as ClickHouseSettings;
}

function parametersOf(statement: Statement): { query_params?: Record<string, unknown>; abort_signal?: AbortSignal } {
  return {
    ...(statement.params === undefined ? {} : { query_params: statement.params }),
    ...(statement.signal === undefined ? {} : { abort_signal: statement.signal }),
  };
}

/**
 * Runs a read, and once more when its connection was reset: a kept-alive socket may have been closed by the other side just
 * as it was used, and a read may be repeated.
 */
async function attempt(call: () => Promise<QueryResult>, statement: Statement, log: Log): Promise<QueryResult> {
  try {
    return await call();
  } catch (error) {
    if (statement.signal?.aborted !== true && wasReset(error) && isRead(statement.sql)) {
      log.debug({}, 'connection reset, the read is sent again');
      return guarded(call, statement.signal);
    }
    throw mapError(error, statement.signal);
  }
}

function wasReset(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function isRead(sql: string): boolean {
  for (const token of tokenize(sql)) {
    if (token.text === '(') continue;
    return ['SELECT', 'WITH', 'SHOW', 'DESCRIBE', 'EXISTS', 'EXPLAIN'].some((keyword) => isKeyword(token, keyword));
  }
  return false;
}

async function guarded<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw mapError(error, signal);
  }
}

/** `StoreError` by the engine's number where there is one, else by what became of the connection. An abort stays the caller's own reason. */
function mapError(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ClickHouseError) {
    const code = Number(error.code);
    return new StoreError(TIMEOUT_CODES.has(code) ? 'store_timeout' : 'query_failed', code, message, error);
  }
  if (message.startsWith('Timeout error'))
    return new StoreError('store_timeout', 0, 'The store did not answer in time', error);
  const errno = errnoOf(error);
  if ((errno !== undefined && NETWORK_CODES.has(errno)) || message === 'aborted') {
    return new StoreError('store_unavailable', 0, `The store does not answer (${errno ?? message})`, error);
  }
  return new StoreError('query_failed', 0, message, error);
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** One HTTP request, read as a ClickHouse server reads it. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { EngineException } from './exception.ts';

export interface QueryRequest {
  /** Statement of the `query` parameter; '' when it stands in the body. */
  query: string;
  /** The body, decompressed. */
  body: Readable;
  database: string | undefined;
  defaultFormat: string;
  roles: string[];
  queryId: string | undefined;
  /** `param_x` values in the escaped form they came in. */
  params: Record<string, string>;
  settings: Record<string, string>;
  /** The answer may be compressed with gzip. */
  gzip: boolean;
  /** Bytes of a result to hold back, so that a failure behind the first rows still gets a status of its own. */
  heldBackBytes: number;
}

/** Statements, and data that stand behind them in one text, are held in memory up to here; data of their own are not. */
const MAX_STATEMENT_BYTES = 64 * 1024 * 1024;

const HELD_BACK_BYTES = 128 * 1024;
/** What `wait_end_of_query=1` may raise it to by `buffer_size`. A server keeps the whole result; memory here is dear. */
const MAX_HELD_BACK_BYTES = 4 * 1024 * 1024;

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_.]*$/;

/** Parameters that are not settings. Passwords are not looked at: whoever can open the socket is the user. */
const RESERVED = new Set([
  'query',
  'database',
  'default_format',
  'role',
  'query_id',
  'user',
  'password',
  'quota_key',
  'stacktrace',
  'buffer_size',
  'wait_end_of_query',
  'client_protocol_version',
  'session_timeout',
  'session_check',
  'close_session',
  'log_comment',
]);

/** Parameters that would change the meaning of the bytes, and are not served. */
const UNSERVED = ['session_id', 'compress', 'decompress'];

/** Reads parameters and headers. Throws `EngineException` for what is malformed or not served. */
export function readRequest(request: IncomingMessage): QueryRequest {
  const parameters = new URL(request.url ?? '/', 'http://engine').searchParams;
  for (const name of UNSERVED) {
    const value = parameters.get(name);
    if (value !== null && value !== '0' && value !== '') throw notServed(`Parameter ${name}`);
  }
  if (/^multipart\//i.test(request.headers['content-type'] ?? '')) throw notServed('A multipart body');
  const params: Record<string, string> = {};
  const settings: Record<string, string> = {};
  for (const [name, value] of parameters) {
    if (RESERVED.has(name) || UNSERVED.includes(name)) continue;
    if (!IDENTIFIER.test(name)) throw new EngineException(115, 'UNKNOWN_SETTING', `Unknown setting '${name}'`);
    if (name.startsWith('param_')) params[name.slice(6)] = value;
    else settings[name] = value;
  }
  // As on a server, a GET may be repeated by anybody on the way and therefore changes nothing.
  if (request.method === 'GET') settings['readonly'] ??= '2';
  return {
    query: parameters.get('query') ?? '',
    body: decompressed(request),
    database: parameters.get('database') ?? header(request, 'x-clickhouse-database'),
    defaultFormat: header(request, 'x-clickhouse-format') ?? parameters.get('default_format') ?? 'TabSeparated',
    roles: parameters.getAll('role'),
    queryId: parameters.get('query_id') ?? undefined,
    params,
    settings,
    heldBackBytes: heldBack(parameters),
    gzip:
      isTrue(parameters.get('enable_http_compression')) && /\bgzip\b/.test(header(request, 'accept-encoding') ?? ''),
  };
}

function heldBack(parameters: URLSearchParams): number {
  if (!isTrue(parameters.get('wait_end_of_query'))) return HELD_BACK_BYTES;
  const asked = Number(parameters.get('buffer_size') ?? MAX_HELD_BACK_BYTES);
  return asked >= HELD_BACK_BYTES ? Math.min(asked, MAX_HELD_BACK_BYTES) : HELD_BACK_BYTES;
}

function notServed(what: string): EngineException {
  return new EngineException(48, 'NOT_IMPLEMENTED', `${what} is not served by the embedded engine`);
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function isTrue(value: string | null): boolean {
  return value === '1' || value === 'true';
}

function decompressed(request: IncomingMessage): Readable {
  const encoding = header(request, 'content-encoding') ?? 'identity';
  if (encoding === 'identity') return request;
  if (encoding !== 'gzip' && encoding !== 'deflate') throw notServed(`Content-Encoding ${encoding}`);
  const inflate = encoding === 'gzip' ? createGunzip() : createInflate();
  request.on('error', (error) => inflate.destroy(error));
  request.on('aborted', () => inflate.destroy(new Error('the client went away')));
  return request.pipe(inflate);
}

/** The whole body. Throws `QUERY_IS_TOO_LARGE` over 64 MiB and `CANNOT_DECOMPRESS` for a broken encoding. */
export async function readText(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_STATEMENT_BYTES)
        throw new EngineException(229, 'QUERY_IS_TOO_LARGE', `Statement over ${MAX_STATEMENT_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw bodyError(error);
  }
  return Buffer.concat(chunks);
}

/** What zlib says about a broken body, as the engine would say it; other errors stay as they are. */
export function bodyError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('Z_')) return error;
  return new EngineException(271, 'CANNOT_DECOMPRESS', `Cannot decompress the request body: ${code}`);
}

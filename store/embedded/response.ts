/** Answers of the engine's server: whole ones with their length, long ones in pieces, failures in ClickHouse's form. */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { constants, createGzip, type Gzip, gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { type EngineException, exceptionBlock, exceptionText, httpStatus } from './exception.ts';

/** What every answer says about its origin. */
export interface AnswerContext {
  response: ServerResponse;
  queryId: string;
  format: string;
  gzip: boolean;
  version: string;
  hostName: string;
}

export interface Summary {
  readRows: number;
  readBytes: number;
  elapsedNs: number;
}

/** Compressing less than this costs more than it saves. */
const MIN_GZIP_BYTES = 1024;
/** A client that takes nothing for this long is gone, whatever its socket says. */
const STALLED_MS = 120_000;

const gzipWhole = promisify(gzip);

/** Answers with a whole result. */
export async function answerWhole(context: AnswerContext, body: Buffer, summary: Summary): Promise<void> {
  const { response } = context;
  const zipped = context.gzip && body.length >= MIN_GZIP_BYTES;
  const bytes = zipped ? await gzipWhole(body, { level: 1 }) : body;
  setHeaders(context, zipped);
  response.setHeader('X-ClickHouse-Summary', renderSummary(summary));
  response.setHeader('Content-Length', bytes.length);
  response.writeHead(200).end(bytes);
}

/** Answers with a failure. Does nothing where the client is gone. */
export function answerException(context: AnswerContext, exception: EngineException): void {
  const { response } = context;
  if (response.destroyed || response.headersSent) return;
  const body = Buffer.from(exceptionText(exception, context.version));
  setHeaders({ ...context, format: 'TabSeparated' }, false);
  response.setHeader('X-ClickHouse-Exception-Code', exception.engineCode);
  response.setHeader('Content-Length', body.length);
  response.writeHead(httpStatus(exception.engineCode)).end(body);
}

/** An answer in pieces. */
export interface StreamedAnswer {
  /** Resolves when there is room for more, or the client is gone. */
  write(chunk: Buffer): Promise<void>;
  end(): void;
  /** Ends a result that will never be whole: the exception first, then the connection, so that nobody takes it for whole. */
  breakOff(exception: EngineException): Promise<void>;
}

/** Sends status 200 and begins the result. */
export function beginAnswer(context: AnswerContext): StreamedAnswer {
  const { response } = context;
  const tag = randomBytes(8).toString('hex');
  setHeaders(context, context.gzip);
  response.setHeader('X-ClickHouse-Exception-Tag', tag);
  response.writeHead(200);
  const zip = context.gzip ? createGzip({ level: 1 }) : undefined;
  zip?.pipe(response);
  const sink = zip ?? response;
  return {
    write: (chunk) => writeWithPatience(sink, response, chunk),
    end: () => void sink.end(),
    breakOff: async (exception) => {
      const socket = response.socket;
      sink.write(exceptionBlock(exception, context.version, tag));
      if (zip !== undefined) await flushed(zip);
      // The bytes leave, the closing chunk does not: every HTTP client reports an incomplete answer.
      socket?.end();
    },
  };
}

/** Gives up on a client that takes nothing by closing its connection. Never rejects. */
async function writeWithPatience(sink: Gzip | ServerResponse, response: ServerResponse, chunk: Buffer): Promise<void> {
  if (response.destroyed || sink.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => response.destroy(), STALLED_MS);
    const go = (): void => {
      clearTimeout(timer);
      sink.off('drain', go);
      response.off('close', go);
      resolve();
    };
    sink.on('drain', go);
    response.on('close', go);
  });
}

function flushed(zip: Gzip): Promise<void> {
  return new Promise((resolve) => zip.flush(constants.Z_SYNC_FLUSH, () => resolve()));
}

function setHeaders(context: AnswerContext, zipped: boolean): void {
  const { response } = context;
  response.setHeader('Content-Type', contentType(context.format));
  response.setHeader('X-ClickHouse-Server-Display-Name', context.hostName);
  response.setHeader('X-ClickHouse-Query-Id', context.queryId);
  response.setHeader('X-ClickHouse-Format', context.format);
  response.setHeader('X-ClickHouse-Timezone', 'UTC');
  if (zipped) response.setHeader('Content-Encoding', 'gzip');
}

function renderSummary(summary: Summary): string {
  const { readRows, readBytes, elapsedNs } = summary;
  return JSON.stringify({ read_rows: String(readRows), read_bytes: String(readBytes), elapsed_ns: String(elapsedNs) });
}

function contentType(format: string): string {
  if (/^JSON/.test(format))
    return format.includes('EachRow') ? 'application/x-ndjson; charset=UTF-8' : 'application/json; charset=UTF-8';
  if (/^(TabSeparated|TSV)/.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  if (/^CSV/.test(format))
    return 'text/csv; charset=UTF-8; header=' + (format.includes('WithNames') ? 'present' : 'absent');
  if (/^(Native|RowBinary|Parquet|Arrow|ORC|Avro|Protobuf|MsgPack|Npy)/.test(format)) return 'application/octet-stream';
  return 'text/plain; charset=UTF-8';
}

/** Calls `gone` once if the client leaves before its answer is complete. */
export function onClientGone(response: ServerResponse, gone: () => void): void {
  response.once('close', () => {
    if (!response.writableFinished) gone();
  });
}

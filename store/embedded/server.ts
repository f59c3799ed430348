/** The ClickHouse HTTP interface over the embedded engine. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { ABORTED, toEngineException } from './exception.ts';
import { execute } from './execute.ts';
import { readRequest } from './request.ts';
import { type AnswerContext, answerException } from './response.ts';
import type { SessionPool } from './sessions.ts';

/** A server takes URLs up to 1 MiB; settings such as a protobuf schema travel in them. */
const MAX_HEADER_BYTES = 1024 * 1024;

/**
 * An HTTP server that is not listening yet. `onFatal` is called when the engine has shut itself down; nothing but a new process
 * helps then.
 */
export function createEngineServer(pool: SessionPool, version: string, onFatal: (message: string) => void): Server {
  const hostName = hostname();
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: 30_000, requestTimeout: 0 },
    (request, response) => {
      const path = (request.url ?? '/').split('?', 1)[0];
      if (path === '/ping' || path === '/replicas_status') return sendText(response, 200, 'Ok.\n');
      if (path !== '/') return sendText(response, 404, `There is no handle ${path}\n`);
      if (request.method !== 'GET' && request.method !== 'POST') return sendText(response, 405, 'GET or POST\n');
      const context = { response, queryId: randomUUID(), format: 'TabSeparated', gzip: false, version, hostName };
      void answer(pool, request, context, onFatal);
    },
  );
  return server;
}

async function answer(
  pool: SessionPool,
  request: IncomingMessage,
  context: AnswerContext,
  onFatal: (message: string) => void,
): Promise<void> {
  try {
    const query = readRequest(request);
    if (query.queryId !== undefined) context.queryId = query.queryId;
    context.gzip = query.gzip;
    await execute(pool, query, context);
  } catch (error) {
    const exception = toEngineException(error);
    answerException(context, exception);
    // What is left of an unread body would be taken for the next request.
    if (!request.complete) request.resume();
    if (exception.engineCode === ABORTED) onFatal(exception.message);
  }
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { 'Content-Type': 'text/plain; charset=UTF-8', 'Content-Length': Buffer.byteLength(text) })
    .end(text);
}

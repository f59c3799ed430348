/**
 * `/clickhouse/`: ClickHouse's HTTP interface for Grafana and SQL clients, to read `boards` and nothing else. What a statement may
 * be is the face's business (`store/face`); here are credentials, bodies and answers in the form such clients expect.
 */
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HeliographError } from '../../core/errors.ts';
import type { Log } from '../../core/ports.ts';
import type { Auth } from '../../ingest/auth/token.ts';
import { EngineException, exceptionText, httpStatus } from '../../store/embedded/exception.ts';
import { type Face, MAX_STATEMENT_BYTES } from '../../store/face/face.ts';
import { notServed } from '../../store/face/refusal.ts';

export interface ClickhouseDeps {
  face: Face;
  auth: Auth;
  /** Whether the views exist yet. */
  viewsReady(): boolean;
  log: Log;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route checks credentials itself, to answer in its own protocol. */
    ownAuth?: boolean;
  }
}

const INFLATE = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;
const AUTHENTICATION_FAILED = 516;

/** Adds `/clickhouse`, `/clickhouse/` and `/clickhouse/ping`. */
export function registerClickhouse(app: FastifyInstance, deps: ClickhouseDeps): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error, _request, reply) => refuse(deps, error, reply));
    scope.addHook('onRequest', async (request) => authenticate(deps.auth, request));
    const config = { ownAuth: true };
    scope.get('/clickhouse/ping', { config }, async (_request, reply) => reply.type('text/plain').send('Ok.\n'));
    for (const url of ['/clickhouse', '/clickhouse/']) {
      scope.route({
        method: ['GET', 'POST'],
        url,
        config,
        bodyLimit: MAX_STATEMENT_BYTES,
        exposeHeadRoute: false,
        handler: (request, reply) => answer(deps, request, reply),
      });
    }
  });
}

async function answer(deps: ClickhouseDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (!deps.viewsReady()) throw new HeliographError('store_unavailable', 'The tables are still being made');
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the client went away'));
  });
  const parameters = parametersOf(request);
  const { headers, body } = await deps.face.answer({
    statement: await statementOf(request, parameters),
    parameters,
    format: headerOf(request, 'x-clickhouse-format') ?? parameters.get('default_format') ?? undefined,
    database: parameters.get('database') ?? headerOf(request, 'x-clickhouse-database'),
    gzip: /\bgzip\b/.test(headerOf(request, 'accept-encoding') ?? ''),
    signal: gone.signal,
  });
  return reply.headers(headers).send(body);
}

/** The statement stands in the URL, in the body, or begins in the one and goes on in the other. */
async function statementOf(request: FastifyRequest, parameters: URLSearchParams): Promise<Buffer> {
  if (/^multipart\//i.test(headerOf(request, 'content-type') ?? '')) throw notServed('A multipart body');
  const head = Buffer.from(parameters.get('query') ?? '');
  const body = Buffer.isBuffer(request.body)
    ? await decompress(request.body, headerOf(request, 'content-encoding'))
    : Buffer.alloc(0);
  return head.length > 0 && body.length > 0
    ? Buffer.concat([head, Buffer.from('\n'), body])
    : Buffer.concat([head, body]);
}

async function decompress(body: Buffer, encoding = 'identity'): Promise<Buffer> {
  if (encoding === 'identity' || body.length === 0) return body;
  if (encoding !== 'gzip' && encoding !== 'deflate') throw notServed(`Content-Encoding ${encoding.slice(0, 40)}`);
  try {
    // One byte more than a statement may have, so that the face is the one to count.
    return await INFLATE[encoding](body, { maxOutputLength: MAX_STATEMENT_BYTES + 1 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw new HeliographError('body_too_large');
    throw new EngineException(271, 'CANNOT_DECOMPRESS', `Cannot decompress the request body: ${code ?? 'unknown'}`);
  }
}

/**
 * The token as ClickHouse's clients carry a password: Basic or Bearer, a header, a parameter. Which user is named does not
 * matter.
 */
function authenticate(auth: Auth, request: FastifyRequest): void {
  if (auth.allows(request.headers.authorization)) return;
  if (auth.allowsSecret(headerOf(request, 'x-clickhouse-key'))) return;
  if (auth.allowsSecret(parametersOf(request).get('password') ?? undefined)) return;
  throw new HeliographError('unauthenticated');
}

function refuse({ face, log }: ClickhouseDeps, error: unknown, reply: FastifyReply): FastifyReply {
  const exception = asException(error);
  const { engineCode } = exception;
  const status = engineCode === AUTHENTICATION_FAILED ? 401 : engineCode === 210 ? 503 : httpStatus(engineCode);
  if (status === 500 && !reply.raw.destroyed)
    log.warn({ code: engineCode, name: exception.engineName }, 'a statement of a reader failed');
  if (status === 401) reply.header('www-authenticate', 'Basic realm="heliograph", charset="UTF-8"');
  if (status === 503) reply.header('retry-after', '1');
  return reply
    .code(status)
    .headers({ 'x-clickhouse-exception-code': String(engineCode), 'content-type': 'text/plain; charset=UTF-8' })
    .send(exceptionText(exception, face.version()));
}

/** Any failure in ClickHouse's words. */
function asException(error: unknown): EngineException {
  if (error instanceof EngineException) return error;
  if (error instanceof HeliographError) {
    if (error.code === 'unauthenticated')
      return new EngineException(
        AUTHENTICATION_FAILED,
        'AUTHENTICATION_FAILED',
        'Authentication failed: the password is the token',
      );
    if (error.code === 'store_unavailable') return new EngineException(210, 'NETWORK_ERROR', error.message);
    if (error.code === 'body_too_large')
      return new EngineException(229, 'QUERY_IS_TOO_LARGE', `A statement may have ${MAX_STATEMENT_BYTES} bytes`);
    return new EngineException(36, 'BAD_ARGUMENTS', error.message);
  }
  const { statusCode } = error as { statusCode?: number };
  if (statusCode === 413)
    return new EngineException(229, 'QUERY_IS_TOO_LARGE', `A statement may have ${MAX_STATEMENT_BYTES} bytes`);
  return new EngineException(1002, 'UNKNOWN_EXCEPTION', error instanceof Error ? error.message : 'unknown');
}

function parametersOf(request: FastifyRequest): URLSearchParams {
  const question = request.url.indexOf('?');
  return new URLSearchParams(question === -1 ? '' : request.url.slice(question + 1));
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

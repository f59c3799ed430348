/**
 * The OTLP/HTTP door. A body is decompressed, walked, appended to the journal and acked; it never becomes objects here.
 * Answers follow https://github.com/open-telemetry/opentelemetry-proto/blob/main/docs/specification.md
 */
import type { Socket } from 'node:net';
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerFactory,
} from 'fastify';
import { ERRORS, type ErrorCode, HeliographError } from '../../core/errors.ts';
import type { BodyFormat, Log, OtlpCollector, Sender, StatusEncoder } from '../../core/ports.ts';
import type { Admission } from '../auth/admission.ts';
import { peerCertificate } from '../auth/tls.ts';
import { formOf, type Origin } from '../pipeline/flow.ts';
import { BODY_MAX_BYTES, decodeBody } from './body.ts';
import type { DoorLedger } from './ledger.ts';
import { retryAfterOf, statusOf } from './otlp-status.ts';
import type { Receive } from './receive.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who the OTLP door let in. */
    sender: Sender;
  }
}

export interface OtlpHttpDeps {
  collectors: readonly OtlpCollector[];
  receive: Receive;
  admission: Admission;
  /** Counts what is turned away. */
  ledger: DoorLedger;
  encodeStatus: StatusEncoder;
  /** In the place of a plain HTTP server; counts its own failed handshakes. */
  createServer?: FastifyServerFactory | undefined;
  log: Log;
}

/** OTLP signals that exist but have no collector yet, so that their senders are told so by name. */
const SIGNALS_TO_COME = ['/v1/metrics', '/v1/logs', '/v1development/profiles'];
const PROTOBUF = 'application/x-protobuf';
const FORMATS: ReadonlyMap<string, BodyFormat> = new Map([
  [PROTOBUF, 'protobuf'],
  ['application/json', 'json'],
]);

/** The door as a Fastify instance that does not listen yet. */
export function createOtlpHttpDoor(deps: OtlpHttpDeps): FastifyInstance {
  const door = fastify({
    bodyLimit: BODY_MAX_BYTES,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: clientErrors(deps),
    ...(deps.createServer === undefined ? {} : { serverFactory: deps.createServer }),
  });
  door.removeAllContentTypeParsers();
  door.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  door.setErrorHandler((error, request, reply) => refuse(deps, asHeliographError(error), request, reply));
  door.setNotFoundHandler((request, reply) => refuse(deps, unknownPath(request, deps), request, reply));
  door.decorateRequest('sender');
  door.addHook('onRequest', async (request) => {
    request.sender = await deps.admission.admit({
      authorization: request.headers.authorization,
      certificate: peerCertificate(request.raw.socket),
    });
  });
  for (const collector of deps.collectors) {
    door.post(collector.path, { preParsing: checkHeaders }, async (request, reply) => {
      const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const bytes = await decodeBody(raw, request.headers['content-encoding']);
      const format = formatOf(request) ?? 'protobuf';
      const { rejectedSpans, message } = await deps.receive(collector, {
        bytes,
        format,
        sender: request.sender,
      });
      return answer(reply, format, collector.encodeResponse(rejectedSpans, message, format));
    });
  }
  for (const path of SIGNALS_TO_COME) {
    door.post(path, async () => {
      throw new HeliographError('signal_not_supported', `${path} is not collected yet; /v1/traces is`);
    });
  }
  return door;
}

/** Refuses by headers alone, before a body is read. */
async function checkHeaders(request: FastifyRequest): Promise<void> {
  if (formatOf(request) !== undefined) return;
  throw new HeliographError(
    'unsupported_media_type',
    `Content-Type "${mediaType(request).slice(0, 60)}" is neither ${[...FORMATS.keys()].join(' nor ')}; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`,
  );
}

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '';

/** Parameters, such as a charset, are not looked at: JSON is UTF-8 whatever they say. */
function mediaType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function formatOf(request: FastifyRequest): BodyFormat | undefined {
  return FORMATS.get(mediaType(request));
}

/** Answers in the form of the request. */
function answer(reply: FastifyReply, format: BodyFormat, body: Uint8Array): FastifyReply {
  return reply.header('content-type', format === 'json' ? 'application/json' : PROTOBUF).send(Buffer.from(body));
}

function unknownPath(request: FastifyRequest, deps: OtlpHttpDeps): HeliographError {
  const path = pathOf(request);
  const known = [...deps.collectors.map((collector) => collector.path), ...SIGNALS_TO_COME];
  if (known.includes(path)) return new HeliographError('method_not_allowed', `${path} takes POST`);
  return new HeliographError('not_found', `nothing at ${path.slice(0, 80)}; spans go to POST /v1/traces`);
}

/** Fastify's own refusals, by their codes, as entries of our table. */
const FRAMEWORK_ERRORS: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad_request',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_BAD_URL: 'bad_request',
};

function asHeliographError(error: unknown): HeliographError {
  if (error instanceof HeliographError) return error;
  const { code } = error as { code?: string };
  return new HeliographError(FRAMEWORK_ERRORS[code ?? ''] ?? 'internal', undefined, { cause: error });
}

/** Reasons that `doctor` knows are the error codes, but for a sender on a wrong path. */
function refusalReason(error: HeliographError): string {
  return error.reason ?? (error.code === 'not_found' ? 'wrong_path' : error.code);
}

function refuse(
  deps: OtlpHttpDeps,
  error: HeliographError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { http, text } = error.entry;
  if (error.code === 'internal')
    deps.log.error({ err: error.cause ?? error, path: request.url }, 'the OTLP door failed');
  const fields = { status: http, path: request.url.slice(0, 200), why: error.message };
  deps.ledger.refused(refusalReason(error), text, fields, originOf(deps, request));
  if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer');
  if (error.code === 'method_not_allowed') reply.header('allow', 'POST');
  const retryAfter = retryAfterOf(error);
  if (retryAfter !== undefined) reply.header('retry-after', String(Math.ceil(retryAfter)));
  reply.code(http);
  // A sender whose form we do not know reads protobuf, the form of the protocol's default.
  const format = formatOf(request) ?? 'protobuf';
  return answer(reply, format, deps.encodeStatus(statusOf(error), format));
}

function originOf({ collectors }: OtlpHttpDeps, request: FastifyRequest): Origin {
  const path = pathOf(request);
  return {
    signal: collectors.find((collector) => collector.path === path)?.signal ?? '',
    form: formOf('otlp_http', formatOf(request) ?? 'protobuf'),
    sender: request.sender as Sender | undefined, // nobody's before it was let in
  };
}

/** What is not HTTP/1.1: above all gRPC exporters pointed at the HTTP port, which open with the HTTP/2 preface. */
function clientErrors(deps: OtlpHttpDeps): (error: NodeJS.ErrnoException, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable || isHandshake(error)) return void socket.destroy();
    const isHttp2 = error.code === 'HPE_PAUSED_H2_UPGRADE';
    const [reason, hint] = isHttp2
      ? ([
          'grpc_on_http_port',
          'This port speaks OTLP over HTTP: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or send to the port of gRPC (4317).',
        ] as const)
      : (['bad_http', ERRORS.bad_request.text] as const);
    deps.ledger.refused(reason, hint, { status: 400, why: error.message });
    const body = deps.encodeStatus({ code: ERRORS.bad_request.grpc, message: hint }, 'protobuf');
    socket.write(
      `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.end(body);
  };
}

/** What fails before there is HTTP is counted by the server that speaks TLS. */
function isHandshake({ code = '' }: NodeJS.ErrnoException): boolean {
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_');
}

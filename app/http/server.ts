/** The HTTP surface on the main port: page, API, metrics and health, behind one token. */
import type { Tracer } from '@opentelemetry/api';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { HeliographError } from '../../core/errors.ts';
import type { Clock, Log, Store } from '../../core/ports.ts';
import type { Auth } from '../../ingest/auth/token.ts';
import type { Face } from '../../store/face/face.ts';
import type { Metrics } from '../metrics.ts';
import { traceRequests } from '../telemetry/http-spans.ts';
import type { Profiler } from '../profiling/profiler.ts';
import { registerBoards } from './boards.ts';
import { registerClickhouse } from './clickhouse.ts';
import { PROFILE_PATHS, registerDebug } from './debug.ts';
import { type Checker, checkReadiness } from './health.ts';
import { registerPage } from './page.ts';
import { registerQuery } from './query.ts';

export interface HttpServerDeps {
  store: Store;
  face: Face;
  auth: Auth;
  metrics: Metrics;
  /** Called when /metrics is read. */
  onScrape(): void;
  profiler: Profiler;
  /** Body of `/debug/vars`. */
  vars(): Promise<object>;
  checkers: readonly Checker[];
  /** Body of `/api/status`. */
  status(): Promise<object>;
  /** Whether the views exist yet; until then, whatever reads them answers 503. */
  viewsReady(): boolean;
  /** Adds the doors that take data. */
  registerDoors(app: FastifyInstance): void;
  /** Whether only this machine can connect: then a request must also name this machine as its host. */
  loopbackOnly: boolean;
  tracer: Tracer;
  clock: Clock;
  log: Log;
}

/** Answers without a token: an orchestrator has none, and they tell nothing but up or down. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz']);

/**
 * Webhooks are held by their own signature: they need no token. Nor do they need to name this machine: a delivery comes through a
 * tunnel or proxy that forwards the public name, and what a page can make a browser send here, it cannot sign.
 */
const SIGNED_ROUTES = /^\/hooks\/\w+$/;

/** The doors are never traced: a delivery's span would be a delivery of its own. */
const DOOR_ROUTES = /^\/(hooks|v1)\//;

/** A view by name, a panel's or a variable's query. */
const READS_VIEWS = /^\/api\/(query\/|boards\/[^/]+\/)/;

/** The server as a Fastify instance that does not listen yet. */
export function createHttpServer(deps: HttpServerDeps): FastifyInstance {
  const app = fastify({ forceCloseConnections: 'idle', bodyLimit: 64 * 1024, routerOptions: { maxParamLength: 200 } });
  if (deps.loopbackOnly) app.addHook('onRequest', async (request) => refuseForeignHost(request));
  app.addHook('onRequest', async (request, reply) => authenticate(deps.auth, request, reply));
  traceRequests(app, deps.tracer, (route) => !DOOR_ROUTES.test(route) && !route.startsWith(PROFILE_PATHS));
  app.addHook('onRequest', async (request) => {
    if (deps.viewsReady() || !READS_VIEWS.test(request.url)) return;
    throw new HeliographError('store_unavailable', 'The tables are still being made; the doors ack already.', {
      retryAfterSeconds: 1,
    });
  });
  app.setErrorHandler((error, request, reply) => sendError(deps.log, error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    sendError(deps.log, new HeliographError('not_found', `nothing at ${request.url.slice(0, 80)}`), request, reply),
  );
  app.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', async (_request, reply) => {
    const readiness = await checkReadiness(deps.checkers, deps.clock);
    return reply.code(readiness.ok ? 200 : 503).send(readiness);
  });
  app.get('/metrics', async (_request, reply) => {
    deps.onScrape();
    return reply.type(deps.metrics.contentType).send(deps.metrics.snapshot());
  });
  app.get('/api/status', async () => deps.status());
  registerBoards(app, deps);
  registerQuery(app, deps);
  registerClickhouse(app, deps);
  registerPage(app);
  deps.registerDoors(app);
  registerDebug(app, deps);
  return app;
}

/** The route's own pattern, not what the sender wrote; there is one only where a route answers. */
function isSigned({ routeOptions }: FastifyRequest): boolean {
  return SIGNED_ROUTES.test(routeOptions.url ?? '');
}

async function authenticate(auth: Auth, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (request.routeOptions.config.ownAuth === true || isSigned(request)) return;
  if (OPEN_PATHS.has(request.url.split('?', 1)[0] ?? '') || auth.allows(request.headers.authorization)) return;
  reply.header('www-authenticate', 'Basic realm="heliograph", charset="UTF-8"');
  throw new HeliographError('unauthenticated');
}

/**
 * A page of any site can make a browser connect here under a name of its own (DNS rebinding). On a loopback bind nobody
 * has a reason to call this machine by another name than its own.
 */
async function refuseForeignHost(request: FastifyRequest): Promise<void> {
  if (isSigned(request)) return;
  const host = request.hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)) return;
  throw new HeliographError(
    'bad_request',
    `Host "${host.slice(0, 60)}" is not this machine; open http://127.0.0.1 or http://localhost`,
  );
}

/** `{ error: { code, message } }`, with the status of the error table. */
export function sendError(log: Log, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = error instanceof HeliographError ? error : frameworkError(error);
  if (known.code === 'internal') log.error({ err: error, path: request.url }, 'request failed');
  if (known.entry.retryable) reply.header('retry-after', String(known.retryAfterSeconds ?? 1));
  return reply.code(known.entry.http).send({ error: { code: known.code, message: known.message } });
}

function frameworkError(error: unknown): HeliographError {
  const { statusCode, message } = error as { statusCode?: number; message: string };
  if (statusCode !== undefined && statusCode < 500)
    return new HeliographError(statusCode === 413 ? 'body_too_large' : 'bad_request', message);
  return new HeliographError('internal', undefined, { cause: error });
}

/** The door of deploy events: `POST /v1/deployments`. It stands behind the API's token. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HeliographError } from '../../core/errors.ts';
import type { DeploymentCollector } from '../../core/hooks.ts';
import { FieldRejected } from '../../core/json-fields.ts';
import type { Clock } from '../../core/ports.ts';
import type { RowSink } from '../../core/rows.ts';
import { decodeBody } from './body.ts';
import { type HookLedger, outcomeOf } from './hook-ledger.ts';

export interface DeploymentDoorDeps {
  collector: DeploymentCollector;
  rows: RowSink;
  ledger: HookLedger;
  /** Told of every body with rejected events, after its answer; never awaited. */
  keepRejected(signal: string, bytes: Uint8Array, rejected: Readonly<Record<string, number>>): void;
  clock: Clock;
}

const PATH = '/v1/deployments';
/** After decompression too. */
const BODY_MAX_BYTES = 4 * 1024 * 1024;
const HOOK = 'deployments';
const EVENT = 'deployment';

/**
 * Adds the route. 200 `{accepted, rejected: [{index, field, rule}]}` once the accepted events are durable; 400 with the same shape
 * when none was accepted. Other errors are thrown for the app's error handler.
 */
export function registerDeployments(app: FastifyInstance, deps: DeploymentDoorDeps): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error: Error) => {
      deps.ledger.count(HOOK, EVENT, outcomeOf(error), error.message);
      throw error;
    });
    scope.post(PATH, {
      bodyLimit: BODY_MAX_BYTES,
      preParsing: async (request) => void mediaTypeOf(deps.collector, request),
      handler: (request, reply) => receive(deps, request, reply),
    });
  });
}

async function receive(deps: DeploymentDoorDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const mediaType = mediaTypeOf(deps.collector, request);
  const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const bytes = await decodeBody(raw, request.headers['content-encoding'], BODY_MAX_BYTES);
  const { rows, rejects } = decode(deps, mediaType, bytes);
  await deps.rows.append('deployments', rows);
  for (let i = 0; i < rows.length; i++) deps.ledger.count(HOOK, EVENT, 'stored');
  const reasons: Record<string, number> = {};
  for (const { field, rule } of rejects) {
    const reason = `${field} ${rule}`.trim();
    reasons[reason] = (reasons[reason] ?? 0) + 1;
    deps.ledger.count(HOOK, EVENT, 'bad_event', reason);
  }
  if (rejects.length > 0) deps.keepRejected(HOOK, bytes, reasons);
  return reply.code(rows.length > 0 ? 200 : 400).send({ accepted: rows.length, rejected: rejects });
}

function decode(deps: DeploymentDoorDeps, mediaType: string, bytes: Buffer) {
  try {
    return deps.collector.decode(mediaType, bytes, deps.clock.nowMs());
  } catch (error) {
    if (!(error instanceof FieldRejected)) throw error;
    deps.keepRejected(HOOK, bytes, { [`the body ${error.rule}`]: 1 });
    throw new HeliographError('bad_request', `the body ${error.rule}`);
  }
}

function mediaTypeOf(collector: DeploymentCollector, { headers }: FastifyRequest): string {
  const mediaType = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (collector.mediaTypes.includes(mediaType)) return mediaType;
  throw new HeliographError(
    'unsupported_media_type',
    'Content-Type must be application/json (an object or an array) or application/x-ndjson (an object a line)',
  );
}

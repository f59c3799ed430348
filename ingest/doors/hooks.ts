/**
 * The webhook door. A delivery is held by its signature over the raw body, checked before anything is parsed; it needs no token. The
 * answer says "taken" only once its row is durable, and GitHub, which does not try again by itself, sees every other answer.
 * https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HeliographError } from '../../core/errors.ts';
import type { HookCollector } from '../../core/hooks.ts';
import { FieldRejected, type Reject } from '../../core/json-fields.ts';
import type { Clock } from '../../core/ports.ts';
import type { RowSink } from '../../core/rows.ts';
import { createBodyBudget } from './budget.ts';
import { type HookLedger, outcomeOf } from './hook-ledger.ts';
import type { HookSecrets } from './hook-secrets.ts';
import { createRecentDeliveries } from './recent.ts';

export interface HookDeps {
  collector: HookCollector;
  /** Undefined: no secret is configured, and the door says so. */
  secrets: HookSecrets | undefined;
  rows: RowSink;
  ledger: HookLedger;
  /** Told of every rejected delivery; never awaited. */
  keepRejected(signal: string, bytes: Uint8Array, rejected: Readonly<Record<string, number>>): void;
  clock: Clock;
}

/** GitHub caps payloads at 25 MB and does not deliver larger ones at all. */
const BODY_MAX_BYTES = 25 * 1024 * 1024;
/** Bodies are read before their signature can be checked: strangers may fill this much memory and no more. */
const BODIES_MAX_BYTES = 8 * BODY_MAX_BYTES;
/** Each about 150 bytes. */
const RECENT_DELIVERIES = 10_000;
const KEPT_MAX_BYTES = 64 * 1024;

interface Headers {
  signature: Buffer;
  event: string;
  id: string;
  mediaType: string;
}

/** Adds `POST /hooks/<name>` to the app. Errors are counted here and answered by the app's error handler. */
export function registerHook(app: FastifyInstance, deps: HookDeps): void {
  const { collector, ledger } = deps;
  const budget = createBodyBudget(BODIES_MAX_BYTES, BODY_MAX_BYTES);
  const recent = createRecentDeliveries(RECENT_DELIVERIES);
  const eventLabel = (request: FastifyRequest): string => {
    const event = request.headers['x-github-event'];
    return typeof event === 'string' && collector.knownEvents.includes(event) ? event : 'other';
  };
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error: Error, request) => {
      ledger.count(collector.name, eventLabel(request), outcomeOf(error), error.message);
      throw error; // to the app's own handler
    });
    scope.post(`/hooks/${collector.name}`, {
      bodyLimit: BODY_MAX_BYTES,
      preParsing: async (request, reply) => {
        if (deps.secrets === undefined)
          throw new HeliographError(
            'not_found',
            `no webhook secret is set: hooks.${collector.name}.secretFile names its file`,
          );
        readHeaders(collector, request);
        budget.reserve(request.headers['content-length'], reply.raw);
      },
      handler: async (request, reply) => {
        const headers = readHeaders(collector, request);
        const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        if (deps.secrets === undefined || !(await isSigned(deps.secrets, raw, headers.signature)))
          throw new HeliographError(
            'bad_signature',
            'X-Hub-Signature-256 was made with another secret, or for another body',
          );
        const isRead = collector.reads(headers.event);
        // The id is not signed: together with the signature it stands for this very body.
        const key = `${headers.id} ${headers.signature.toString('base64')}`;
        const isNew = await recent.once(key, async () => {
          if (isRead) await take(deps, headers, raw);
        });
        const outcome = !isNew ? 'duplicate' : isRead ? 'stored' : 'ignored';
        ledger.count(collector.name, eventLabel(request), outcome);
        return reply.code(outcome === 'stored' ? 202 : 200).send({ outcome, duplicate: !isNew });
      },
    });
  });
}

/** A secret that was changed a moment ago may not have been read yet: one that does not fit is looked up once more. */
async function isSigned(secrets: HookSecrets, raw: Buffer, signature: Buffer): Promise<boolean> {
  return (
    (await secrets.verify(raw, signature)) || ((await secrets.refresh()) && (await secrets.verify(raw, signature)))
  );
}

/** Judges a request by its headers alone. Throws naming the header and its rule. */
function readHeaders(collector: HookCollector, { headers }: FastifyRequest): Headers {
  const signed = headers['x-hub-signature-256'];
  const hex = typeof signed === 'string' ? /^sha256=([0-9a-f]{64})$/i.exec(signed)?.[1] : undefined;
  if (hex === undefined) {
    throw new HeliographError(
      'bad_signature',
      signed === undefined
        ? 'X-Hub-Signature-256 is missing: give the webhook a secret'
        : 'X-Hub-Signature-256 must be sha256= and 64 hex digits',
    );
  }
  const mediaType = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!collector.mediaTypes.includes(mediaType))
    throw new HeliographError('unsupported_media_type', `Content-Type must be ${collector.mediaTypes.join(' or ')}`);
  const encoding = headers['content-encoding'] ?? 'identity';
  // Unpacking would have to come before the signature can be checked.
  if (encoding.trim().toLowerCase() !== 'identity')
    throw new HeliographError('unsupported_encoding', 'a webhook takes no Content-Encoding');
  return {
    signature: Buffer.from(hex, 'hex'),
    event: shortHeader('X-GitHub-Event', headers['x-github-event']),
    id: shortHeader('X-GitHub-Delivery', headers['x-github-delivery']),
    mediaType,
  };
}

function shortHeader(name: string, value: string | string[] | undefined): string {
  if (typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value)) return value;
  throw new HeliographError('bad_request', `${name} must be 1 to 128 printable characters`);
}

/** Makes the delivery's rows durable. Throws `bad_request`, `bad_event`, or what the journal throws. */
async function take(deps: HookDeps, { event, id, mediaType }: Headers, raw: Buffer): Promise<void> {
  const { collector, rows } = deps;
  const document = parse(deps, mediaType, raw);
  const decoded = collector.decode({ event, id, receivedAtMs: deps.clock.nowMs() }, document);
  if (decoded.kind === 'rejected') {
    keep(deps, decoded.reject, Buffer.from(JSON.stringify(collector.excerpt(document))));
    throw new HeliographError('bad_event', sentence(decoded.reject));
  }
  const { runs, jobs } = decoded;
  await Promise.all([
    ...(runs.length > 0 ? [rows.append('ci_runs', runs)] : []),
    ...(jobs.length > 0 ? [rows.append('ci_jobs', jobs)] : []),
  ]);
}

function parse(deps: HookDeps, mediaType: string, raw: Buffer): unknown {
  try {
    return deps.collector.parseBody(mediaType, raw);
  } catch (error) {
    if (!(error instanceof FieldRejected)) throw error;
    keep(deps, error, withoutAddresses(raw.subarray(0, KEPT_MAX_BYTES)));
    throw new HeliographError('bad_request', sentence(error));
  }
}

function keep({ collector, keepRejected }: HookDeps, reject: Reject, bytes: Buffer): void {
  keepRejected(`hook_${collector.name}`, bytes.subarray(0, KEPT_MAX_BYTES), { [sentence(reject)]: 1 });
}

/** What is no JSON cannot be picked from; its e-mail addresses are blotted out. The bounds keep the search linear. */
function withoutAddresses(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').replace(/[^\s"'<>@,;:]{1,64}@[^\s"'<>@,;:]{1,255}/g, '…@…');
  return Buffer.from(text, 'utf8');
}

function sentence({ field, rule }: Reject): string {
  return `${field === '' ? 'the body' : field} ${rule}`;
}

/** The registry of collectors: one line per source. */
import type { DeploymentCollector, HookCollector } from '../core/hooks.ts';
import type { BodyFormat, OtlpCollector } from '../core/ports.ts';
import { DEPLOYMENT_MEDIA_TYPES, decodeDeployments } from './deployments/decode.ts';
import { excerpt, HOOK_MEDIA_TYPES, parseBody } from './github/body.ts';
import { decodeDelivery, READ_EVENTS } from './github/decode.ts';
import { flattenTraces } from './otlp/flatten.ts';
import { rewriteJsonTraces } from './otlp/json/rewrite.ts';
import { encodeTraceResponse, rejectMessage } from './otlp/response.ts';
import { walkTraces } from './otlp/walk.ts';

/** OTLP signals that a door can take in. */
export const OTLP_COLLECTORS: readonly OtlpCollector[] = [
  {
    path: '/v1/traces',
    grpcMethod: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    signal: 'otlp_traces',
    walk: walkTraces,
    encodeResponse: encodeTraceResponse,
    rejectMessage,
  },
];

/** Flat protobuf out, at most `maxBytes`; throws `bad_framing`, `bad_request` or `body_too_large`. */
export type Rewriter = (bytes: Uint8Array, maxBytes: number) => Uint8Array;

/** What the slow lane does to a body of a signal, by the form it came in. */
export const REWRITERS: Readonly<Record<string, Partial<Record<BodyFormat, Rewriter>>>> = {
  otlp_traces: { protobuf: flattenTraces, json: rewriteJsonTraces },
};

/** GitHub's webhooks. */
export const GITHUB_HOOK: HookCollector = {
  name: 'github',
  mediaTypes: HOOK_MEDIA_TYPES,
  reads: (event) => READ_EVENTS.has(event),
  knownEvents: [...READ_EVENTS, 'push', 'ping'],
  parseBody,
  decode: decodeDelivery,
  excerpt,
};

/** Deploy events. */
export const DEPLOYMENTS: DeploymentCollector = { mediaTypes: DEPLOYMENT_MEDIA_TYPES, decode: decodeDeployments };

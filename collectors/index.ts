/** The registry of collectors: one line per source. */
import type { OtlpCollector } from '../core/ports.ts';
import { flattenTraces } from './otlp/flatten.ts';
import { encodeTraceResponse, rejectMessage } from './otlp/response.ts';
import { walkTraces } from './otlp/walk.ts';

/** OTLP signals that a door can take in. */
export const OTLP_COLLECTORS: readonly OtlpCollector[] = [
  { path: '/v1/traces', signal: 'otlp_traces', walk: walkTraces, encodeResponse: encodeTraceResponse, rejectMessage },
];

/** What the slow lane does to a body of a signal: flat bytes out, at most `maxBytes`; throws `bad_framing` or `body_too_large`. */
export const REWRITERS: Readonly<Record<string, (bytes: Uint8Array, maxBytes: number) => Uint8Array>> = {
  otlp_traces: flattenTraces,
};

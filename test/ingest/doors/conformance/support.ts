/** Spans and bodies that the conformance tests are about. */
import { randomBytes } from 'node:crypto';
import { encodeRequest, type RequestInput, type SpanInput } from '../../../support/otlp-encode.ts';

export const PROTOBUF = 'application/x-protobuf';
export const JSON_TYPE = 'application/json';

export const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

export function span(overrides: SpanInput = {}): SpanInput {
  const start = nowNs();
  return {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'GET /',
    kind: 2,
    startTimeUnixNano: start,
    endTimeUnixNano: start + 5_000_000n,
    ...overrides,
  };
}

export function requestOf(...spans: SpanInput[]): RequestInput {
  return { resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ scope: {}, spans }] }] };
}

export const protobufOf = (...spans: SpanInput[]): Buffer => encodeRequest(requestOf(...spans));

/** A span that is refused for its start time. */
export const ancient = (): SpanInput => span({ startTimeUnixNano: 1n });

/** A random body of plain spans, as large as asked for and hard to compress. */
export function bodyOfBytes(bytes: number): Buffer {
  const noise = randomBytes(Math.ceil(bytes / 2)).toString('hex');
  const attributes = [{ key: 'noise', value: { stringValue: noise } }];
  return protobufOf(span({ attributes }));
}

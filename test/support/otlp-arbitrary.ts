/** Arbitrary OTLP requests for fast-check: every kind of value, ids and times that keep and break the rules. */
import fc from 'fast-check';
import type { AnyValueInput, KeyValueInput, RequestInput, ScopeSpansInput, SpanInput } from './otlp-encode.ts';

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const text = fc.oneof(fc.string({ maxLength: 12, unit: 'grapheme' }), bytes(8), fc.constant('x'.repeat(200)));
const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const list = <T>(item: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<T[]> => fc.array(item, { maxLength });

/** Values that the engine reads as they are. */
const scalarValue: fc.Arbitrary<AnyValueInput> = fc.oneof(
  fc.constant({}),
  text.map((stringValue) => ({ stringValue })),
  fc.boolean().map((boolValue) => ({ boolValue })),
  fc.oneof(int64, fc.bigInt({ min: -2n, max: 300n })).map((intValue) => ({ intValue })),
  fc
    .oneof(fc.integer(), fc.double({ min: 0.001, max: 1e20, noNaN: true }))
    .map((doubleValue) => ({ doubleValue: doubleValue + 0 })),
);

const oddDouble = fc.oneof(fc.constantFrom(NaN, Infinity, -Infinity, -0, 1e21, -1e-7, 5e-324), fc.double());

const { value: anyValue } = fc.letrec<{ value: AnyValueInput; keyValue: KeyValueInput }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'value' },
    scalarValue,
    oddDouble.map((doubleValue) => ({ doubleValue })),
    bytes(6).map((bytesValue) => ({ bytesValue })),
    list(tie('value'), 3).map((values) => ({ arrayValue: { values } })),
    list(tie('keyValue'), 3).map((values) => ({ kvlistValue: { values } })),
  ),
  keyValue: fc.record({ key: text, value: tie('value') }, { requiredKeys: [] }),
}));

const hexId = (size: number): fc.Arbitrary<string> =>
  fc
    .oneof(
      { weight: 8, arbitrary: fc.uint8Array({ minLength: size, maxLength: size }) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: size + 2 }) },
      { weight: 1, arbitrary: fc.constant(new Uint8Array(size)) },
    )
    .map((id) => Buffer.from(id).toString('hex'));

function span(attributes: fc.Arbitrary<KeyValueInput[]>, timeNs: fc.Arbitrary<bigint>): fc.Arbitrary<SpanInput> {
  return fc.record(
    {
      traceId: hexId(16),
      spanId: hexId(8),
      parentSpanId: fc.oneof(fc.constant(''), hexId(8)),
      traceState: text,
      name: text,
      kind: fc.integer({ min: -1, max: 9 }),
      startTimeUnixNano: timeNs,
      endTimeUnixNano: timeNs,
      attributes,
      events: list(fc.record({ timeUnixNano: uint64, name: text, attributes }, { requiredKeys: [] }), 2),
      links: list(fc.record({ traceId: hexId(16), spanId: hexId(8), attributes }, { requiredKeys: [] }), 2),
      status: fc.record({ message: text, code: fc.integer({ min: 0, max: 3 }) }, { requiredKeys: [] }),
      flags: fc.nat(),
    },
    { requiredKeys: [] },
  );
}

/** Requests; `nested` ones hold every kind of value, others only what the engine reads as it is. */
export function requestArbitrary(nested: boolean, timeNs: fc.Arbitrary<bigint> = uint64): fc.Arbitrary<RequestInput> {
  const value = nested ? anyValue : scalarValue;
  const attributes = list(fc.record({ key: text, value }, { requiredKeys: [] }), 4);
  const scopeSpans: fc.Arbitrary<ScopeSpansInput> = fc.record(
    { scope: fc.record({ name: text, version: text }, { requiredKeys: [] }), spans: list(span(attributes, timeNs), 4) },
    { requiredKeys: [] },
  );
  const resourceSpans = fc.record(
    { resource: fc.record({ attributes }, { requiredKeys: [] }), scopeSpans: list(scopeSpans, 3) },
    { requiredKeys: [] },
  );
  return fc.record({ resourceSpans: list(resourceSpans, 3) });
}

/** Spans in a request as it was built. */
export function countSpans(request: RequestInput): number {
  const groups = (request.resourceSpans ?? []).flatMap(({ scopeSpans }) => scopeSpans ?? []);
  return groups.reduce((sum, { spans }) => sum + (spans?.length ?? 0), 0);
}

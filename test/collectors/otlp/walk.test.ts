import { expect, test } from 'vitest';
import { flattenTraces } from '../../../collectors/otlp/flatten.ts';
import { MAX_MESSAGES } from '../../../collectors/otlp/value-walker.ts';
import { MAX_SHARED_BYTES } from '../../../collectors/otlp/walker.ts';
import { walkTraces } from '../../../collectors/otlp/walk.ts';
import { type AnyValueInput, encodeAnyValue, encodeRequest, type SpanInput } from '../../support/otlp-encode.ts';
import { typicalBody } from '../../support/otlp-typical.ts';
import { bodyWithAttribute } from './any-value-table.ts';

const ANY_TIME = { loNs: 0n, hiNs: (1n << 64n) - 1n };
const IDS = { traceId: '01'.repeat(16), spanId: '02'.repeat(8) };

const body = (...spans: SpanInput[]): Buffer => encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

/** `count` times `unit` as the payload of nested length-delimited fields, the outermost tag first. */
function repeated(unit: string, count: number, tags: readonly number[]): Buffer {
  let bytes: Buffer = Buffer.alloc((unit.length / 2) * count, Buffer.from(unit, 'hex'));
  for (const tag of tags.toReversed()) {
    const length: number[] = [];
    for (let rest = bytes.length; rest > 0; rest >>>= 7) length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    bytes = Buffer.concat([Buffer.from([tag, ...length]), bytes]);
  }
  return bytes;
}

test('an empty body is a request with no spans', () => {
  expect(walkTraces(new Uint8Array(0), ANY_TIME)).toEqual({
    ok: true,
    spans: 0,
    rejected: { invalid_trace_id: 0, invalid_span_id: 0, invalid_parent_span_id: 0, start_time_out_of_range: 0 },
    rejectedTotal: 0,
    clockSkew: 0,
    copiedBytes: 0,
    needsRewrite: false,
  });
});

test('bounds are inclusive and exact to the nanosecond over all of uint64', () => {
  const starts = [0n, 1n, 0xffffffffn, 1n << 32n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n];
  const bounds = [-5n, ...starts, 1n << 64n];
  for (const start of starts) {
    const bytes = body({ ...IDS, startTimeUnixNano: start, endTimeUnixNano: start });
    for (const loNs of bounds) {
      for (const hiNs of bounds) {
        const walk = walkTraces(bytes, { loNs, hiNs });
        const isRejected = start < loNs || start > hiNs;
        expect([loNs, start, hiNs, walk.ok && walk.rejectedTotal]).toEqual([loNs, start, hiNs, isRejected ? 1 : 0]);
      }
    }
  }
});

test('a span is counted under the first rule it breaks, and its clock skew not at all', () => {
  const late = { startTimeUnixNano: 9n, endTimeUnixNano: 3n };
  const bytes = body(
    { ...late, spanId: '', parentSpanId: '00' },
    { ...late, traceId: IDS.traceId, parentSpanId: '00' },
    { ...late, ...IDS, parentSpanId: '00' },
    { ...late, ...IDS },
    { ...IDS, startTimeUnixNano: 2n, endTimeUnixNano: 1n },
    { ...IDS, startTimeUnixNano: 2n, endTimeUnixNano: 2n },
    { ...IDS, startTimeUnixNano: 2n },
  );
  expect(walkTraces(bytes, { loNs: 1n, hiNs: 5n })).toMatchObject({
    spans: 7,
    rejected: { invalid_trace_id: 1, invalid_span_id: 1, invalid_parent_span_id: 1, start_time_out_of_range: 1 },
    rejectedTotal: 4,
    clockSkew: 2,
  });
});

const values: [string, AnyValueInput | Buffer, boolean][] = [
  ['text', { stringValue: 'x' }, false],
  ['long text', { stringValue: 'x'.repeat(5000) }, false],
  ['an int', { intValue: -1n }, false],
  ['a bool', { boolValue: true }, false],
  ['a double', { doubleValue: 0.5 }, false],
  ['the smallest plain double', { doubleValue: 1e-6 }, false],
  ['a double below it', { doubleValue: 9.9e-7 }, true],
  ['a large plain double', { doubleValue: 9.9e20 }, false],
  ['a double above it', { doubleValue: 1e21 }, true],
  ['zero', { doubleValue: 0 }, false],
  ['minus zero', { doubleValue: -0 }, true],
  ['NaN', { doubleValue: 'NaN' }, true],
  ['infinity', { doubleValue: '-Infinity' }, true],
  ['bytes', { bytesValue: 'AA==' }, true],
  ['an empty array', { arrayValue: {} }, true],
  ['an empty list', { kvlistValue: {} }, true],
  ['two members', { stringValue: 'x', intValue: 1n }, true],
  ['a bool of 2', Buffer.from('1002', 'hex'), true],
  ['a member twice', Buffer.from('18011801', 'hex'), true],
  ['an unknown member', Buffer.from('a00601', 'hex'), true],
  ['a text with an unknown member', Buffer.from('0a0178a00601', 'hex'), true],
  ['a text whose length takes a byte too many', Buffer.from('0a810078', 'hex'), true],
  ['a text whose tag takes a byte too many', Buffer.from('8a000178', 'hex'), true],
  ['an int that takes a byte too many', Buffer.from('188100', 'hex'), false],
  ['text of 128 bytes', { stringValue: 'x'.repeat(128) }, false],
];

for (const [name, value, needsRewrite] of values) {
  test(`${name} ${needsRewrite ? 'is rewritten' : 'goes in as it is'}`, () => {
    const bytes = bodyWithAttribute(Buffer.isBuffer(value) ? value : encodeAnyValue(value as AnyValueInput));
    expect(walkTraces(bytes, ANY_TIME)).toMatchObject({ ok: true, spans: 1, needsRewrite });
    if (!needsRewrite) return;
    expect(walkTraces(flattenTraces(bytes, 1 << 20), ANY_TIME)).toMatchObject({ ok: true, needsRewrite: false });
  });
}

test('a value to rewrite is found wherever attributes stand', () => {
  const attributes = [{ key: 'k', value: { bytesValue: 'AA==' } }];
  const requests = [
    { resourceSpans: [{ resource: { attributes } }] },
    { resourceSpans: [{ scopeSpans: [{ spans: [{ events: [{ attributes }] }] }] }] },
    { resourceSpans: [{ scopeSpans: [{ spans: [{ links: [{ attributes }] }] }] }] },
  ];
  for (const request of requests) {
    expect(walkTraces(encodeRequest(request), ANY_TIME)).toMatchObject({ ok: true, needsRewrite: true });
  }
});

/** Fields as hex under `tags`, the outermost first. */
const singular: [string, readonly number[], string, string][] = [
  ['a name', [0x0a, 0x12, 0x12], '2a0161', '2a0162'],
  ['a kind', [0x0a, 0x12, 0x12], '3001', '3002'],
  ['a start time', [0x0a, 0x12, 0x12], '390000000000000000', '390100000000000000'],
  ['a trace id', [0x0a, 0x12, 0x12], '0a0161', '0a0162'],
  ['a status', [0x0a, 0x12, 0x12], '7a021801', '7a03120161'],
  ['a status code', [0x0a, 0x12, 0x12, 0x7a], '1801', '1802'],
  ['an event name', [0x0a, 0x12, 0x12, 0x5a], '120161', '120162'],
  ['a resource', [0x0a], '0a00', '0a00'],
  ['a scope', [0x0a, 0x12], '0a00', '0a00'],
  ['a scope name', [0x0a, 0x12, 0x0a], '0a0161', '0a0162'],
  ['a key', [0x0a, 0x12, 0x12, 0x4a], '0a0161', '0a0162'],
  ['a value', [0x0a, 0x12, 0x12, 0x4a], '12021801', '12021802'],
];

for (const [name, tags, first, second] of singular) {
  test(`${name} that stands twice is rewritten: the engine would mix or lose it`, () => {
    const once = walkTraces(repeated(first, 1, tags), ANY_TIME);
    const twice = repeated(first + second, 1, tags);
    expect(once).toMatchObject({ ok: true, needsRewrite: false });
    expect(walkTraces(twice, ANY_TIME)).toMatchObject({ ok: true, needsRewrite: true });
    expect(walkTraces(flattenTraces(twice, 1 << 20), ANY_TIME)).toMatchObject({ ok: true, needsRewrite: false });
  });
}

test('an int of an attribute is held to the same varint as everything else', () => {
  const int = (hex: string): boolean => walkTraces(bodyWithAttribute(Buffer.from(`18${hex}`, 'hex')), ANY_TIME).ok;
  for (const hex of ['01', 'ffffffffffffffff7f', 'ffffffffffffffffff01']) expect([hex, int(hex)]).toEqual([hex, true]);
  for (const hex of ['ffffffffffffffffff02', 'ffffffffffffffffffff01', '80', '']) {
    expect([hex, int(hex)]).toEqual([hex, false]);
  }
});

test('varints take ten bytes and 64 bits at most, since the engine reads no more', () => {
  const kind = (hex: string): boolean => walkTraces(repeated(`30${hex}`, 1, [0x0a, 0x12, 0x12]), ANY_TIME).ok;
  expect(kind('ffffffffffffffffff01')).toBe(true);
  for (const hex of ['ffffffffffffffffff02', '80808080808080808000', 'ffffffffffffffffffff01', 'ff']) {
    expect([hex, kind(hex)]).toEqual([hex, false]);
  }
});

test('bytes that would cost the engine a hundred times their size are refused', () => {
  const tooMany = { ok: false, rule: `a body holds more than ${MAX_MESSAGES} messages` };
  const paths = [[], [0x0a], [0x0a, 0x12], [0x0a, 0x12, 0x12]];
  const units = ['0a00', '1200', '1200', '4a00'];
  for (const [i, tags] of paths.entries()) {
    const bytes = repeated(units[i] ?? '', MAX_MESSAGES + 1, tags);
    expect(walkTraces(bytes, ANY_TIME)).toMatchObject(tooMany);
    expect(walkTraces(repeated(units[i] ?? '', 100_000, tags), ANY_TIME).ok).toBe(true);
  }
});

test('a resource or scope that every span would copy is bounded', () => {
  const spans = Array.from({ length: 300 }, () => IDS);
  const request = (size: number, on: 'resource' | 'scope'): Buffer =>
    encodeRequest({
      resourceSpans: [
        {
          ...(on === 'resource' ? { resource: { attributes: [{ key: 'x'.repeat(size) }] } } : {}),
          scopeSpans: [{ ...(on === 'scope' ? { scope: { name: 'x'.repeat(size) } } : {}), spans }],
        },
      ],
    });
  const limit = Math.floor(MAX_SHARED_BYTES / 300);
  for (const on of ['resource', 'scope'] as const) {
    expect(walkTraces(request(limit - 100, on), ANY_TIME)).toMatchObject({ ok: true, spans: 300 });
    expect(walkTraces(request(limit + 1, on), ANY_TIME)).toMatchObject({
      ok: false,
      rule: expect.stringMatching(/a copy for every span/),
    });
  }
});

test('a body is walked where it lies in a larger buffer', () => {
  const bytes = typicalBody({ seed: 1, spans: 64, nowNs: 1_790_000_000_000_000_000n });
  const larger = new Uint8Array(bytes.length + 20).fill(0xff);
  larger.set(bytes, 7);
  const within = larger.subarray(7, 7 + bytes.length);
  expect(walkTraces(within, ANY_TIME)).toEqual(walkTraces(bytes, ANY_TIME));
  expect(Buffer.compare(flattenTraces(within, 1 << 20), bytes)).toBe(0);
});

test('typical bodies are plain, and the same options give the same bytes', () => {
  const options = { seed: 7, spans: 512, nowNs: 1_790_000_000_000_000_000n };
  const bounds = { loNs: options.nowNs - 1_000_000_000n, hiNs: options.nowNs };
  expect(walkTraces(typicalBody(options), bounds)).toMatchObject({
    spans: 512,
    rejectedTotal: 0,
    clockSkew: 0,
    needsRewrite: false,
  });
  expect(typicalBody(options)).toEqual(typicalBody(options));
  expect(typicalBody({ ...options, seed: 8 })).not.toEqual(typicalBody(options));
});

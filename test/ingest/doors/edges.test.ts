/**
 * What collectors/otlp/README.md says of spans at the edge of what is sensible, end to end: through every door, by every form,
 * into the real engine and out again. Each case is asked three times.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { queryRows } from '../../support/load-rows.ts';
import { decodeTraceResponse } from '../../support/otlp-decode.ts';
import { grpcClient, openOtlpDoors, type OtlpDoors, send } from '../../support/otlp-doors.ts';
import { encodeRequest, type KeyValueInput, type SpanInput } from '../../support/otlp-encode.ts';
import { encodeJson } from '../../support/otlp-json.ts';

let engine: TestEngine;
let doors: OtlpDoors;
let client: ReturnType<typeof grpcClient>;
beforeAll(async () => {
  engine = await startMigratedEngine();
  doors = await openOtlpDoors();
  client = grpcClient(doors.grpcPort);
});
afterAll(async () => {
  client.close();
  await doors.close();
  await engine.stop();
});

const HOUR_NS = 3_600_000_000_000n;
const NOW_NS = BigInt(Date.now()) * 1_000_000n;

/** What a sender was told. */
interface Told {
  rejectedSpans: number;
  errorMessage: string;
}

type Form = (resource: KeyValueInput[], spans: SpanInput[]) => Promise<Told>;

const requestOf = (attributes: KeyValueInput[], spans: SpanInput[]) => ({
  resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }],
});

const post = async (type: string, body: Buffer): Promise<Buffer> => {
  const { status, bytes } = await send(`${doors.httpUrl}/v1/traces`, { headers: { 'content-type': type }, body });
  expect(status).toBe(200);
  return bytes;
};

const FORMS: [string, Form][] = [
  [
    'gRPC',
    async (resource, spans) => {
      const { code, response } = await client.call(encodeRequest(requestOf(resource, spans)));
      expect(code).toBe(0);
      return decodeTraceResponse(response as Buffer);
    },
  ],
  [
    'HTTP protobuf',
    async (resource, spans) =>
      decodeTraceResponse(await post('application/x-protobuf', encodeRequest(requestOf(resource, spans)))),
  ],
  [
    'HTTP JSON',
    async (resource, spans) => {
      const bytes = await post('application/json', encodeJson(requestOf(resource, spans)));
      const { partialSuccess } = JSON.parse(bytes.toString()) as { partialSuccess?: Record<string, string> };
      return {
        rejectedSpans: Number(partialSuccess?.['rejectedSpans'] ?? 0),
        errorMessage: partialSuccess?.['errorMessage'] ?? '',
      };
    },
  ],
];

async function loadAll(): Promise<void> {
  await doors.journal.sealAll();
  for (const segment of doors.journal.sealed()) {
    const { name, signal, team, path, loNs, hiNs, loadSettings } = segment;
    await engine.store.load({ token: name, signal, team, path, loNs, hiNs, settings: loadSettings });
    await doors.journal.remove(name);
  }
}

describe.each(FORMS)('by %s', (_form, sendSpans) => {
  let traceId = '';
  const span = (overrides: SpanInput = {}): SpanInput => ({
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: 'edge',
    kind: 2,
    startTimeUnixNano: NOW_NS,
    endTimeUnixNano: NOW_NS + 1_000_000n,
    ...overrides,
  });
  const service: KeyValueInput[] = [{ key: 'service.name', value: { stringValue: 'edge' } }];

  /** Sends one body and reads the rows of its trace. */
  async function stored(spans: () => SpanInput[], columns: string, resource = service, told: Partial<Told> = {}) {
    traceId = randomBytes(16).toString('hex');
    expect(await sendSpans(resource, spans())).toMatchObject({ rejectedSpans: 0, errorMessage: '', ...told });
    await loadAll();
    return queryRows(
      engine,
      `SELECT ${columns} FROM otel.otel_traces WHERE TraceId = '${traceId}' ORDER BY Timestamp, SpanName`,
    );
  }

  test('zero duration: stored, with a bin of its own', async () => {
    const route: KeyValueInput = { key: 'http.route', value: { stringValue: `/zero/${_form}` } };
    expect(await stored(() => [span({ endTimeUnixNano: NOW_NS, attributes: [route] })], 'Duration, SpanName')).toEqual([
      { Duration: 0, SpanName: 'edge' },
    ]);
    const bins = await queryRows(
      engine,
      `SELECT sumMap(bins) AS bins FROM heliograph.span_latency_1m WHERE route = '/zero/${_form}'`,
    );
    expect(bins).toEqual([{ bins: { '-1': 1 } }]);
  });

  test('end before start: stored with duration 0, counted as clock skew', async () => {
    const before = doors.ledger.totals().clockSkewSpans;
    expect(await stored(() => [span({ endTimeUnixNano: NOW_NS - 1n })], 'Duration')).toEqual([{ Duration: 0 }]);
    expect(doors.ledger.totals().clockSkewSpans).toBe(before + 1);
  });

  test('no end time: the same', async () => {
    const before = doors.ledger.totals().clockSkewSpans;
    const open = (): SpanInput => {
      const { endTimeUnixNano: _end, ...rest } = span();
      return rest;
    };
    expect(await stored(() => [open()], 'Duration')).toEqual([{ Duration: 0 }]);
    expect(doors.ledger.totals().clockSkewSpans).toBe(before + 1);
  });

  test('an end at the end of time: stored as sent', async () => {
    const rows = await stored(() => [span({ endTimeUnixNano: 2n ** 64n - 1n })], 'toString(Duration) AS d');
    expect(rows).toEqual([{ d: String(2n ** 64n - 1n - NOW_NS) }]);
  });

  test('no service name, or an empty one: stored under the empty name', async () => {
    expect(await stored(() => [span()], 'ServiceName, SpanName', [])).toEqual([{ ServiceName: '', SpanName: 'edge' }]);
    const empty: KeyValueInput[] = [{ key: 'service.name', value: { stringValue: '' } }];
    expect(await stored(() => [span()], 'ServiceName', empty)).toEqual([{ ServiceName: '' }]);
    const number: KeyValueInput[] = [{ key: 'service.name', value: { intValue: 7 } }];
    expect(await stored(() => [span()], 'ServiceName', number)).toEqual([{ ServiceName: '7' }]);
  });

  test('one span id twice in a body: both spans are stored', async () => {
    const spanId = randomBytes(8).toString('hex');
    const rows = await stored(() => [span({ spanId, name: 'a' }), span({ spanId, name: 'b' })], 'SpanName, SpanId');
    expect(rows).toEqual([
      { SpanName: 'a', SpanId: spanId },
      { SpanName: 'b', SpanId: spanId },
    ]);
  });

  test('one span id in two bodies: both spans are stored', async () => {
    const spanId = randomBytes(8).toString('hex');
    await stored(() => [span({ spanId, name: 'a' })], 'SpanName');
    await sendSpans(service, [span({ spanId, name: 'b' })]);
    await loadAll();
    const rows = await queryRows(
      engine,
      `SELECT SpanName FROM otel.otel_traces WHERE SpanId = '${spanId}' ORDER BY SpanName`,
    );
    expect(rows).toEqual([{ SpanName: 'a' }, { SpanName: 'b' }]);
  });

  test('invalid UTF-8 in names, keys and values: stored byte by byte, and the engine takes it', async () => {
    const broken = Uint8Array.from([0x61, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x62]);
    const hex = Buffer.from(broken).toString('hex');
    const attributes: KeyValueInput[] = [
      { key: broken, value: { stringValue: broken } },
      { key: 'list', value: { arrayValue: { values: [{ stringValue: broken }] } } },
    ];
    const event = { timeUnixNano: NOW_NS, name: broken, attributes };
    const link = { traceId, spanId: randomBytes(8).toString('hex'), traceState: broken, attributes };
    const rows = await stored(
      () => [
        span({
          name: broken,
          traceState: broken,
          attributes,
          events: [event],
          links: [link],
          status: { message: broken, code: 2 },
        }),
      ],
      `lower(hex(SpanName)) AS name, lower(hex(TraceState)) AS state, lower(hex(StatusMessage)) AS message,
       lower(hex(mapKeys(SpanAttributes)[1])) AS key, lower(hex(mapValues(SpanAttributes)[1])) AS value,
       SpanAttributes['list'] AS list, lower(hex(Events.Name[1])) AS event, lower(hex(ServiceName)) AS service`,
      [{ key: 'service.name', value: { stringValue: broken } }],
    );
    expect(rows).toMatchObject([
      {
        name: hex,
        state: hex,
        message: hex,
        key: hex,
        value: hex,
        event: hex,
        service: hex,
        list: '["a\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffdb"]',
      },
    ]);
    const read = await queryRows(engine, `SELECT name FROM boards.trace_spans(trace_id = '${traceId}')`);
    expect(read).toHaveLength(1);
    expect(String(read[0]?.['name'])).toMatch(/^a\ufffd+\(\ufffd+b$/);
  });

  test('clocks in the future: an hour ahead is stored, more is rejected and said', async () => {
    const at = (ahead: bigint, name: string): SpanInput =>
      span({ name, startTimeUnixNano: NOW_NS + ahead, endTimeUnixNano: NOW_NS + ahead + 5n });
    const rows = await stored(
      () => [at(0n, 'now'), at(HOUR_NS - 120_000_000_000n, 'soon'), at(HOUR_NS * 2n, 'later'), at(2n ** 62n, 'never')],
      'SpanName',
      service,
      { rejectedSpans: 2, errorMessage: expect.stringContaining("check the sender's clock") as string },
    );
    expect(rows).toEqual([{ SpanName: 'now' }, { SpanName: 'soon' }]);
  });

  test('clocks of 1970 and times in milliseconds or seconds are rejected and said', async () => {
    const at = (start: bigint): SpanInput => span({ startTimeUnixNano: start });
    const told = { rejectedSpans: 3, errorMessage: expect.stringContaining('times are Unix nanoseconds') as string };
    const starts = [0n, NOW_NS / 1_000_000n, NOW_NS / 1_000_000_000n];
    expect(await stored(() => [span(), ...starts.map(at)], 'SpanName', service, told)).toHaveLength(1);
  });

  test('events out of order, before their span, after it or without a time: stored as sent, in the order sent', async () => {
    const times = [NOW_NS + 500n, NOW_NS - HOUR_NS, 0n, NOW_NS + HOUR_NS * 24n];
    const events = times.map((timeUnixNano, at) => ({ timeUnixNano, name: `e${at}` }));
    const rows = await stored(
      () => [span({ events })],
      'Events.Name AS names, arrayMap(t -> toString(toUnixTimestamp64Nano(t)), Events.Timestamp) AS times',
    );
    expect(rows).toEqual([{ names: ['e0', 'e1', 'e2', 'e3'], times: times.map(String) }]);
  });

  test('an event at the end of time does not cost its span', async () => {
    const events = [{ timeUnixNano: 2n ** 64n - 1n, name: 'late' }];
    expect(await stored(() => [span({ events })], 'Events.Name AS names')).toEqual([{ names: ['late'] }]);
  });

  test('a kind and a status that nobody knows: Unspecified and Unset', async () => {
    expect(await stored(() => [span({ kind: 99, status: { code: 77 } })], 'SpanKind, StatusCode')).toEqual([
      { SpanKind: 'Unspecified', StatusCode: 'Unset' },
    ]);
  });

  test('no name, a parent that is zero, a parent that is itself: stored', async () => {
    const spanId = randomBytes(8).toString('hex');
    expect(
      await stored(
        () => [span({ name: '', parentSpanId: '00'.repeat(8) }), span({ name: 'self', spanId, parentSpanId: spanId })],
        'SpanName, ParentSpanId',
      ),
    ).toEqual([
      { SpanName: '', ParentSpanId: '' },
      { SpanName: 'self', ParentSpanId: spanId },
    ]);
  });

  test('one attribute key twice: the first one is found by its name', async () => {
    const attributes: KeyValueInput[] = [
      { key: 'k', value: { stringValue: 'first' } },
      { key: 'k', value: { stringValue: 'second' } },
    ];
    const rows = await stored(() => [span({ attributes })], "SpanAttributes['k'] AS k");
    expect(rows).toEqual([{ k: 'first' }]);
  });
});

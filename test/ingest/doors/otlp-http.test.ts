import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OTLP_COLLECTORS } from '../../../collectors/index.ts';
import { flattenTraces } from '../../../collectors/otlp/flatten.ts';
import { encodeStatus } from '../../../collectors/otlp/response.ts';
import { systemClock } from '../../../core/clock.ts';
import { HeliographError } from '../../../core/errors.ts';
import { admitByToken } from '../../../ingest/auth/admission.ts';
import { createAuth } from '../../../ingest/auth/token.ts';
import { BODY_MAX_BYTES } from '../../../ingest/doors/body.ts';
import { createLedger, type DoorLedger } from '../../../ingest/doors/ledger.ts';
import { createPipelineBook, type PipelineBook } from '../../../ingest/pipeline/book.ts';
import { createOtlpHttpDoor } from '../../../ingest/doors/otlp-http.ts';
import { createReceiver } from '../../../ingest/doors/receive.ts';
import { createJournal } from '../../../ingest/journal/journal.ts';
import type { DiskJournal } from '../../../ingest/journal/types.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { decodeTraceResponse, decodeStatus } from '../../support/otlp-decode.ts';
import { encodeRequest, type SpanInput } from '../../support/otlp-encode.ts';
import { typicalBody } from '../../support/otlp-typical.ts';

const PROTOBUF = 'application/x-protobuf';
const DAY_NS = 86_400_000_000_000n;

let dir: string;
let journal: DiskJournal;
let ledger: DoorLedger;
let book: PipelineBook;
let door: FastifyInstance;
let url: string;
let log: ReturnType<typeof memoryLog>;
let kept: Readonly<Record<string, number>>[];

async function open(token?: string, maxBacklogBytes = 1024 ** 3): Promise<void> {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-door-'));
  log = memoryLog();
  kept = [];
  journal = await createJournal({
    dir,
    clock: systemClock,
    log,
    options: { retentionMs: () => 14 * 86_400_000, loadSettings: {}, maxBacklogBytes, minFreeBytes: 0 },
  });
  book = createPipelineBook(systemClock, 'test', []);
  ledger = createLedger(systemClock, log, book);
  door = createOtlpHttpDoor({
    collectors: OTLP_COLLECTORS,
    receive: createReceiver({
      door: 'otlp_http',
      rewrite: async (_signal, _format, bytes) => flattenTraces(bytes, BODY_MAX_BYTES),
      journal,
      ledger,
      keepRejected: (_signal, _bytes, rejected) => void kept.push(rejected),
    }),
    admission: admitByToken(createAuth(token)),
    ledger,
    encodeStatus,
    log,
  });
  url = await door.listen({ host: '127.0.0.1', port: 0 });
}

beforeEach(() => open());
afterEach(async () => {
  await door.close();
  await journal.close(1000);
  rmSync(dir, { recursive: true, force: true });
});

const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

function span(overrides: SpanInput = {}): SpanInput {
  return {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'GET',
    kind: 2,
    startTimeUnixNano: nowNs(),
    endTimeUnixNano: nowNs() + 1000n,
    ...overrides,
  };
}

const bodyOf = (...spans: SpanInput[]): Buffer => encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

async function post(
  body: Uint8Array | string,
  headers: Record<string, string> = {},
  path = '/v1/traces',
): Promise<{ status: number; type: string; headers: Headers; bytes: Buffer }> {
  const response = await fetch(url + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : Buffer.from(body),
    headers: { 'content-type': PROTOBUF, ...headers },
  });
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    headers: response.headers,
    bytes: Buffer.from(await response.arrayBuffer()),
  };
}

/** What lies in the journal now, body by body. */
async function journaled(): Promise<Buffer[]> {
  await journal.sealAll();
  const bodies: Buffer[] = [];
  for (const segment of journal.sealed())
    for await (const body of journal.readBodies(segment)) bodies.push(Buffer.from(body.bytes));
  return bodies;
}

describe('acks', () => {
  test('a good body is answered with an empty message and lies in the journal as it came', async () => {
    const body = typicalBody({ seed: 1, spans: 64, nowNs: nowNs() });
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 200, type: PROTOBUF });
    expect(answer.bytes).toHaveLength(0);
    expect(await journaled()).toEqual([body]);
    expect(ledger.totals()).toMatchObject({ bodies: 1, spans: 64, slowLaneBodies: 0 });
  });

  test('gzip is undone before the journal', async () => {
    const body = typicalBody({ seed: 2, spans: 64, nowNs: nowNs() });
    expect((await post(gzipSync(body), { 'content-encoding': 'gzip' })).status).toBe(200);
    expect(await journaled()).toEqual([body]);
  });

  test('an empty request is a success and leaves nothing', async () => {
    expect((await post(Buffer.alloc(0))).status).toBe(200);
    expect(await journaled()).toEqual([]);
  });

  test('nested values take the slow lane and arrive flat', async () => {
    const nested = bodyOf(
      span({
        attributes: [{ key: 'list', value: { arrayValue: { values: [{ intValue: 1 }, { boolValue: false }] } } }],
      }),
    );
    expect((await post(nested)).status).toBe(200);
    const [stored] = await journaled();
    expect(stored).toEqual(Buffer.from(flattenTraces(nested, BODY_MAX_BYTES)));
    expect(stored?.includes('[1,false]')).toBe(true);
    expect(ledger.totals().slowLaneBodies).toBe(1);
  });
});

describe('partial success', () => {
  test('spans from 1970 and 2200 are counted, their neighbours stored', async () => {
    const answer = await post(
      bodyOf(
        span(),
        span({ startTimeUnixNano: 1000n }),
        span({ startTimeUnixNano: 7_258_118_400_000_000_000n }),
        span({ traceId: '' }),
      ),
    );
    expect(answer.status).toBe(200);
    const partial = decodeTraceResponse(answer.bytes);
    expect(partial.rejectedSpans).toBe(3);
    expect(partial.errorMessage).toMatch(/start_time/);
    expect(ledger.totals()).toMatchObject({
      spans: 1,
      rejectedSpans: { start_time_out_of_range: 2, invalid_trace_id: 1 },
    });
    expect(kept).toHaveLength(1);
  });

  test('two hundred days in one body: those within retention are kept', async () => {
    const days = Array.from({ length: 200 }, (_, day) => span({ startTimeUnixNano: nowNs() - BigInt(day) * DAY_NS }));
    const answer = await post(bodyOf(...days));
    expect(decodeTraceResponse(answer.bytes).rejectedSpans).toBe(186);
  });

  test('a body of nothing but rejected spans is not journaled', async () => {
    expect((await post(bodyOf(span({ startTimeUnixNano: 1n })))).status).toBe(200);
    expect(await journaled()).toEqual([]);
  });

  test('a span that ends before it starts is accepted and counted as clock skew', async () => {
    const answer = await post(bodyOf(span({ endTimeUnixNano: 5n })));
    expect(answer.bytes).toHaveLength(0);
    expect(ledger.totals()).toMatchObject({ spans: 1, clockSkewSpans: 1 });
  });
});

test('the book says who sent what in which form, and bytes as they came', async () => {
  const body = bodyOf(span(), span({ traceId: '' }));
  await post(gzipSync(body), { 'content-encoding': 'gzip' });
  await post(body.subarray(0, -5));
  await post('{}', { 'content-type': 'application/json' }, '/v1/nothing');
  expect(book.flows()).toMatchObject([
    {
      signal: 'otlp_traces',
      form: 'http/protobuf',
      bytes: body.length,
      acked_spans: 1,
      rejected_spans: { invalid_trace_id: 1 },
      refused_bodies: { bad_framing: 1 },
    },
    { signal: '', form: 'http/json', acked_bodies: 0, refused_bodies: { wrong_path: 1 } },
  ]);
});

describe('refusals', () => {
  const refusals: [string, () => Promise<Awaited<ReturnType<typeof post>>>, number, number, RegExp][] = [
    [
      'a truncated body',
      () => post(typicalBody({ seed: 3, spans: 8, nowNs: nowNs() }).subarray(0, -5)),
      400,
      3,
      /byte \d+/,
    ],
    ['bytes that are no protobuf', () => post(Buffer.from('hello, this is not protobuf')), 400, 3, /byte \d+/],
    [
      'garbage after gzip',
      () => post(Buffer.concat([gzipSync('x'), Buffer.from('garbage')]), { 'content-encoding': 'gzip' }),
      400,
      3,
      /gzip/,
    ],
    [
      'zeroes after gzip',
      () => post(Buffer.concat([gzipSync(''), Buffer.alloc(9)]), { 'content-encoding': 'gzip' }),
      400,
      3,
      /9 bytes follow/,
    ],
    [
      'gzip cut short',
      () => post(gzipSync(randomBytes(500)).subarray(0, -9), { 'content-encoding': 'gzip' }),
      400,
      3,
      /gzip/,
    ],
    ['what is no gzip', () => post('plain', { 'content-encoding': 'gzip' }), 400, 3, /gzip/],
    ['another encoding', () => post('x', { 'content-encoding': 'br' }), 415, 3, /"br" is not gzip/],
    ['a body over the limit', () => post(Buffer.alloc(BODY_MAX_BYTES + 1)), 413, 8, /16 MiB/],
    [
      'a gzip bomb',
      () => post(gzipSync(Buffer.alloc(200 * 1024 * 1024)), { 'content-encoding': 'gzip' }),
      413,
      8,
      /16 MiB/,
    ],
    ['an unknown path', () => post('', {}, '/v1/trace'), 404, 5, /\/v1\/traces/],
    ['metrics', () => post('', {}, '/v1/metrics'), 404, 12, /\/v1\/metrics/],
    ['logs', () => post('', {}, '/v1/logs'), 404, 12, /\/v1\/logs/],
    ['text', () => post('x', { 'content-type': 'text/plain' }), 415, 3, /text\/plain/],
  ];
  test.each(refusals)('%s', async (_name, send, status, code, message) => {
    const answer = await send();
    expect(answer).toMatchObject({ status, type: PROTOBUF });
    expect(decodeStatus(answer.bytes)).toMatchObject({ code });
    expect(decodeStatus(answer.bytes).message).toMatch(message);
    expect(await journaled()).toEqual([]);
    const line = log.lines.find((entry) => entry.message === 'request refused');
    expect(line?.fields).toMatchObject({ status, why: expect.stringMatching(message) });
    expect(ledger.totals().refused).toHaveLength(1);
  });

  test('GET is told to POST', async () => {
    const response = await fetch(`${url}/v1/traces`);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });

  test('gRPC on the HTTP port is named in the ledger', async () => {
    const { port } = door.server.address() as AddressInfo;
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => (text += String(chunk))).on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 .*http\/protobuf/s);
    expect(ledger.totals().refused).toMatchObject([{ reason: 'grpc_on_http_port', count: 1 }]);
  });

  test('a flood of refusals is one log line a second, all counted', async () => {
    await Promise.all(Array.from({ length: 20 }, () => post('x', { 'content-type': 'text/plain' })));
    expect(ledger.totals().refused).toMatchObject([{ count: 20 }]);
    expect(log.lines.filter((entry) => entry.message === 'request refused').length).toBeLessThan(5);
  });
});

describe('back-pressure', () => {
  test('a full journal answers 503 with Retry-After, and takes bodies again when there is room', async () => {
    await door.close();
    await journal.close(1000);
    rmSync(dir, { recursive: true, force: true });
    await open(undefined, 40_000);
    let seed = 5;
    const next = () => typicalBody({ seed: seed++, spans: 64, nowNs: nowNs() });
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push((await post(next())).status);
    expect(statuses).toContain(503);
    const refused = await post(next());
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(decodeStatus(refused.bytes).code).toBe(14);
    const acked = statuses.filter((status) => status === 200).length;
    expect(await journaled()).toHaveLength(acked);
    for (const segment of journal.sealed()) await journal.remove(segment.name);
    expect((await post(next())).status).toBe(200);
  });

  test('a slow lane that is full answers 429 with Retry-After', async () => {
    const busy = createOtlpHttpDoor({
      collectors: OTLP_COLLECTORS,
      receive: createReceiver({
        door: 'otlp_http',
        rewrite: () => Promise.reject(new HeliographError('too_busy', undefined, { retryAfterSeconds: 7 })),
        journal,
        ledger,
        keepRejected: () => {},
      }),
      admission: admitByToken(createAuth(undefined)),
      ledger,
      encodeStatus,
      log,
    });
    const nested = bodyOf(span({ attributes: [{ key: 'b', value: { bytesValue: 'AAEC' } }] }));
    const response = await busy.inject({
      method: 'POST',
      url: '/v1/traces',
      headers: { 'content-type': PROTOBUF },
      payload: nested,
    });
    expect(response.statusCode).toBe(429);
    expect(response.headers['retry-after']).toBe('7');
    await busy.close();
  });
});

describe('token', () => {
  beforeEach(async () => {
    await door.close();
    await journal.close(1000);
    rmSync(dir, { recursive: true, force: true });
    await open('s3cret-token');
  });

  test.each([
    ['none', {}],
    ['a wrong one', { authorization: 'Bearer s3cret-tokeN' }],
    ['a prefix', { authorization: 'Bearer s3cret' }],
    ['basic', { authorization: `Basic ${Buffer.from('x:s3cret-token').toString('base64')}` }],
  ] as [string, Record<string, string>][])(
    '%s is refused on every path before the body is read',
    async (_name, headers) => {
      for (const path of ['/v1/traces', '/v1/metrics', '/nothing']) {
        const answer = await post(bodyOf(span()), headers, path);
        expect(answer.status).toBe(401);
        expect(decodeStatus(answer.bytes).code).toBe(16);
      }
      expect(JSON.stringify(log.lines)).not.toContain('s3cret');
    },
  );

  test('the right one passes', async () => {
    expect((await post(bodyOf(span()), { authorization: 'Bearer s3cret-token' })).status).toBe(200);
  });
});

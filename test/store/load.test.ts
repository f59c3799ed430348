import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { walkTraces } from '../../collectors/otlp/walk.ts';
import { StoreError } from '../../core/errors.ts';
import { isFormatError } from '../../ingest/loader/errors.ts';
import { PINNED_BLOCK_SETTINGS, RESOURCE_SPANS_TYPE } from '../../store/load.ts';
import { startMigratedEngine, type TestEngine } from '../support/engine.ts';
import { encodeRequest, type KeyValueInput, type SpanInput } from '../support/otlp-encode.ts';
import { typicalBody } from '../support/otlp-typical.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

const NOW_NS = BigInt(Date.now()) * 1_000_000n;
const WIDE = { loNs: NOW_NS - 14n * 86_400_000_000_000n, hiNs: NOW_NS + 3_600_000_000_000n };

async function load(bytes: Uint8Array, token: string, bounds = WIDE): Promise<void> {
  const path = join(engine.dir, `${token}.seg`);
  writeFileSync(path, bytes);
  await engine.store.load({
    token,
    signal: 'otlp_traces',
    team: '',
    path,
    ...bounds,
    settings: { ...PINNED_BLOCK_SETTINGS },
  });
}

async function one(sql: string): Promise<unknown[]> {
  return (await engine.store.query({ sql })).rows[0] ?? [];
}

beforeEach(async () => {
  for (const table of ['otel.otel_traces', 'otel.otel_traces_trace_id_ts', 'heliograph.span_latency_1m']) {
    await engine.store.command({ sql: `TRUNCATE TABLE ${table}` });
  }
});

test('a segment loaded three times is stored once, rollup and trace ids included', async () => {
  const bodies = [1, 2, 3].map((seed) => typicalBody({ seed, spans: 512, nowNs: NOW_NS }));
  const token = `thrice-${randomBytes(4).toString('hex')}`;
  for (let round = 0; round < 3; round++) await load(Buffer.concat(bodies), token);
  expect(await one('SELECT count(), uniqExact(SpanId) FROM otel.otel_traces')).toEqual([1536, 1536]);
  expect(await one('SELECT sum(count), sum(arraySum(mapValues(bins))) FROM heliograph.span_latency_1m')).toEqual([
    1536, 1536,
  ]);
  expect(
    await one('SELECT count() = uniqExact(TraceId), uniqExact(TraceId) FROM otel.otel_traces_trace_id_ts'),
  ).toEqual([1, 192]);
});

test('the same bytes under another token are other spans', async () => {
  const body = typicalBody({ seed: 9, spans: 64, nowNs: NOW_NS });
  const name = randomBytes(4).toString('hex');
  await load(body, `${name}-a`);
  await load(body, `${name}-b`);
  expect(await one('SELECT sum(count) FROM heliograph.span_latency_1m')).toEqual([128]);
});

test('two hundred days in one segment load', async () => {
  const spans: SpanInput[] = Array.from({ length: 200 }, (_, day) => ({
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    startTimeUnixNano: NOW_NS - BigInt(day) * 86_400_000_000_000n,
    endTimeUnixNano: NOW_NS,
  }));
  await load(
    encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
    `days-${randomBytes(4).toString('hex')}`,
    { loNs: 0n, hiNs: 2n ** 63n - 1n },
  );
  expect(await one('SELECT count(), uniqExact(toDate(Timestamp)) FROM otel.otel_traces')).toEqual([200, 200]);
});

/** Spans on both sides of every rule of the door's walk. */
function spansAtTheRules(): SpanInput[] {
  const good = (): SpanInput => ({
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'rule',
    startTimeUnixNano: NOW_NS,
    endTimeUnixNano: NOW_NS + 5n,
  });
  const without = (key: keyof SpanInput): SpanInput => {
    const span = good();
    delete span[key];
    return span;
  };
  return [
    good(),
    { ...good(), traceId: '00'.repeat(16) },
    { ...good(), traceId: 'ab'.repeat(15) },
    { ...good(), traceId: 'ab'.repeat(17) },
    { ...good(), traceId: `${'00'.repeat(15)}01` },
    { ...good(), traceId: `01${'00'.repeat(15)}` },
    without('traceId'),
    { ...good(), spanId: '00'.repeat(8) },
    { ...good(), spanId: 'cd'.repeat(7) },
    { ...good(), spanId: `${'00'.repeat(7)}01` },
    without('spanId'),
    { ...good(), parentSpanId: '' },
    { ...good(), parentSpanId: 'ee'.repeat(8) },
    { ...good(), parentSpanId: '00'.repeat(8) },
    { ...good(), parentSpanId: 'ee'.repeat(4) },
    { ...good(), startTimeUnixNano: WIDE.loNs },
    { ...good(), startTimeUnixNano: WIDE.loNs - 1n },
    { ...good(), startTimeUnixNano: WIDE.hiNs },
    { ...good(), startTimeUnixNano: WIDE.hiNs + 1n },
    { ...good(), startTimeUnixNano: 2n ** 64n - 1n },
    without('startTimeUnixNano'),
    { ...good(), endTimeUnixNano: NOW_NS - 1n },
    without('endTimeUnixNano'),
    { ...good(), kind: 99, status: { code: 77 } },
    { ...good(), kind: -1 },
  ];
}

test('the door and the view drop exactly the same spans, one by one and together', async () => {
  const spans = spansAtTheRules();
  const bodies = spans.map((span) => encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }));
  let accepted = 0;
  for (const [index, body] of bodies.entries()) {
    const walk = walkTraces(body, WIDE);
    if (!walk.ok) throw new Error(`case ${index}: ${walk.rule}`);
    const stored = walk.spans - walk.rejectedTotal;
    accepted += stored;
    const before = Number((await one('SELECT count() FROM otel.otel_traces'))[0]);
    await load(body, `rule-${index}-${randomBytes(4).toString('hex')}`);
    const after = Number((await one('SELECT count() FROM otel.otel_traces'))[0]);
    expect({ index, stored: after - before }).toEqual({ index, stored });
  }
  expect(accepted).toBeGreaterThan(8);
  expect(accepted).toBeLessThan(spans.length - 8);
  await engine.store.command({ sql: 'TRUNCATE TABLE otel.otel_traces' });
  await load(Buffer.concat(bodies), `rules-${randomBytes(4).toString('hex')}`);
  expect(await one('SELECT count() FROM otel.otel_traces')).toEqual([accepted]);
});

test('clock skew is stored as duration 0 and has a bin of its own', async () => {
  const span: SpanInput = {
    traceId: 'ab'.repeat(16),
    spanId: 'cd'.repeat(8),
    kind: 2,
    startTimeUnixNano: NOW_NS,
    endTimeUnixNano: NOW_NS - 1000n,
  };
  await load(
    encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
    `skew-${randomBytes(4).toString('hex')}`,
  );
  expect(await one('SELECT Duration FROM otel.otel_traces')).toEqual([0]);
  expect(await one('SELECT mapKeys(bins) FROM heliograph.span_latency_1m')).toEqual([[-1]]);
});

test('torn bytes leave nothing behind and are told apart from other failures', async () => {
  const body = typicalBody({ seed: 4, spans: 64, nowNs: NOW_NS });
  const error: unknown = await load(body.subarray(0, body.length - 7), `torn-${randomBytes(4).toString('hex')}`).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StoreError);
  expect(isFormatError((error as StoreError).engineCode)).toBe(true);
  expect(await one('SELECT count() FROM otel.otel_traces')).toEqual([0]);
});

test('the structure a segment is read with is the type of the table it goes to', async () => {
  const sql =
    "SELECT type FROM system.columns WHERE database = 'heliograph' AND table = 'otlp_traces_in' AND name = 'resource_spans'";
  const squeeze = (type: unknown): string => String(type).replace(/\s+/g, '');
  expect(squeeze((await one(sql))[0])).toBe(squeeze(RESOURCE_SPANS_TYPE));
});

const ROUTES: [SpanInput, string][] = [
  [{ name: 'GET', attributes: [{ key: 'http.route', value: { stringValue: '/users/:id' } }] }, '/users/:id'],
  [
    {
      name: 'x',
      attributes: [
        { key: 'rpc.service', value: { stringValue: 'shop.Cart' } },
        { key: 'rpc.method', value: { stringValue: 'Get' } },
      ],
    },
    'shop.Cart/Get',
  ],
  [{ name: 'GET /users/42/orders/43/items' }, 'GET /users/{id}/orders/{id}/items'],
  [{ name: '/1/2/3/4' }, '/{id}/{id}/{id}/{id}'],
  [{ name: 'job 0b5b1a52-6d38-4ed0-8f0e-4f7b1c1a9f00' }, 'job {id}'],
  [{ name: '/blob/deadbeefcafe0123' }, '/blob/{id}'],
  [{ name: '/v1/users' }, '/v1/users'],
  [{ name: 'process batch' }, 'process batch'],
  // A raw URL or path as the name: method and path are left of it.
  [{ name: '/users/42?tab=orders&token=secret' }, '/users/{id}'],
  [{ name: 'GET https://shop.example.com/users/42/orders#top' }, 'GET /users/{id}/orders'],
  [{ name: 'POST /mail/someone@example.com/2026-01-31/send?x=1' }, 'POST /mail/{id}/{id}/send'],
  [{ name: '/reset/dGhpcyBpcyBhIHRva2VuIDE3' }, '/reset/{id}'],
  [{ name: '/terms-and-conditions-of-sale' }, '/terms-and-conditions-of-sale'],
  [{ name: '/products/{id}' }, '/products/{id}'],
  // A method as the name: the path stands in an attribute.
  [{ name: 'GET', attributes: path('url.path', '/users/42/orders/7') }, 'GET /users/{id}/orders/{id}'],
  [{ name: 'GET', attributes: path('http.target', '/search?q=boots&page=2') }, 'GET /search'],
  [
    { name: 'POST', attributes: path('url.full', 'https://api.example.com/v1/carts/9f8e7d6c5b4a?x#y') },
    'POST /v1/carts/{id}',
  ],
  [
    { name: 'HTTP PUT', attributes: path('http.url', 'http://10.0.0.7:8080/a/2026-01-31T10:00:00Z/b') },
    'HTTP PUT /a/{id}/b',
  ],
  [
    { name: 'GET', attributes: path('url.path', '/k/someone%40example.com/eyJhbGciOiJub25lIn0-x9_T') },
    'GET /k/{id}/{id}',
  ],
  [{ name: 'GET', attributes: path('url.path', '/') }, 'GET /'],
  [
    { name: 'DELETE', attributes: path('url.path', '/static/terms-and-conditions') },
    'DELETE /static/terms-and-conditions',
  ],
  [{ name: 'GET', attributes: path('url.path', '/u/0b5b1a52-6d38-4ed0-8f0e-4f7b1c1a9f00;v=2') }, 'GET /u/{id}'],
  [{ name: 'GET' }, 'GET'],
  [{ name: 'GETTER' }, 'GETTER'],
];

function path(key: string, stringValue: string): KeyValueInput[] {
  return [
    { key: 'server.address', value: { stringValue: '10.0.0.1' } },
    { key, value: { stringValue } },
  ];
}

test('a route is http.route, else the rpc method, else the span name without its ids', async () => {
  const spans = ROUTES.map(([span], index) => ({
    ...span,
    traceId: 'ab'.repeat(16),
    spanId: `00000000000000${(index + 16).toString(16)}`,
    startTimeUnixNano: NOW_NS,
    endTimeUnixNano: NOW_NS + 1n,
  }));
  await load(
    encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
    `routes-${randomBytes(4).toString('hex')}`,
  );
  const { rows } = await engine.store.query({ sql: 'SELECT Route FROM otel.otel_traces ORDER BY SpanId' });
  expect(rows.map(([route]) => route)).toEqual(ROUTES.map(([, route]) => route));
});

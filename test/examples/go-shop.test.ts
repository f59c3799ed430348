import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { assetPath } from '../../core/paths.ts';
import { BUILD_LIMIT_MS, buildGoShop, type ShopProcess, startService } from '../support/go-shop.ts';
import { eventually } from '../support/heliograph-process.ts';
import type { DecodedSpan } from '../support/otlp-decode.ts';
import { type OtlpSink, startOtlpSink } from '../support/otlp-sink.ts';
import { onPath, peerTest } from '../support/peers.ts';

const BASKET = 20;
const ORDERS = 5;

let folder: string;
let sink: OtlpSink;
let env: Record<string, string>;
const running = new Map<string, ShopProcess>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'heliograph-shop-'));
  sink = await startOtlpSink();
  env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    SERVICE_VERSION: '1.4.0',
    SERVICE_REVISION: '0123456789abcdef0123456789abcdef01234567',
    DEPLOYMENT_ENVIRONMENT: 'demo',
  };
  if (!onPath('go')) return;
  buildGoShop(join(folder, 'go-shop'));
  const inventory = await start('inventory', ['-shortages', '0']);
  const checkout = await start('checkout', ['-outages', '0', '-inventory', inventory.listen]);
  await start('storefront', ['-inventory', inventory.listen, '-checkout', checkout.listen]);
}, BUILD_LIMIT_MS);

afterAll(async () => {
  for (const { stop } of running.values()) await stop();
  await sink.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(service: string, flags: readonly string[]): Promise<ShopProcess> {
  const process = await startService(join(folder, 'go-shop'), [service, ...flags], env);
  running.set(service, process);
  return process;
}

function shop(service: string): ShopProcess {
  const process = running.get(service);
  if (process === undefined) throw new Error(`${service} does not run`);
  return process;
}

const attributesOf = (span: DecodedSpan): Record<string, string> => Object.fromEntries(span.attributes);
const serviceOf = (span: DecodedSpan): string => Object.fromEntries(span.resource)['service.name'] ?? '';
const milliseconds = (span: DecodedSpan): number => Number(BigInt(span.end) - BigInt(span.start)) / 1e6;

/** Server spans are kind 2. */
function served(span: DecodedSpan, service: string, route: string): boolean {
  return span.kind === '2' && serviceOf(span) === service && attributesOf(span)['http.route'] === route;
}

async function order(): Promise<number> {
  const skus = Array.from({ length: BASKET }, (_, i) => `sku-${i}`);
  const response = await fetch(`${shop('storefront').listen}/orders`, {
    method: 'POST',
    body: JSON.stringify({ customer: 'one', skus }),
  });
  await response.text();
  return response.status;
}

/** Sends orders, one after another, and gives checkout's spans of them with how often each asked inventory. */
async function ordersSeen(): Promise<{ medianMs: number; questions: number[] }> {
  const before = sink.spans().length;
  for (let i = 0; i < ORDERS; i++) expect(await order()).toBe(201);
  const traces = await eventually(async () => {
    const fresh = sink.spans().slice(before);
    const roots = fresh.filter((span) => served(span, 'storefront', '/orders'));
    return roots.length === ORDERS ? { fresh, roots } : undefined;
  });
  // Checkout's batch may leave a second after storefront's.
  return eventually(async () => {
    const spans = sink.spans().slice(before);
    const orders = spans.filter((span) => served(span, 'checkout', '/orders'));
    const questions = traces.roots.map(
      ({ traceId }) =>
        spans.filter((span) => span.traceId === traceId && /^\/stock\//.test(attributesOf(span)['http.route'] ?? ''))
          .length,
    );
    if (orders.length < ORDERS || questions.includes(0)) return undefined;
    if (questions.some((count) => count !== questions[0])) return undefined;
    const sorted = orders.map(milliseconds).toSorted((a, b) => a - b);
    return { medianMs: sorted[Math.floor(ORDERS / 2)] ?? Number.NaN, questions };
  });
}

async function flip(name: string, on: boolean): Promise<void> {
  const response = await fetch(`${shop('checkout').admin}/switch/${name}?on=${on}`, { method: 'POST' });
  expect(await response.json()).toEqual({ switch: name, on });
}

async function vars(service: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${shop(service).admin}/debug/vars`);
  return (await response.json()) as Record<string, unknown>;
}

peerTest('go', 'the sources are formatted, and go vet has nothing to say', async () => {
  const cwd = assetPath('examples/go-shop');
  const output = (command: string, ...args: string[]): string => {
    const { stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
    return stdout + stderr;
  };
  expect(output('gofmt', '-l', '.')).toBe('');
  expect(output('go', 'vet', './...')).toBe('');
});

peerTest('go', 'an order is one trace through the three services, with routes and versions', async () => {
  await order();
  const spans = await eventually(async () => {
    const root = sink.spans().find((span) => served(span, 'storefront', '/orders'));
    const trace = sink.spans().filter((span) => span.traceId === root?.traceId);
    return new Set(trace.filter(({ kind }) => kind === '2').map(serviceOf)).size === 3 ? trace : undefined;
  });
  expect(spans.filter(({ parentSpanId }) => parentSpanId === '')).toHaveLength(1);
  const routes = spans.filter(({ kind }) => kind === '2').map((span) => attributesOf(span)['http.route']);
  expect(new Set(routes)).toEqual(new Set(['/orders', '/stock/batch', '/reservations']));
  expect(Object.fromEntries(spans[0]?.resource ?? [])).toMatchObject({
    'service.version': '1.4.0',
    'service.namespace': 'go-shop',
    'deployment.environment.name': 'demo',
    'vcs.repository.name': 'go-shop',
    'vcs.ref.head.revision': '0123456789abcdef0123456789abcdef01234567',
  });
});

peerTest('go', 'the switch slow asks inventory once per article, and the route is slower for it', async () => {
  const normal = await ordersSeen();
  expect(normal.questions).toEqual(Array(ORDERS).fill(1));
  await flip('slow', true);
  const slow = await ordersSeen();
  await flip('slow', false);
  expect(slow.questions).toEqual(Array(ORDERS).fill(BASKET));
  expect(slow.medianMs / normal.medianMs).toBeGreaterThan(3);
});

peerTest('go', 'the switch leak leaves a goroutine behind per order, and without it none', async () => {
  const stacks = async (): Promise<number> => {
    const response = await fetch(`${shop('checkout').admin}/debug/pprof/goroutine?debug=2`);
    return [...(await response.text()).matchAll(/\[chan send[^\]]*\]:[^]*?created by .*scoring.*score/g)].length;
  };
  await order();
  await eventually(async () => ((await stacks()) === 0 ? true : undefined));
  await flip('leak', true);
  for (let i = 0; i < ORDERS; i++) await order();
  await flip('leak', false);
  await order();
  await eventually(async () => ((await stacks()) === ORDERS ? true : undefined));
  expect(await vars('checkout')).toMatchObject({ scores_abandoned: ORDERS });
});

peerTest('go', '/debug/vars tells what the shop counts, a switch that is none is refused', async () => {
  expect(await order()).toBe(201);
  expect(await vars('checkout')).toMatchObject({
    service: 'checkout',
    version: '1.4.0',
    queue_depth: expect.any(Number),
    orders: expect.any(Number),
    switches: { slow: false, leak: false },
  });
  expect((await vars('storefront'))['pages']).toMatchObject({ order: expect.any(Number) });
  expect(Number((await vars('inventory'))['store_reads'])).toBeGreaterThan(0);
  const post = (query: string): Promise<Response> =>
    fetch(`${shop('checkout').admin}/switch/${query}`, { method: 'POST' });
  expect((await post('fast?on=true')).status).toBe(404);
  expect((await post('slow?on=perhaps')).status).toBe(400);
});

peerTest('go', 'checkout is replaced by its next version and no order fails for it', async () => {
  const { listen, admin, stop } = shop('checkout');
  const replaced = stop();
  const during = order(); // storefront waits until somebody listens there again
  expect(await replaced).toBe(0);
  env = { ...env, SERVICE_VERSION: '1.5.0' };
  const at = (url: string): string => url.replace('http://', '');
  await start('checkout', [
    '-outages',
    '0',
    '-listen',
    at(listen),
    '-admin',
    at(admin),
    '-inventory',
    shop('inventory').listen,
  ]);
  expect(await during).toBe(201);
  expect(await vars('checkout')).toMatchObject({ version: '1.5.0' });
});

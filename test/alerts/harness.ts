/** What the tests of the alerts share: seeded rollups, spans and deploys, a receiver on a socket. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { RowSink } from '../../core/rows.ts';
import { PINNED_BLOCK_SETTINGS } from '../../store/load.ts';
import type { TestEngine } from '../support/engine.ts';
import { eventually } from '../support/heliograph-process.ts';
import { encodeRequest, type SpanInput } from '../support/otlp-encode.ts';
import { loadRows } from '../support/profile-rows.ts';

export const GAMMA = 1.01 / 0.99;

/** The value, in ms, that the sketch gives a bin. */
export function binMs(bin: number): number {
  return (2 * GAMMA ** bin) / (GAMMA + 1) / 1e6;
}

/** The bin of a duration. */
export function binOf(ms: number): number {
  return Math.ceil(Math.log(ms * 1e6) / Math.log(GAMMA));
}

export interface RollupMinute {
  service: string;
  route: string;
  /** Unix ms of the minute. */
  atMs: number;
  /** Bin -> spans. */
  bins: Record<number, number>;
  kind?: string;
}

/** Puts minutes straight into the rollup. */
export async function seedRollup({ store }: TestEngine, minutes: readonly RollupMinute[]): Promise<void> {
  await store.insertRows(
    'heliograph.span_latency_1m',
    minutes.map(({ service, route, atMs, bins, kind = 'Server' }) => ({
      minute: Math.floor(atMs / 1000),
      service,
      route,
      kind,
      status: 'Unset',
      version: '',
      region: '',
      team: '',
      count: Object.values(bins).reduce((sum, n) => sum + n, 0),
      duration_sum_ns: 0,
      bins,
    })),
  );
}

/** Loads spans of one service the way they always come; `[startMs, durationMs]` each. Returns the trace ids in order. */
export async function seedSpans(
  engine: TestEngine,
  service: string,
  route: string,
  spans: readonly (readonly [startMs: number, durationMs: number])[],
): Promise<string[]> {
  const traceIds = spans.map(() => randomBytes(16).toString('hex'));
  const inputs = spans.map(([startMs, durationMs], index): SpanInput => {
    const start = BigInt(startMs) * 1_000_000n;
    return {
      traceId: traceIds[index] ?? '',
      spanId: randomBytes(8).toString('hex'),
      name: 'GET',
      kind: 2,
      startTimeUnixNano: start,
      endTimeUnixNano: start + BigInt(Math.round(durationMs * 1e6)),
      attributes: [{ key: 'http.route', value: { stringValue: route } }],
    };
  });
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  await load(engine, encodeRequest({ resourceSpans: [{ resource, scopeSpans: [{ spans: inputs }] }] }));
  return traceIds;
}

async function load({ store, dir }: TestEngine, bytes: Uint8Array): Promise<void> {
  const token = randomBytes(8).toString('hex');
  const path = join(dir, `${token}.seg`);
  writeFileSync(path, bytes);
  const settings = { ...PINNED_BLOCK_SETTINGS };
  await store.load({ token, signal: 'otlp_traces', team: '', path, loNs: 0n, hiNs: 2n ** 63n - 1n, settings });
}

/** A sink that loads at once what a journal would load a second later. */
export function loadingSink(engine: TestEngine): RowSink {
  return { append: (signal, rows) => (rows.length === 0 ? Promise.resolve() : loadRows(engine, signal, rows)) };
}

/** A deploy event as a test writes it. */
export interface SeedDeploy {
  service: string;
  atMs: number;
  id: string;
  version?: string;
  sha?: string;
}

/** Deploys to production that succeeded. */
export async function seedDeploys(engine: TestEngine, deploys: readonly SeedDeploy[]): Promise<void> {
  await loadRows(
    engine,
    'deployments',
    deploys.map(({ service, atMs, id, version = '', sha = '' }) => ({
      id,
      service,
      environment: 'production',
      version,
      sha,
      repository: 'o/shop',
      status: 'success',
      kind: null,
      started_at_ms: atMs - 1000,
      finished_at_ms: atMs,
      received_at_ms: atMs,
    })),
  );
}

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Receiver {
  url: string;
  received: Received[];
  /** What it does with a request; 204 where nothing else was said. */
  answer: (response: ServerResponse, request: Received) => void;
  close(): Promise<void>;
}

/** A receiver on loopback. */
export async function startReceiver(port = 0): Promise<Receiver> {
  const receiver: Receiver = {
    url: '',
    received: [],
    answer: (response) => response.writeHead(204).end(),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
      receiver.received.push(one);
      receiver.answer(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return receiver;
}

/** The body as JSON. */
export function bodyOf({ body }: Received): Record<string, unknown> & { alerts: Record<string, unknown>[] } {
  return JSON.parse(body.toString()) as Record<string, unknown> & { alerts: Record<string, unknown>[] };
}

/** Writes a file below `dir`, which is made. */
export function writeIn(dir: string, name: string, text: string): string {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

/** Removes a folder in which a write may still be under way. */
export async function removeDir(dir: string): Promise<void> {
  await eventually(async () => {
    await rm(dir, { recursive: true, force: true });
    return true;
  });
}

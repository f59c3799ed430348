import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { createStore } from '../../store/client.ts';
import { engineSocketPath } from '../../store/embedded/socket-path.ts';
import { eventually, type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';
import { encodeRequest } from '../support/otlp-encode.ts';
import { peerTest } from '../support/peers.ts';
import { peerLint } from '../support/promtool.ts';
import { quietLog } from '../support/quiet-log.ts';
import { stamp } from '../support/stamp.ts';

const TOKEN = 'scrape-token';
const authorization = `Bearer ${TOKEN}`;
const SERVICE = 'shop "north"\nüç \\ 漢';
const NOW_S = Math.floor(Date.now() / 1000);

let dir: string;
let heliograph: HeliographProcess;
let prometheus: ChildProcess | undefined;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-prometheus-'));
  const dataDir = join(dir, 'data');
  mkdirSync(dataDir);
  heliograph = await spawnHeliograph(dataDir, {
    HELIOGRAPH_TOKEN: TOKEN,
    HELIOGRAPH_PEOPLE_DEVELOPER_SERIES: 'true',
  });
  await eventually(async () =>
    /^heliograph_derived_last_success_timestamp_seconds /m.test(await scrape()) ? true : undefined,
  );
});
afterAll(async () => {
  prometheus?.kill('SIGTERM');
  heliograph.child.kill('SIGTERM');
  await heliograph.exited;
  rmSync(dir, { recursive: true, force: true });
});

async function scrape(): Promise<string> {
  const response = await fetch(`${heliograph.pageUrl}/metrics`, { headers: { authorization } });
  return response.text();
}

/** A second client of the engine puts in what pollers and git would. */
async function seedStore(): Promise<void> {
  const store = createStore({ socketPath: engineSocketPath(join(dir, 'data')), log: quietLog });
  const target = { service: SERVICE, target: 'shop-1' };
  const ok = { ...target, time: stamp(NOW_S), outcome: 'ok', reason: '', bytes: 10 };
  await store.insertRows('heliograph.target_polls', [
    { ...ok, kind: 'goroutine', duration_ms: 250, total: 42 },
    { ...ok, kind: 'cpu', duration_ms: 10_500, total: 100 },
  ]);
  await store.insertRows('heliograph.go_runtime', [
    { ...target, time: stamp(NOW_S), last_gc: stamp(NOW_S - 7), pauses_ns: [] },
  ]);
  const commit = { repository: 'shop', parents: [], bot_rule: '', gone: false, commit_time: stamp(NOW_S), version: 1 };
  await store.insertRows('heliograph.commits', [
    { ...commit, sha: 'a', author: 'p-1' },
    { ...commit, sha: 'b', author: 'p-1' },
  ]);
  await store.insertRows('heliograph.git_tips', [
    { repository: 'shop', branch: 'main', tip: 'b', collected_at: stamp(NOW_S) },
  ]);
  await store.close();
}

async function sendSpans(count: number): Promise<void> {
  const spans = Array.from({ length: count }, (_, index) => ({
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'GET',
    kind: 2,
    startTimeUnixNano: BigInt(NOW_S) * 1_000_000_000n,
    endTimeUnixNano: BigInt(NOW_S) * 1_000_000_000n + 20_000_000n,
    attributes: [{ key: 'http.route', value: { stringValue: '/cart/{id}' } }],
    ...(index === 0 && { status: { code: 2 } }),
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: SERVICE } }] };
  const response = await fetch(`${heliograph.otlpUrl}/v1/traces`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/x-protobuf' },
    body: Uint8Array.from(encodeRequest({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })),
  });
  expect(response.status).toBe(200);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts Prometheus with one job, and gives a way to ask it. */
async function startPrometheus(): Promise<(query: string) => Promise<Sample[]>> {
  const config = join(dir, 'prometheus.yml');
  writeFileSync(
    config,
    [
      'global: { scrape_interval: 1s, scrape_timeout: 1s }',
      'scrape_configs:',
      '  - job_name: heliograph',
      `    authorization: { type: Bearer, credentials: ${TOKEN} }`,
      `    static_configs: [{ targets: ['${new URL(heliograph.pageUrl).host}'] }]`,
    ].join('\n'),
  );
  const address = `127.0.0.1:${await freePort()}`;
  prometheus = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(dir, 'tsdb')}`,
      `--web.listen-address=${address}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
  return async (query) => {
    const url = `http://${address}/api/v1/query?query=${encodeURIComponent(query)}`;
    const answer = (await (await fetch(url)).json()) as { data: { result: Raw[] } };
    return answer.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  };
}

interface Raw {
  metric: Record<string, string>;
  value: [number, string];
}

interface Sample {
  metric: Record<string, string>;
  value: number;
}

peerTest('prometheus', 'Prometheus scrapes every derived family, and its queries answer', async () => {
  await seedStore();
  await sendSpans(5);
  const ask = await startPrometheus();
  /** The one value of a query, as soon as there is one. */
  const valueOf = (query: string): Promise<number> =>
    eventually(async () => {
      const samples = await ask(query);
      if (samples.length > 1) throw new Error(`${samples.length} series for ${query}`);
      return samples[0]?.value;
    }, 45_000).catch((error: unknown) => expect.fail(`${query}: ${(error as Error).message}`));
  const service = JSON.stringify(SERVICE);
  const ofService = `service=${service}`;
  expect(await valueOf(`sum(http_request_duration_seconds_count{${ofService}})`)).toBe(5);
  expect(await valueOf(`http_request_duration_seconds_count{${ofService},status="Error"}`)).toBe(1);
  expect(await valueOf(`sum(http_request_duration_seconds_sum{${ofService}})`)).toBeCloseTo(0.1, 6);
  expect(
    await valueOf(`histogram_quantile(0.5, sum by (le) (http_request_duration_seconds_bucket{${ofService}}))`),
  ).toBeCloseTo(0.0273, 2); // halfway through the bucket from 0.0156 to 0.0391
  expect(await valueOf('go_goroutines{target="shop-1"}')).toBe(42);
  expect(await valueOf(`goroutines_total{${ofService},target="shop-1"}`)).toBe(42);
  expect(await valueOf('gc_last_time_seconds{target="shop-1"}')).toBe(NOW_S - 7);
  expect(await valueOf('profile_duration_seconds{target="shop-1",profile="cpu"}')).toBe(10.5);
  expect(await valueOf('dev_commit_total{developer="p-1",repo="shop"}')).toBe(2);
  expect(await valueOf('up{job="heliograph"}')).toBe(1);
  expect(await valueOf('heliograph_background_restarts_total')).toBe(0);
  expect(await valueOf('time() - heliograph_derived_last_success_timestamp_seconds < bool 120')).toBe(1);
  const [goroutines] = await ask('go_goroutines');
  expect(goroutines?.metric['service']).toBe(SERVICE);

  await sendSpans(3);
  await eventually(
    async () =>
      (await ask(`sum(http_request_duration_seconds_count{${ofService}})`))[0]?.value === 8 ? true : undefined,
    45_000,
  );
  expect(await valueOf(`sum(resets(http_request_duration_seconds_count{${ofService}}[5m]))`)).toBe(0);
  expect(peerLint(await scrape())).toEqual({ status: 0, output: '' });
});

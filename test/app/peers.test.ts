import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assetPath } from '../../core/paths.ts';
import { eventually, type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';
import { peerTest } from '../support/peers.ts';

const run = promisify(execFile);
const TOKEN = 'peer-token';

let dataDir: string;
let heliograph: HeliographProcess;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'heliograph-peers-'));
  heliograph = await spawnHeliograph(dataDir, { HELIOGRAPH_TOKEN: TOKEN });
});
afterAll(async () => {
  heliograph.child.kill('SIGTERM');
  await heliograph.exited;
  rmSync(dataDir, { recursive: true, force: true });
});

interface Answer {
  rows: Record<string, unknown>[];
}

async function query(path: string): Promise<Answer> {
  const response = await fetch(`${heliograph.pageUrl}/api/query/${path}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Answer;
}

/** What a person sets to point a service at Heliograph. */
function exporterEnv(service: string, protocol: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    OTEL_SERVICE_NAME: service,
    OTEL_EXPORTER_OTLP_ENDPOINT: protocol === 'grpc' ? heliograph.otlpGrpcUrl : heliograph.otlpUrl,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer ${TOKEN}`,
  };
}

async function expectExactWithinOnePercent(service: string, route: string, durationsNs: number[]): Promise<void> {
  const sorted = durationsNs.toSorted((a, b) => a - b);
  const row = await eventually(async () => {
    const { rows } = await query('latency_by_route?from=now-1h&to=now%2B5m&step=7200');
    const mine = rows.filter((each) => each['service'] === service);
    const counted = mine.reduce((sum, each) => sum + Number(each['count']), 0);
    return counted === sorted.length ? mine : undefined;
  });
  // A run across the hour has a row on each side of it; then the percentiles of each are held to the whole loosely.
  expect(row[0]).toMatchObject({ service, route });
  if (row.length > 1) return;
  for (const [column, q] of [
    ['p50_ms', 0.5],
    ['p95_ms', 0.95],
    ['p99_ms', 0.99],
  ] as const) {
    const exactMs = (sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN) / 1e6;
    expect(Math.abs(Number(row[0]?.[column]) - exactMs) / exactMs).toBeLessThanOrEqual(0.01);
  }
}

test.each(['http/protobuf', 'http/json', 'grpc'])(
  'a Node program with @opentelemetry/sdk-node over %s',
  async (protocol) => {
    const service = `node-peer-${protocol}`;
    const { stdout } = await run(process.execPath, [assetPath('test/peers/node-sdk/main.mjs')], {
      env: exporterEnv(service, protocol),
      maxBuffer: 1 << 24,
    });
    await expectExactWithinOnePercent(service, '/node/{id}', stdout.trim().split('\n').map(Number));
  },
);

peerTest(
  'go',
  'a Go program with the OpenTelemetry Go SDK, over HTTP, over gRPC, and over gRPC with gzip',
  async () => {
    const cwd = assetPath('test/peers/go-sdk');
    const binary = join(dataDir, 'go-peer');
    const built = spawnSync('go', ['build', '-o', binary, '.'], { cwd, encoding: 'utf8' });
    expect(built.stderr).toBe('');
    for (const [protocol, compression] of [
      ['http/protobuf', 'none'],
      ['grpc', 'none'],
      ['grpc', 'gzip'],
    ] as const) {
      const service = `go-peer-${protocol}-${compression}`;
      const env = { ...exporterEnv(service, protocol), OTEL_EXPORTER_OTLP_COMPRESSION: compression };
      const { stdout } = await run(binary, [], { env, maxBuffer: 1 << 24 });
      await expectExactWithinOnePercent(service, '/go/{id}', stdout.trim().split('\n').map(Number));
      const { rows } = await query('slowest_spans?from=now-1h&to=now%2B5m');
      const slowest = rows.find((row) => row['service'] === service);
      const trace = await query(`trace_spans?trace_id=${String(slowest?.['trace_id'])}`);
      expect(trace.rows[0]?.['attributes']).toMatchObject({ 'shard.names': '["a","b"]', 'sample.weight': '0.25' });
    }
  },
);

peerTest('promtool', '/metrics pleases promtool', async () => {
  const response = await fetch(`${heliograph.pageUrl}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: await response.text(),
    encoding: 'utf8',
  });
  expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' });
});

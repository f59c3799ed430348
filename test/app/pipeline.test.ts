import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';
import { encodeRequest } from '../support/otlp-encode.ts';

let dir: string;
let heliograph: HeliographProcess;
const start = async (): Promise<void> => {
  heliograph = await spawnHeliograph(dir, { HELIOGRAPH_SELF_TELEMETRY_ENABLED: 'false' });
};
const stop = async (): Promise<void> => {
  heliograph.child.kill('SIGTERM');
  await heliograph.exited;
};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-pipeline-'));
  await start();
});
afterAll(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

/** `good` spans and one without a trace id. */
async function send(good: number): Promise<void> {
  const startTimeUnixNano = BigInt(Date.now()) * 1_000_000n;
  const spans = Array.from({ length: good + 1 }, (_, index) => ({
    traceId: index === good ? '' : randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'GET',
    kind: 2,
    startTimeUnixNano,
    endTimeUnixNano: startTimeUnixNano + 1_000n,
  }));
  const response = await fetch(`${heliograph.otlpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: Uint8Array.from(encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans }] }] })),
  });
  expect(response.status).toBe(200);
}

async function ask(view: string, query: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${heliograph.pageUrl}/api/query/${view}?from=now-10m&to=now&${query}`);
  return ((await response.json()) as { rows: Record<string, unknown>[] }).rows;
}

test('what three processes of one minute or two counted adds up, each minute once', async () => {
  await send(10);
  await fetch(`${heliograph.otlpUrl}/v1/nothing`, { method: 'POST' });
  await stop();
  await start();
  await send(20);
  await stop();
  await start();
  const whole = await eventually(async () => {
    const rows = await ask('pipeline_over_time', 'step=4000000000');
    return rows[0]?.['acked_spans'] === 30 ? rows[0] : undefined;
  });
  expect(whole).toMatchObject({ acked_bodies: 2, rejected_spans: 2, refused_bodies: 1, duplicate_bodies: 0 });
  expect(Number(whole['backlog_bytes_max'])).toBeGreaterThanOrEqual(0);
  expect(await ask('pipeline_senders', '').then((rows) => rows.map(({ form, spans }) => [form, spans]))).toEqual([
    ['http/protobuf', 30],
  ]);
  const refusals = await ask('pipeline_refusals', 'step=4000000000');
  expect(refusals.map(({ reason, bodies }) => [reason, bodies])).toEqual([['wrong_path', 1]]);
});

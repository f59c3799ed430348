/** A shorter retention applies to what is stored already: the product, stopped and started again with other settings. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createStore } from '../../store/client.ts';
import { engineSocketPath } from '../../store/embedded/socket-path.ts';
import { eventually, type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';
import { encodeRequest } from '../support/otlp-encode.ts';
import { quietLog } from '../support/quiet-log.ts';

const DAY_MS = 86_400_000;
const AGES = [12, 6, 1]; // days

const dataDir = mkdtempSync(join(tmpdir(), 'heliograph-retention-'));
let heliograph: HeliographProcess;
afterAll(async () => {
  heliograph.child.kill('SIGTERM');
  await heliograph.exited;
  rmSync(dataDir, { recursive: true, force: true });
});

const start = (env: Record<string, string>): Promise<HeliographProcess> =>
  spawnHeliograph(dataDir, { HELIOGRAPH_SELF_TELEMETRY_ENABLED: 'false', ...env });

/** Ages in days of what is stored: spans, trace lookup, 1-minute rollup. */
async function stored(): Promise<number[][]> {
  const store = createStore({ socketPath: engineSocketPath(dataDir), log: quietLog });
  try {
    const ages = async (table: string, time: string): Promise<number[]> => {
      const sql = `SELECT DISTINCT dateDiff('day', toDate(${time}), today()) AS age FROM ${table} ORDER BY age DESC`;
      return (await store.query({ sql })).rows.map(([age]) => Number(age));
    };
    return [
      await ages('otel.otel_traces', 'Timestamp'),
      await ages('otel.otel_traces_trace_id_ts', 'Start'),
      await ages('heliograph.span_latency_1m', 'minute'),
    ];
  } finally {
    await store.close();
  }
}

test('old spans and rollups are gone soon after a start with a shorter retention, younger ones stay', async () => {
  heliograph = await start({});
  const noon = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;
  for (const age of AGES) {
    const startNs = BigInt(noon - age * DAY_MS) * 1_000_000n;
    const span = {
      traceId: String(age).padStart(32, '0'),
      spanId: '1'.padStart(16, '0'),
      name: 'old',
      kind: 2,
      startTimeUnixNano: startNs,
      endTimeUnixNano: startNs + 5n,
    };
    const body = encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
    const headers = { 'content-type': 'application/x-protobuf' };
    const answer = await fetch(`${heliograph.otlpUrl}/v1/traces`, { method: 'POST', headers, body: Buffer.from(body) });
    expect(answer.status).toBe(200);
  }
  const all = [AGES, AGES, AGES];
  await eventually(async () => (JSON.stringify(await stored()) === JSON.stringify(all) ? true : undefined));
  heliograph.child.kill('SIGTERM');
  await heliograph.exited;

  heliograph = await start({ HELIOGRAPH_RETENTION_SPANS: '3d', HELIOGRAPH_RETENTION_ROLLUP_MINUTE: '8d' });
  const left = await eventually(async () => {
    const now = await stored();
    return (now[0] ?? []).length < 3 && (now[2] ?? []).length < 3 ? now : undefined;
  });
  expect(left).toEqual([[1], [1], [6, 1]]);
}, 90_000);

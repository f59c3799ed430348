/**
 * Twenty seeded rounds of `kill -9` under load: the engine child, the main process, or both, at random moments. Afterwards
 * every acked body is stored once, rollup included. The sender never sends twice: a body without an answer may be there once
 * or not at all.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { childrenOf } from '../../bench/support/process-stats.ts';
import { createStore } from '../../store/client.ts';
import { engineSocketPath } from '../../store/embedded/socket-path.ts';
import { eventually, type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';
import { encodeRequest } from '../support/otlp-encode.ts';
import { quietLog } from '../support/quiet-log.ts';

const ROUNDS = 20;
const SPANS_PER_BODY = 32;
const SENDERS = 6;
const SEED = 20_240_229;

type Fate = 'acked' | 'refused' | 'unanswered';
type Victim = 'engine' | 'main' | 'both';

let dataDir: string;
let heliograph: HeliographProcess;
let stopping = false;
let bodies = 0;
const fates = new Map<string, Fate>();

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'heliograph-kill-'));
  heliograph = await start();
});
afterAll(async () => {
  stopping = true;
  heliograph.child.kill('SIGTERM');
  await heliograph.exited;
  rmSync(dataDir, { recursive: true, force: true });
});

const start = (): Promise<HeliographProcess> =>
  spawnHeliograph(dataDir, { HELIOGRAPH_SELF_TELEMETRY_ENABLED: 'false' }, false);

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The body's number is its trace id, so that each can be counted in the store by itself. */
function bodyOf(traceId: string): Buffer {
  const startNs = BigInt(Date.now()) * 1_000_000n;
  const spans = Array.from({ length: SPANS_PER_BODY }, (_, index) => ({
    traceId,
    spanId: (index + 1).toString(16).padStart(16, '0'),
    name: 'kill',
    kind: 2,
    startTimeUnixNano: startNs,
    endTimeUnixNano: startNs + 1_000_000n,
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'kill' } }] };
  return encodeRequest({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}

function send(agent: Agent, body: Buffer): Promise<Fate> {
  return new Promise((resolve) => {
    const outgoing = request(
      `${heliograph.otlpUrl}/v1/traces`,
      { method: 'POST', agent, headers: { 'content-type': 'application/x-protobuf' } },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode === 200 ? 'acked' : 'refused'));
        response.on('error', () => resolve('unanswered'));
      },
    );
    outgoing.on('error', () => resolve('unanswered'));
    outgoing.setTimeout(20_000, () => outgoing.destroy());
    outgoing.end(body);
  });
}

async function sendForever(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (!stopping) {
    bodies += 1;
    const traceId = bodies.toString(16).padStart(32, '0');
    const fate = await send(agent, bodyOf(traceId));
    fates.set(traceId, fate);
    if (fate !== 'acked') await sleep(20);
  }
  agent.destroy();
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Kills by process id, only what this test started. */
async function kill(victim: Victim): Promise<void> {
  const children = childrenOf(heliograph.pid);
  if (victim !== 'main') for (const pid of children) process.kill(pid, 'SIGKILL');
  if (victim === 'engine') return;
  process.kill(heliograph.pid, 'SIGKILL');
  await heliograph.exited;
  heliograph = await start();
}

async function stored(): Promise<{ byTrace: Map<string, number>; rollup: number }> {
  const answer = await fetch(`${heliograph.pageUrl}/api/query/services?from=now-1h&to=now%2B1h`);
  const { rows } = (await answer.json()) as { rows: { service: string; span_count: number }[] };
  const rollup = rows.filter((row) => row.service === 'kill').reduce((sum, row) => sum + Number(row.span_count), 0);
  return { byTrace: await spansByTrace(), rollup };
}

async function spansByTrace(): Promise<Map<string, number>> {
  const store = createStore({ socketPath: engineSocketPath(dataDir), log: quietLog });
  try {
    const { rows } = await store.query({
      sql: "SELECT TraceId, count() FROM otel.otel_traces WHERE ServiceName = 'kill' GROUP BY TraceId",
    });
    return new Map(rows.map(([traceId, count]) => [String(traceId), Number(count)]));
  } finally {
    await store.close();
  }
}

async function waitUntilLoaded(): Promise<void> {
  await eventually(async () => {
    const status = (await (await fetch(`${heliograph.pageUrl}/api/status`)).json()) as {
      journal: { segments: number; bytes: number };
      foreignSpans: number | null;
    };
    return status.journal.bytes === 0 && status.foreignSpans !== null ? true : undefined;
  }, 60_000);
}

test('acked is stored once through twenty kills', async () => {
  const draw = random(SEED);
  const senders = Array.from({ length: SENDERS }, sendForever);
  const victims: Victim[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(300 + draw() * 1200);
    const victim = (['engine', 'main', 'both'] as const)[Math.floor(draw() * 3)] ?? 'both';
    victims.push(victim);
    await kill(victim);
  }
  await sleep(500);
  stopping = true;
  await Promise.all(senders);
  await waitUntilLoaded();
  const { byTrace, rollup } = await stored();

  const wrong = [...fates].filter(([traceId, fate]) => {
    const count = byTrace.get(traceId) ?? 0;
    if (fate === 'acked') return count !== SPANS_PER_BODY;
    return count !== 0 && count !== SPANS_PER_BODY;
  });
  const acked = [...fates.values()].filter((fate) => fate === 'acked').length;
  console.info(`${ROUNDS} kills (${victims.join(' ')}): ${fates.size} bodies, ${acked} acked, ${byTrace.size} stored`);
  expect(wrong).toEqual([]);
  expect(acked).toBeGreaterThan(ROUNDS * 10);
  expect(rollup).toBe([...byTrace.values()].reduce((sum, count) => sum + count, 0));
}, 240_000);

/** Spans through the real engine, alerts through a real socket: a route becomes slow, and is well again. */
import { createHmac } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alertJobs } from '../../app/background/alerts.ts';
import { loadConfig } from '../../app/config/load.ts';
import { startMigratedEngine, type TestEngine } from '../support/engine.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { eventually } from '../support/heliograph-process.ts';
import { memoryLog } from '../support/memory-log.ts';
import {
  bodyOf,
  loadingSink,
  type Receiver,
  seedDeploys,
  seedSpans,
  startReceiver,
  writeIn,
  removeDir,
} from './harness.ts';

const MINUTE = 60_000;
/** A whole hour in the past, at which the window will end. */
const AT = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 2 * 3_600_000;
const PAGE = 'http://127.0.0.1:7070';

let engine: TestEngine;
let receiver: Receiver;
let dir: string;
const clock = new FakeClock(AT + 15_000);
const log = memoryLog();
const never = new AbortController().signal;

beforeAll(async () => {
  engine = await startMigratedEngine();
  receiver = await startReceiver();
  dir = mkdtempSync(join(tmpdir(), 'heliograph-alerts-'));
});
afterAll(async () => {
  await receiver.close();
  await engine.stop();
  await removeDir(dir);
});

function jobs() {
  const secretFile = writeIn(dir, 'webhook.secret', 'correct horse\n');
  const { config } = loadConfig({
    flags: { 'alerts.receivers': JSON.stringify([{ name: 'team', url: receiver.url, secretFile }]) },
    env: {},
    cwd: dir,
    readFile: () => undefined,
  });
  const rows = loadingSink(engine);
  const tasks = alertJobs({ config, pageUrl: PAGE, store: engine.store, rows, random: () => 0.5, clock, log });
  const run = async (id: string): Promise<void> => {
    const task = tasks.find((each) => each.id === id);
    if (task === undefined) throw new Error(`no task ${id}`);
    await task.run(never);
  };
  return { evaluate: () => run('alerts-evaluate'), deliver: () => run('alerts-deliver-team') };
}

/** `count` spans spread over [fromMs, toMs). */
const spread = (fromMs: number, toMs: number, count: number, durationMs: number): [number, number][] =>
  Array.from({ length: count }, (_, index) => [fromMs + Math.floor(((toMs - fromMs) * index) / count), durationMs]);

async function alertRows(): Promise<unknown[][]> {
  const { rows } = await engine.store.query({
    sql: 'SELECT status, isNull(ends_at), summary FROM boards.alerts(from = {from:DateTime}, to = {to:DateTime})',
    params: { from: Math.floor(clock.nowMs() / 1000) - 60, to: Math.floor(clock.nowMs() / 1000) + 1 },
  });
  return rows;
}

test('a latency jump fires once with its evidence, and resolves once', async () => {
  const slowFrom = AT - 3 * MINUTE;
  const fastSpans = spread(AT - 65 * MINUTE, slowFrom, 3000, 100);
  const slowSpans: [number, number][] = [...spread(slowFrom, AT, 400, 600), [AT - MINUTE, 900]];
  const before = fastSpans.filter(([startMs]) => startMs < AT - 5 * MINUTE).length;
  await seedSpans(engine, 'shop', '/pay', fastSpans);
  const slow = await seedSpans(engine, 'shop', '/pay', slowSpans);
  await seedSpans(engine, 'shop', '/steady', spread(AT - 65 * MINUTE, AT, 3000, 100));
  const deployedAt = slowFrom - 40_000;
  await seedDeploys(engine, [
    { atMs: deployedAt, service: 'shop', version: '1.9', sha: 'abc', id: 'd-9' },
    { atMs: deployedAt - 600_000, service: 'shop', version: '1.8', sha: 'aaa', id: 'd-8' },
    { atMs: deployedAt + 20_000, service: 'other', version: '7', id: 'd-x' },
  ]);

  const { evaluate, deliver } = jobs();
  await evaluate();
  await deliver();
  await evaluate();
  await deliver();
  expect(receiver.received).toHaveLength(1);
  const [first] = receiver.received;
  if (first === undefined) throw new Error('nothing received');
  const signature = createHmac('sha256', 'correct horse').update(first.body).digest('hex');
  expect(first.headers['x-heliograph-signature-256']).toBe(`sha256=${signature}`);
  const body = bodyOf(first);
  expect(body).toMatchObject({ version: '4', status: 'firing', receiver: 'team', externalURL: PAGE });
  const [alert] = body.alerts;
  expect(alert).toMatchObject({
    status: 'firing',
    labels: { alertname: 'LatencyJump', severity: 'warning', service: 'shop', route: '/pay' },
    startsAt: new Date(clock.nowMs()).toISOString(),
    endsAt: '0001-01-01T00:00:00Z',
    evidence: {
      kind: 'latency',
      before: {
        n: before,
        from: new Date(AT - 65 * MINUTE).toISOString(),
        to: new Date(AT - 5 * MINUTE).toISOString(),
      },
      after: { n: 3000 - before + slowSpans.length, to: new Date(AT).toISOString() },
      relativeError: 0.01,
      onset: new Date(slowFrom).toISOString(),
      suspectDeploy: { version: '1.9', sha: 'abc', repository: 'o/shop', id: 'd-9', source: 'event' },
      notes: [],
    },
  });
  const evidence = alert?.['evidence'] as {
    before: { p99Ms: number };
    after: { p99Ms: number };
    slowestTraces: { traceId: string }[];
  };
  expect(Math.abs(evidence.before.p99Ms - 100)).toBeLessThanOrEqual(1);
  expect(Math.abs(evidence.after.p99Ms - 600)).toBeLessThanOrEqual(6);
  expect(evidence.slowestTraces).toHaveLength(3);
  expect(evidence.slowestTraces[0]?.traceId).toBe(slow.at(-1));
  expect(alert?.['generatorURL']).toBe(
    `${PAGE}/d/heliograph-service-latency?var-service=shop&var-route=%2Fpay&from=${AT - 65 * MINUTE}&to=${AT}`,
  );
  await eventually(async () => ((await alertRows()).length === 1 ? true : undefined));
  expect(await alertRows()).toEqual([
    ['firing', 1, expect.stringMatching(/^p99 of \/pay in shop rose from \d+ ms to \d+ ms/)],
  ]);

  // It stays slow for half an hour: the sliding baseline is slow by then, the alert is still the same one.
  await seedSpans(engine, 'shop', '/pay', spread(AT, AT + 30 * MINUTE, 3000, 600));
  await clock.advance(30 * MINUTE);
  await evaluate();
  await evaluate();
  await evaluate();
  await clock.advance(2 * MINUTE);
  await evaluate();
  await deliver();
  expect(receiver.received).toHaveLength(1);

  await seedSpans(engine, 'shop', '/pay', spread(AT + 32 * MINUTE, AT + 40 * MINUTE, 1000, 100));
  await clock.advance(8 * MINUTE);
  for (let i = 0; i < 4; i++) {
    await evaluate();
    await deliver();
    await clock.advance(30_000);
  }
  expect(receiver.received).toHaveLength(2);
  const over = bodyOf(receiver.received[1] ?? first);
  expect(over).toMatchObject({ status: 'resolved' });
  expect(over.alerts[0]).toMatchObject({
    status: 'resolved',
    fingerprint: alert?.['fingerprint'],
    startsAt: alert?.['startsAt'],
    evidence: { resolution: 'recovered', suspectDeploy: { id: 'd-9' } },
  });
  expect(Date.parse(String(over.alerts[0]?.['endsAt']))).toBeGreaterThan(AT + 39 * MINUTE);
  await eventually(async () => ((await alertRows())[0]?.[0] === 'resolved' ? true : undefined));
  expect(await alertRows()).toHaveLength(1);
  const deliveries = await eventually(async () => {
    const { rows } = await engine.store.query({
      sql: 'SELECT status, attempt, outcome, http_status FROM heliograph.alert_deliveries FINAL ORDER BY time',
    });
    return rows.length >= 2 ? rows : undefined;
  });
  expect(deliveries).toEqual([
    ['firing', 1, 'delivered', 204],
    ['resolved', 1, 'delivered', 204],
  ]);
});

/** `kill -9` between decision and delivery, and in the middle of writing: what was decided is told, with the key it had. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseState } from '../../alerts/state.ts';
import { builtPath } from '../../core/paths.ts';
import { eventually, type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';
import { encodeRequest } from '../support/otlp-encode.ts';
import { bodyOf, startReceiver, removeDir } from './harness.ts';

const MINUTE = 60_000;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-kill-'));
});
afterEach(() => removeDir(dir));

/**
 * An hour of 100 ms, then six minutes of 600 ms, up to now. Windows begin on the minute, so some of the slow ones lie before the
 * window; the fast ones are so many that those stay under one in a hundred, wherever in the minute it is asked.
 */
function jump(nowMs: number): Buffer {
  const slow = Array.from({ length: 240 }, (_, index) => (index + 1) * 1500);
  const fast = Array.from({ length: 12_000 }, (_, index) => 6 * MINUTE + (index + 1) * 300);
  const spans = [...slow, ...fast].map((agoMs, index) => {
    const start = BigInt(nowMs - agoMs) * 1_000_000n;
    return {
      traceId: (index + 1).toString(16).padStart(32, '0'),
      spanId: (index + 1).toString(16).padStart(16, '0'),
      name: 'GET',
      kind: 2,
      startTimeUnixNano: start,
      endTimeUnixNano: start + (agoMs <= 6 * MINUTE ? 600_000_000n : 100_000_000n),
      attributes: [{ key: 'http.route', value: { stringValue: '/pay' } }],
    };
  });
  // The window holds 200 spans at this pace; the thresholds of the test ask for 100.
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
  return encodeRequest({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}

const outboxOf = (): { key: string; attempts: number }[] =>
  parseState(readFileSync(join(dir, 'alerts', 'state.json'), 'utf8')).outbox.slice();

async function killNow(heliograph: HeliographProcess): Promise<void> {
  process.kill(heliograph.pid, 'SIGKILL');
  await heliograph.exited;
}

test('an alert decided before a kill is told after it, however often, under one key', async () => {
  let receiver = await startReceiver();
  const port = Number(new URL(receiver.url).port);
  await receiver.close(); // nobody listens yet
  const start = (): Promise<HeliographProcess> =>
    spawnHeliograph(
      dir,
      {
        HELIOGRAPH_SELF_TELEMETRY_ENABLED: 'false',
        HELIOGRAPH_ALERTS_EVERY: '1s',
        HELIOGRAPH_ALERTS_RULES_LATENCY_MIN_COUNT: '100',
        HELIOGRAPH_ALERTS_RECEIVERS: JSON.stringify([{ name: 'team', url: receiver.url }]),
      },
      false,
    );
  let heliograph = await start();
  const sent = await fetch(`${heliograph.otlpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(jump(Date.now())),
  });
  expect(sent.status).toBe(200);
  const [decided] = await eventually(async () => (outboxOf().length > 0 ? outboxOf() : undefined));
  await killNow(heliograph);

  receiver = await startReceiver(port);
  receiver.answer = () => {}; // told, but the answer never comes
  heliograph = await start();
  await eventually(async () => receiver.received[0]);
  await killNow(heliograph);

  receiver.answer = (response) => response.writeHead(204).end();
  heliograph = await start();
  await eventually(async () => (outboxOf().length === 0 ? true : undefined));
  heliograph.child.kill('SIGTERM');
  await heliograph.exited;
  await receiver.close();
  const firing = receiver.received.filter((one) => bodyOf(one)['status'] === 'firing');
  expect(firing.length).toBeGreaterThanOrEqual(2);
  expect(new Set(firing.map(({ headers }) => headers['idempotency-key']))).toEqual(new Set([decided?.key]));
  expect(new Set(firing.map(({ body }) => body.toString())).size).toBe(1);
}, 120_000);

/** Writes ever newer states, and says which are durable. */
const WRITER = `
const { createStateFile } = await import(process.argv[1]);
const { EMPTY_STATE, serializeState } = await import(process.argv[2]);
const file = createStateFile(process.argv[3], { nowMs: () => 0 });
for (let n = 1; ; n++) {
  const machine = { open: {}, knownAtMs: { latency: n } };
  const records = { alerts: [], deliveries: [] };
  await file.write(serializeState({ ...EMPTY_STATE, machine, records }) + ' '.repeat(n % 7 * 10_000));
  process.stdout.write(n + '\\n');
}`;

test('a kill in the middle of writing leaves the state of before or after, never less than was said to be durable', async () => {
  const modules = ['app/alerts/state-file.ts', 'alerts/state.ts'].map((path) => pathToFileURL(builtPath(path)).href);
  for (let round = 0; round < 8; round++) {
    const at = join(dir, String(round));
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, ...modules, at], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = new Promise((resolve) => child.on('exit', resolve));
    let said = '';
    child.stdout.on('data', (chunk) => (said += String(chunk)));
    await eventually(async () => (said.split('\n').length > 3 + round ? true : undefined));
    child.kill('SIGKILL');
    await exited;
    const durable = Number(said.trimEnd().split('\n').at(-1));
    const { machine } = parseState(readFileSync(join(at, 'state.json'), 'utf8'));
    expect(machine.knownAtMs.latency).toBeGreaterThanOrEqual(durable);
    expect(machine.knownAtMs.latency).toBeLessThanOrEqual(durable + 2);
  }
}, 60_000);

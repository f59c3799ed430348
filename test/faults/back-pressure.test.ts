/**
 * A store that hangs, dies or is slow, and a disk without room: senders are told to wait, with a time that means something, nothing acked is
 * lost or stored twice, and it goes on without a restart.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { childrenOf } from '../../bench/support/process-stats.ts';
import { createStore } from '../../store/client.ts';
import { engineSocketPath } from '../../store/embedded/socket-path.ts';
import { eventually, type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';
import { typicalBody } from '../support/otlp-typical.ts';
import { quietLog } from '../support/quiet-log.ts';

const SPANS = 256;
/** The least that the setting takes: 64 MiB. */
const SMALL_BACKLOG = { HELIOGRAPH_SELF_TELEMETRY_ENABLED: 'false', HELIOGRAPH_JOURNAL_MAX_BACKLOG_GIB: '0.0625' };

let dataDir: string;
let heliograph: HeliographProcess;
let mounted: string | undefined;
let seed = 1;
let acked = 0;

afterEach(async () => {
  signalEngine('SIGCONT');
  heliograph.child.kill('SIGTERM');
  await heliograph.exited;
  if (mounted !== undefined) spawnSync('umount', ['-l', mounted], { stdio: 'ignore' });
  mounted = undefined;
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(env: Record<string, string>): Promise<void> {
  acked = 0;
  heliograph = await spawnHeliograph(dataDir, env);
}

const newDir = (): void => void (dataDir = mkdtempSync(join(tmpdir(), 'heliograph-back-pressure-')));

/** By process id, only what this test started. */
function signalEngine(signal: NodeJS.Signals): void {
  for (const pid of childrenOf(heliograph.pid)) process.kill(pid, signal);
}

async function send(): Promise<{ status: number; retryAfter: number }> {
  const body = typicalBody({ seed: seed++, spans: SPANS, nowNs: BigInt(Date.now()) * 1_000_000n });
  const answer = await fetch(`${heliograph.otlpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: Buffer.from(body),
  });
  await answer.arrayBuffer();
  if (answer.status === 200) acked++;
  return { status: answer.status, retryAfter: Number(answer.headers.get('retry-after')) };
}

/** Sends until a body is refused; returns the refusal. */
async function sendUntilRefused(): Promise<{ status: number; retryAfter: number }> {
  for (let i = 0; i < 3000; i++) {
    const answer = await send();
    if (answer.status !== 200) return answer;
  }
  throw new Error('never refused');
}

async function journalCheck(): Promise<{ ok: boolean; reason?: string }> {
  const answer = await fetch(`${heliograph.pageUrl}/readyz`);
  const { checks } = (await answer.json()) as { checks: { name: string; ok: boolean; reason?: string }[] };
  return checks.find(({ name }) => name === 'journal') ?? { ok: false, reason: 'no such check' };
}

/** Waits until nothing is left to load; then what was acked is there, each span once. */
async function expectAllStoredOnce(): Promise<void> {
  await eventually(async () => {
    const { depth } = (await (await fetch(`${heliograph.pageUrl}/api/journal`)).json()) as { depth: { bytes: number } };
    return depth.bytes === 0 ? true : undefined;
  }, 60_000);
  const store = createStore({ socketPath: engineSocketPath(dataDir), log: quietLog });
  try {
    const { rows } = await store.query({ sql: 'SELECT count(), uniqExact(TraceId, SpanId) FROM otel.otel_traces' });
    expect(rows).toEqual([[acked * SPANS, acked * SPANS]]);
  } finally {
    await store.close();
  }
}

test.each<NodeJS.Signals>(['SIGCONT', 'SIGKILL'])(
  'a store that hangs: the journal fills to its cap and refuses; after %s everything acked is stored once and bodies are taken again',
  async (mend) => {
    newDir();
    await start(SMALL_BACKLOG);
    expect((await send()).status).toBe(200);
    signalEngine('SIGSTOP');
    const refused = await sendUntilRefused();
    expect(refused.status).toBe(503);
    expect(refused.retryAfter).toBeGreaterThanOrEqual(1);
    expect(refused.retryAfter).toBeLessThanOrEqual(300);
    expect(acked).toBeGreaterThan(100);
    const check = await journalCheck();
    expect(check).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/its limit is 67108864\. Senders are told to wait \d+ s\./),
    });
    signalEngine(mend);
    await eventually(async () => ((await send()).status === 200 ? true : undefined), 60_000);
    await expectAllStoredOnce();
    expect(await journalCheck()).toMatchObject({ ok: true });
  },
  120_000,
);

test('a disk without room: bodies are refused while less than the reserve is free, and taken again once segments are loaded', async (context) => {
  newDir();
  mounted = join(dataDir, 'journal');
  mkdirSync(mounted);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=544m', 'tmpfs', mounted], { stdio: 'ignore' });
  if (status !== 0) mounted = undefined;
  await start({ HELIOGRAPH_SELF_TELEMETRY_ENABLED: 'false' });
  if (mounted === undefined) context.skip('no right to mount a tmpfs here');
  signalEngine('SIGSTOP');
  const refused = await sendUntilRefused();
  expect(refused.status).toBe(503);
  expect(refused.retryAfter).toBeGreaterThanOrEqual(1);
  expect((await journalCheck()).reason).toContain('must stay free');
  signalEngine('SIGCONT');
  await eventually(async () => ((await send()).status === 200 ? true : undefined), 60_000);
  await expectAllStoredOnce();
}, 120_000);

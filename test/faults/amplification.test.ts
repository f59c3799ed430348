/** Small bodies that the engine must unfold into large ones: a segment of them has to load, and bodies behind them too. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually, spawnHeliograph } from '../support/heliograph-process.ts';
import { encodeRequest } from '../support/otlp-encode.ts';

const BODIES = 12;
const SPANS = 400;

/** 400 spans under one resource of 300 kB: 330 kB on the wire, 120 MB once every span has its own copy. */
function wideBody(service: string, resourceBytes: number): Buffer {
  const startNs = BigInt(Date.now()) * 1_000_000n;
  const spans = Array.from({ length: SPANS }, () => ({
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    startTimeUnixNano: startNs,
  }));
  const attributes = [
    { key: 'service.name', value: { stringValue: service } },
    { key: 'process.command_args', value: { stringValue: randomBytes(resourceBytes / 2).toString('hex') } },
  ];
  return encodeRequest({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] });
}

test('resources that are copied to hundreds of spans neither stop the loader nor the bodies behind them', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'heliograph-wide-'));
  const heliograph = await spawnHeliograph(dataDir, { HELIOGRAPH_SELF_TELEMETRY_ENABLED: 'false' });
  const send = async (body: Buffer): Promise<number> =>
    (
      await fetch(`${heliograph.otlpUrl}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: Buffer.from(body),
      })
    ).status;
  try {
    const wide = await Promise.all(Array.from({ length: BODIES }, () => send(wideBody('wide', 300_000))));
    expect(wide).toEqual(wide.map(() => 200));
    expect(await send(wideBody('small', 100))).toBe(200);
    expect(await send(wideBody('over', 600_000))).toBe(400);
    const counts = await eventually(async () => {
      const answer = await fetch(`${heliograph.pageUrl}/api/query/services?from=now-1h&to=now%2B5m`);
      const { rows } = (await answer.json()) as { rows: { service: string; span_count: number }[] };
      const stored = Object.fromEntries(rows.map(({ service, span_count }) => [service, span_count]));
      return stored['wide'] === BODIES * SPANS && stored['small'] === SPANS ? stored : undefined;
    }, 50_000);
    expect(counts).toEqual({ wide: BODIES * SPANS, small: SPANS });
    expect(heliograph.stderr()).not.toContain('postponed');
  } finally {
    heliograph.child.kill('SIGTERM');
    await heliograph.exited;
    rmSync(dataDir, { recursive: true, force: true });
  }
});

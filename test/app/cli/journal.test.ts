/** `heliograph journal …` against the product itself: a body that the engine cannot read, among others that it can. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMANDS } from '../../../app/cli/commands.ts';
import { runCli } from '../../../app/cli/program.ts';
import { systemClock } from '../../../core/clock.ts';
import { createJournal } from '../../../ingest/journal/journal.ts';
import { quarantine } from '../../../ingest/journal/quarantine.ts';
import { PINNED_BLOCK_SETTINGS } from '../../../store/load.ts';
import { eventually, type HeliographProcess, spawnHeliograph } from '../../support/heliograph-process.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { encodeRequest } from '../../support/otlp-encode.ts';
import { captureIo } from './harness.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'heliograph-journal-cli-'));
const quarantineDir = join(dataDir, 'journal', 'quarantine');
let heliograph: HeliographProcess | undefined;
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

function bodyOf(service: string, count = 4): Buffer {
  const startNs = BigInt(Date.now()) * 1_000_000n;
  const spans = Array.from({ length: count }, (_, i) => ({
    traceId: Buffer.from(service.padEnd(16, '.').slice(0, 16)).toString('hex'),
    spanId: String(i + 1).padStart(16, '0'),
    name: `GET /${service}`,
    kind: 2,
    startTimeUnixNano: startNs,
    endTimeUnixNano: startNs + 5n,
    attributes: [{ key: 'user.email', value: { stringValue: 'ada@example.org' } }],
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  return encodeRequest({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}

/** Runs a command against this data directory, and the instance where it runs. */
async function journal(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const port = heliograph === undefined ? 1 : Number(new URL(heliograph.pageUrl).port);
  const io = captureIo();
  const code = await runCli(['journal', ...args, '--data-dir', dataDir, '--port', String(port)], COMMANDS, io);
  return { code, out: io.stdout, err: io.stderr };
}

/** Spans stored, by service. */
async function stored(): Promise<Record<string, number>> {
  const answer = await fetch(`${heliograph?.pageUrl}/api/query/services?from=now-1h&to=now%2B5m`);
  const { rows } = (await answer.json()) as { rows: { service: string; span_count: number }[] };
  return Object.fromEntries(rows.map(({ service, span_count }) => [service, span_count]));
}

beforeAll(async () => {
  const made = await createJournal({
    dir: join(dataDir, 'journal'),
    clock: systemClock,
    log: memoryLog(),
    options: { minFreeBytes: 0, retentionMs: () => 86_400_000, loadSettings: { ...PINNED_BLOCK_SETTINGS } },
  });
  const lane = made.lane('otlp_traces', 'protobuf', '');
  for (const bytes of [bodyOf('before'), bodyOf('broken').subarray(0, -3), bodyOf('after')])
    await lane.append({ bytes, items: 4 });
  await made.close(5000);
});

test('a stopped journal is read from its directory', async () => {
  const { code, out } = await journal('status');
  expect(code).toBe(0);
  expect(out).toMatch(/waiting +1 segments, .*the oldest for \d+ s/);
  expect(out).toContain('quarantine  0 bodies');
  expect(await journal('list')).toMatchObject({ code: 0, out: `0 in ${quarantineDir}\n` });
  expect(await journal('replay', 'x')).toMatchObject({
    code: 1,
    err: expect.stringContaining('no Heliograph answers'),
  });
  expect(await journal('explain', 'x')).toMatchObject({ code: 1, err: expect.stringContaining('not_found') });
});

test('what the engine could not read is listed, explained, not replayed in vain; what it can read is replayed once', async () => {
  heliograph = await spawnHeliograph(dataDir, { HELIOGRAPH_SELF_TELEMETRY_ENABLED: 'false' });
  try {
    const id = await eventually(async () => /^\S+\.\d+(?=  )/m.exec((await journal('list')).out)?.[0]);
    await eventually(async () => ((await stored())['after'] === 4 ? true : undefined));

    const explained = await journal('explain', id);
    expect(explained.out).toMatch(/The door refuses it: at byte \d+, .+\./);
    expect(explained.out).toMatch(/^reason .*\d/m);
    expect(explained.out).toContain('GET /broken');
    expect(explained.out).toContain('user.email');
    expect(explained.out).not.toContain('ada@example.org');
    expect(explained.out).toContain(`heliograph journal replay ${id}`);

    const inVain = await eventually(async () => {
      const answer = await journal('replay', id);
      return answer.out.includes('being loaded') ? undefined : answer;
    });
    expect(inVain).toMatchObject({ code: 1, out: expect.stringContaining('the store would refuse it again') });

    const item = { kind: 'unloaded', reason: 'r', signal: 'otlp_traces', segment: 's', offset: 0, team: '' } as const;
    await quarantine(quarantineDir, { ...item, format: 'protobuf', name: 'mended', bytes: bodyOf('mended'), items: 4 });
    const all = await journal('replay', '--all');
    expect(all.out).toContain('mended: replayed, 4 items');
    expect(all.code).toBe(1); // the other one was refused
    const again = await journal('replay', 'mended', '--json');
    expect(JSON.parse(again.out)).toMatchObject([{ outcome: 'already_replayed', items: 0 }]);
    expect(again.code).toBe(0);
    await eventually(async () => ((await stored())['mended'] === 4 ? true : undefined));
    expect(await stored()).toEqual({ before: 4, after: 4, mended: 4 });
    expect((await journal('list', '--replayed')).out).toContain('mended');

    const { out } = await journal('status');
    expect(out).toMatch(/takes bodies +yes/);
    expect(out).toMatch(/duplicates +0 acked/);
    expect((await journal('drop', id)).out).toBe(`${id}: dropped, ${bodyOf('broken').length - 3} bytes\n`);
    expect(await journal('drop', id)).toMatchObject({ code: 1 });
    expect(await journal('replay', id)).toMatchObject({ code: 1, err: expect.stringContaining('not_found') });

    const page = await fetch(`${heliograph.pageUrl}/api/journal/quarantine/mended/replay`, { method: 'POST' });
    expect(page.status).toBe(400); // no preflight, no replay
  } finally {
    heliograph.child.kill('SIGTERM');
    await heliograph.exited;
    heliograph = undefined;
  }
}, 60_000);

test('rows and damaged bytes are explained without their values', async () => {
  const item = { reason: 'r', segment: null, offset: null } as const;
  await quarantine(quarantineDir, {
    ...item,
    kind: 'unloaded',
    signal: 'commits',
    name: 'rows',
    bytes: Buffer.from('{"author":"ada"}\nnot json\n'),
  });
  const rows = await journal('explain', 'rows');
  expect(rows.out).toContain('2 rows; their keys:\n  1: author\n  2: not JSON');
  expect(rows.out).not.toContain('ada');
  await quarantine(quarantineDir, { ...item, kind: 'damaged', signal: null, name: 'hole', bytes: Buffer.alloc(9) });
  expect((await journal('explain', 'hole')).out).toContain('cannot be replayed');
  writeFileSync(join(quarantineDir, 'torn.json'), '{');
  expect((await journal('list')).out).toContain('the reason file cannot be read');
  expect(await journal('replay')).toMatchObject({ code: 2 });
});

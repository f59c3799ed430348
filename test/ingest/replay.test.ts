import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { OTLP_COLLECTORS } from '../../collectors/index.ts';
import { quarantine, type QuarantineItem } from '../../ingest/journal/quarantine.ts';
import { boundQuarantine, findQuarantined, shelveReplayed } from '../../ingest/journal/quarantine-shelf.ts';
import { createQuarantineKeeper } from '../../ingest/journal/quarantine-keeper.ts';
import type { DiskJournal } from '../../ingest/journal/types.ts';
import { createReplay, type ReplayOne } from '../../ingest/replay.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { memoryLog } from '../support/memory-log.ts';
import { typicalBody } from '../support/otlp-typical.ts';
import { openJournal, outcome, tempDir } from './journal/support.ts';

const START_MS = Date.parse('2026-03-01T12:00:00Z');
const spans = (seed: number): Buffer => typicalBody({ seed, spans: 8, nowNs: BigInt(START_MS) * 1_000_000n });

let dir: string;
let journal: DiskJournal;
let clock: FakeClock;
let replay: ReplayOne;
let trial: string | undefined;

async function open(): Promise<void> {
  journal = await openJournal(dir, {}, { clock });
  replay = createReplay({
    quarantineDir: journal.quarantineDir,
    journal,
    collectors: OTLP_COLLECTORS,
    trial: async () => trial,
    clock,
    log: memoryLog(),
  });
}

beforeEach(async () => {
  dir = tempDir();
  clock = new FakeClock(START_MS);
  trial = undefined;
  await open();
});

async function put(name: string, bytes: Uint8Array, item: Partial<QuarantineItem> = {}): Promise<void> {
  const defaults = {
    reason: 'r',
    signal: 'otlp_traces',
    segment: 's',
    offset: 0,
    kind: 'unloaded',
    team: 'a',
    format: 'protobuf',
    items: 8,
  } as const;
  await quarantine(journal.quarantineDir, { ...defaults, ...item, name, bytes });
}

async function waitingBodies(): Promise<string[]> {
  await journal.sealAll();
  return journal.sealed().map(({ signal, team, items }) => `${signal} ${team} ${items}`);
}

test('a body is stored in its team’s lane once; again, at once or later or after a restart, it is only said to have been', async () => {
  await put('x', spans(1));
  const both = await Promise.all([replay('x', false), replay('x', false)]);
  expect(both).toEqual([both[0], both[0]]);
  expect(both[0]).toEqual({ id: 'x', outcome: 'replayed', reason: '', items: 8 });
  expect(await replay('x', true)).toMatchObject({ outcome: 'already_replayed', items: 0 });
  await clock.advance(3_600_000);
  expect(await replay('x', true)).toMatchObject({ outcome: 'already_replayed' });
  expect(await waitingBodies()).toEqual(['otlp_traces a 8']);
  await open();
  expect(await replay('x', false)).toMatchObject({ outcome: 'already_replayed' });
  const found = await findQuarantined(journal.quarantineDir, 'x');
  expect(found).toMatchObject({ isReplayed: true, entry: { bytes: spans(1).length } });
});

test('rows go back to their lane as they were', async () => {
  await put('rows', Buffer.from('{"a":1}\n{"a":2}\n'), { signal: 'commits', format: 'ndjson', team: '', items: 2 });
  expect(await replay('rows', false)).toMatchObject({ outcome: 'replayed', items: 2 });
  expect(await waitingBodies()).toEqual(['commits  2']);
});

test('a crash between store and shelf: within ten minutes the window tells, after that nobody can, and it says so', async () => {
  await put('x', spans(1));
  await replay('x', false);
  const { entry } = (await findQuarantined(journal.quarantineDir, 'x')) ?? expect.fail('gone');
  const mark = readFileSync(`${entry.path}.json`);
  const putBack = (): void => {
    writeFileSync(join(journal.quarantineDir, 'x'), spans(1));
    writeFileSync(join(journal.quarantineDir, 'x.json'), mark);
  };
  putBack();
  expect(await replay('x', false)).toMatchObject({ outcome: 'already_replayed' });
  putBack();
  await clock.advance(10 * 60_000);
  expect(await replay('x', false)).toMatchObject({
    outcome: 'refused',
    reason: expect.stringContaining('was cut short'),
  });
  expect(await waitingBodies()).toEqual(['otlp_traces a 8']);
  expect(await replay('x', true)).toMatchObject({ outcome: 'replayed' });
});

test.each<[string, Buffer, Partial<QuarantineItem>, string]>([
  ['broken framing', spans(1).subarray(0, -3), {}, 'broken protobuf at byte'],
  ['a sample', spans(1), { kind: 'sample' }, 'would be rejected again'],
  ['damaged bytes', spans(1), { kind: 'damaged' }, 'not what was acked'],
  ['a signal nobody takes', spans(1), { signal: 'otlp_metrics' }, 'no collector takes otlp_metrics'],
  ['spans that are too old by now', typicalBody({ seed: 1, spans: 3, nowNs: 1n }), {}, 'would be rejected now'],
])('%s is refused, and stays', async (_, bytes, item, reason) => {
  await put('x', bytes, item);
  expect(await replay('x', true)).toEqual({
    id: 'x',
    outcome: 'refused',
    reason: expect.stringContaining(reason),
    items: 0,
  });
  expect(await findQuarantined(journal.quarantineDir, 'x')).toMatchObject({ isReplayed: false });
  expect(await waitingBodies()).toEqual([]);
});

test('what the store would refuse again is refused; what the journal refuses stays and can be tried again', async () => {
  await put('x', spans(1));
  trial = 'code 33';
  expect(await replay('x', false)).toMatchObject({
    outcome: 'refused',
    reason: 'the store would refuse it again: code 33',
  });
  trial = undefined;
  await journal.close(1000);
  expect(await outcome(replay('x', false))).toBe('shutting_down');
  await open();
  expect(await replay('x', false)).toMatchObject({ outcome: 'replayed' });
});

test('an item whose segment is still being loaded waits: until then the window would take it for stored', async () => {
  await journal.lane('otlp_traces', 'protobuf', 'a').append({ bytes: spans(1), items: 8 });
  await journal.sealAll();
  const { name = '' } = journal.sealed()[0] ?? {};
  await put('x', spans(1), { segment: name });
  expect(await replay('x', false)).toMatchObject({
    outcome: 'refused',
    reason: expect.stringContaining('being loaded'),
  });
  await journal.remove(name, [0]);
  expect(await replay('x', false)).toMatchObject({ outcome: 'replayed', items: 8 });
});

test.each(['nothing', '../x', ''])('the id %j is unknown', async (id) => {
  expect(await replay(id, false)).toMatchObject({ outcome: 'unknown' });
});

test('over its bounds the quarantine drops replayed items first, then the oldest, counts them and says so', async () => {
  const { quarantineDir } = journal;
  for (const name of ['a', 'b', 'c', 'd']) {
    await put(name, Buffer.alloc(100));
    await new Promise((resolve) => setTimeout(resolve, 5)); // file times tell them apart
  }
  await shelveReplayed(quarantineDir, 'd');
  expect(await boundQuarantine(quarantineDir, { maxBytes: 400, maxItems: 4 })).toMatchObject({ dropped: [] });
  const log = memoryLog();
  const keeper = createQuarantineKeeper(quarantineDir, { maxBytes: 250, maxItems: 4 }, log);
  await keeper.keep();
  expect(keeper.state()).toEqual({ items: 2, bytes: 200, replayedItems: 0, droppedItems: 2 });
  expect(readdirSync(quarantineDir).toSorted()).toEqual(['b', 'b.json', 'c', 'c.json', 'replayed']);
  expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
  const few = await boundQuarantine(quarantineDir, { maxBytes: 1000, maxItems: 1 });
  expect(few.dropped.map(({ name }) => name)).toEqual(['b']);
});

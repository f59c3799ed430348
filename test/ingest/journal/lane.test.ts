import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { listQuarantine } from '../../../ingest/journal/quarantine.ts';
import type { SealedSegment } from '../../../ingest/journal/types.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { body } from './body.ts';
import { DAY_MS, openJournal, outcome, tempDir, waiting } from './support.ts';

const START_MS = Date.parse('2026-03-01T12:00:00Z');
const HOUR_MS = 3_600_000;
const ns = (ms: number) => BigInt(ms) * 1_000_000n;

test('an appended body is read back from the sealed segment, with everything its loader needs', async () => {
  const dir = tempDir();
  const clock = new FakeClock(START_MS);
  const journal = await openJournal(dir, {}, { clock });
  const lane = journal.lane('traces', 'protobuf', 'payments');
  const bounds = lane.bounds();
  clock.stall(40);
  await Promise.all([lane.append(body(1, 100)), lane.append(body(2, 5000))]);
  expect(journal.sealed()).toEqual([]);
  await journal.sealAll();
  expect(journal.sealed()).toEqual([
    {
      name: expect.stringMatching(/^[0-9a-f]{16}-traces-0000000001$/),
      path: expect.stringMatching(/-traces-0000000001\.seg$/),
      indexPath: expect.stringMatching(/-traces-0000000001\.idx$/),
      signal: 'traces',
      format: 'protobuf',
      team: 'payments',
      ...bounds,
      openedMs: START_MS,
      firstAppendMs: START_MS + 40,
      bytes: 5100,
      bodies: 2,
      items: 3,
      loadSettings: { max_block_size: 65_536 },
    },
  ]);
  expect(await waiting(journal)).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

test('bounds are [now - retention, now + 1 h] of the moment they were fixed, for as long as the segment is open', async () => {
  const clock = new FakeClock(START_MS);
  const journal = await openJournal(
    tempDir(),
    { retentionMs: (signal) => (signal === 'traces' ? DAY_MS : HOUR_MS) },
    { clock },
  );
  const lane = journal.lane('traces', 'protobuf', '');
  expect(lane.bounds()).toEqual({ loNs: ns(START_MS - DAY_MS), hiNs: ns(START_MS + HOUR_MS) });
  expect(journal.lane('commits', 'ndjson', '').bounds().loNs).toBe(ns(START_MS - HOUR_MS));
  clock.stall(300);
  expect(lane.bounds().hiNs).toBe(ns(START_MS + HOUR_MS));
  clock.stall(10_000);
  expect(lane.bounds().hiNs).toBe(ns(START_MS + 10_300 + HOUR_MS));
});

test('a body always lands in a segment with the bounds that were handed out in its tick', async () => {
  const clock = new FakeClock(START_MS);
  const journal = await openJournal(tempDir(), { segmentMaxBytes: 1000 }, { clock });
  const lane = journal.lane('traces', 'protobuf', '');
  const handedOut = new Map<number, bigint>();
  const acks: Promise<unknown>[] = [];
  for (let id = 0; id < 200; id++) {
    clock.stall((id * 37) % 400);
    handedOut.set(id, lane.bounds().hiNs);
    acks.push(lane.append(body(id, 8 + ((id * 131) % 900))));
    if (id % 7 === 0) await clock.advance(0);
  }
  await Promise.all(acks);
  await journal.sealAll();
  const fixed = new Set<bigint>();
  let bodies = 0;
  for (const segment of journal.sealed()) {
    expect(segment.bytes).toBeLessThanOrEqual(1000);
    fixed.add(segment.hiNs);
    for await (const { bytes } of journal.readBodies(segment)) {
      expect(handedOut.get(bytes.readUInt32LE(0))).toBe(segment.hiNs);
      bodies++;
    }
  }
  expect(bodies).toBe(200);
  // 40 s went by: bounds do not stay for ever although every segment was followed by one with the same bounds.
  expect(fixed.size).toBeGreaterThanOrEqual(3);
});

test('a segment is sealed when it is old, and not before', async () => {
  const clock = new FakeClock(START_MS);
  const journal = await openJournal(tempDir(), { segmentMaxAgeMs: 500 }, { clock });
  const told: SealedSegment[] = [];
  const sealedOne = new Promise<void>((resolve) => {
    journal.onSealed((segment) => {
      told.push(segment);
      resolve();
    });
  });
  await journal.lane('traces', 'protobuf', '').append(body(1, 50));
  await clock.advance(499);
  expect(told).toEqual([]);
  expect(journal.depth()).toEqual({ segments: 1, bytes: 50, oldestMs: START_MS });
  await clock.advance(1);
  await sealedOne;
  expect(told).toEqual(journal.sealed());
  expect(journal.depth()).toEqual({ segments: 1, bytes: 50, oldestMs: START_MS });
});

test('a segment that fills fast is given longer than one that does not, and not for ever', async () => {
  const clock = new FakeClock(START_MS);
  const options = { segmentMaxAgeMs: 500, segmentFillMs: 700, segmentMaxBytes: 2400 };
  const journal = await openJournal(tempDir(), options, { clock });
  const told: string[] = [];
  journal.onSealed(({ team, bytes }) => told.push(`${team} ${bytes}`));
  await journal.lane('traces', 'protobuf', 'slow').append(body(1, 499));
  await journal.lane('traces', 'protobuf', 'fast').append(body(2, 500)); // half of 2400 in 1.2 s
  await clock.advance(500);
  await expect.poll(() => told).toEqual(['slow 499']);
  await clock.advance(600);
  await journal.lane('traces', 'protobuf', 'fast').append(body(3, 1500));
  expect(told).toHaveLength(1);
  await clock.advance(100);
  await expect.poll(() => told).toEqual(['slow 499', 'fast 2000']);
});

test('a full segment is sealed by the body that does not fit; one of the very size fits', async () => {
  const journal = await openJournal(tempDir(), { segmentMaxBytes: 1000, segmentMaxAgeMs: 60_000 });
  const lane = journal.lane('traces', 'protobuf', '');
  await Promise.all([body(1, 600), body(2, 400), body(3, 1000), body(4, 8)].map((one) => lane.append(one)));
  await journal.sealAll();
  expect(journal.sealed().map(({ bytes }) => bytes)).toEqual([1000, 1000, 8]);
});

test('lanes are apart by signal, format and team, and asking twice gives the same lane', async () => {
  const journal = await openJournal(tempDir());
  const line = { bytes: Buffer.from('{"a":1}\n'), items: 1 };
  expect(journal.lane('commits', 'ndjson', 'a')).toBe(journal.lane('commits', 'ndjson', 'a'));
  await Promise.all([
    journal.lane('commits', 'ndjson', 'a').append(line),
    journal.lane('commits', 'ndjson', 'b').append(line),
    journal.lane('commits', 'protobuf', 'a').append(line),
    journal.lane('runs', 'ndjson', 'a').append(line),
    journal.lane('commits', 'ndjson', 'a').append(line),
  ]);
  await journal.sealAll();
  const seen = journal.sealed().map(({ signal, format, team, bodies }) => `${signal}/${format}/${team}: ${bodies}`);
  expect(seen.toSorted()).toEqual([
    'commits/ndjson/a: 2',
    'commits/ndjson/b: 1',
    'commits/protobuf/a: 1',
    'runs/ndjson/a: 1',
  ]);
  expect(() => journal.lane('../x', 'ndjson', '')).toThrow('must match');
});

test('a body that cannot lie beside others is refused by name of the rule; its neighbours are kept', async () => {
  const journal = await openJournal(tempDir(), { segmentMaxBytes: 1000 });
  const lines = journal.lane('commits', 'ndjson', '');
  const spans = journal.lane('traces', 'protobuf', '');
  const outcomes = await Promise.all([
    outcome(lines.append({ bytes: Buffer.from('{"a":1}\n'), items: 1 })),
    outcome(lines.append({ bytes: Buffer.from('{"a":1}'), items: 1 })),
    outcome(spans.append(body(1, 1000))),
    outcome(spans.append(body(2, 1001))),
    outcome(spans.append({ bytes: new Uint8Array(0), items: 0 })),
  ]);
  expect(outcomes).toEqual(['ok', 'bad_request', 'ok', 'body_too_large', 'ok']);
  await journal.sealAll();
  expect(journal.sealed().map(({ bodies }) => bodies)).toEqual([1, 1]);
  expect(journal.stats().refused).toEqual({ journal_full: 0, journal_unavailable: 0, shutting_down: 0 });
});

test('a group of many MiB is one commit', async () => {
  const journal = await openJournal(tempDir());
  const lane = journal.lane('traces', 'protobuf', '');
  const MIB = 1024 * 1024;
  await Promise.all([1, 2, 3, 4].map((id) => lane.append(body(id, 3 * MIB + id))));
  await journal.sealAll();
  expect((await waiting(journal)).map(([id]) => id)).toEqual([1, 2, 3, 4]);
  expect(journal.stats()).toMatchObject({ commits: 1, bytes: 12 * MIB + 10 });
});

test('64 appenders at once share their commits', async () => {
  const journal = await openJournal(tempDir());
  const lane = journal.lane('traces', 'protobuf', '');
  const appender = async (first: number) => {
    for (let id = first; id < first + 20; id++) await lane.append(body(id, 200));
  };
  await Promise.all(Array.from({ length: 64 }, (_, i) => appender(i * 20)));
  await journal.sealAll();
  const { bodies, bytes, items, syncs, commits } = journal.stats();
  expect({ bodies, bytes }).toEqual({ bodies: 1280, bytes: 256_000 });
  expect((await waiting(journal)).map(([id]) => id).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 1280 }, (_, i) => i),
  );
  expect(items).toBe((await waiting(journal)).reduce((sum, [, count]) => sum + count, 0));
  expect(commits).toBeLessThan(bodies / 4);
  expect(syncs).toBeLessThan(bodies / 2);
});

test('a removed segment is gone from the disk, the depth and the next start; removing it again is no error', async () => {
  const dir = tempDir();
  const journal = await openJournal(dir);
  const lane = journal.lane('traces', 'protobuf', '');
  await lane.append(body(1, 300));
  await journal.sealAll();
  await lane.append(body(2, 300));
  await journal.sealAll();
  const [first] = journal.sealed();
  await journal.remove(first?.name ?? '');
  await journal.remove(first?.name ?? '');
  expect(journal.depth()).toMatchObject({ segments: 1, bytes: 300 });
  expect(readdirSync(dir).filter((file) => !file.endsWith('.dup'))).toHaveLength(2);
  expect(await waiting(await openJournal(dir))).toEqual([[2, 2]]);
});

test('names are never used twice in a directory, even when the machine draws the same random bytes again', async () => {
  const dir = tempDir();
  const draws = [1, 1, 1, 2];
  const random = (count: number) => new Uint8Array(count).fill(draws.shift() ?? 3);
  for (let start = 0; start < 2; start++) {
    const journal = await openJournal(dir, {}, { random });
    await journal.lane('traces', 'protobuf', '').append(body(start, 20));
    await journal.close(1000);
  }
  const names = (await openJournal(dir)).sealed().map(({ name }) => name);
  expect(names.toSorted()).toEqual(['0101010101010101-traces-0000000001', '0202020202020202-traces-0000000001']);
});

test('close refuses what comes and keeps what came', async () => {
  const clock = new FakeClock(START_MS);
  const dir = tempDir();
  const journal = await openJournal(dir, {}, { clock });
  const lane = journal.lane('traces', 'protobuf', '');
  const before = lane.append(body(1, 100));
  const closed = journal.close(5000);
  expect(await outcome(lane.append(body(2, 100)))).toBe('shutting_down');
  expect(await outcome(before)).toBe('ok');
  expect(await closed).toBe(true);
  expect(journal.sealed()).toHaveLength(1);
  expect(clock.timers).toBe(0);
  expect(journal.stats().refused.shutting_down).toBe(1);
});

test('a listener that throws costs neither the segment nor the next listener', async () => {
  const log = memoryLog();
  const journal = await openJournal(tempDir(), {}, { log });
  const told: string[] = [];
  journal.onSealed(() => {
    throw new Error('listener');
  });
  const stop = journal.onSealed(({ name }) => told.push(name));
  await journal.lane('traces', 'protobuf', '').append(body(1, 20));
  await journal.sealAll();
  stop();
  await journal.lane('traces', 'protobuf', '').append(body(2, 20));
  await journal.sealAll();
  expect(told).toEqual([journal.sealed()[0]?.name]);
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  expect(await listQuarantine(journal.quarantineDir)).toEqual([]);
});

test('options that break a rule are refused by name', async () => {
  const dir = tempDir();
  await expect(openJournal(dir, { segmentMaxBytes: 0 })).rejects.toThrow('segmentMaxBytes: must be above 0, got 0');
  await expect(openJournal(dir, { minFreeBytes: -1 })).rejects.toThrow('minFreeBytes: must not be below 0, got -1');
});

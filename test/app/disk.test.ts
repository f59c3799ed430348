/** The cap on disk use, on the real engine. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDiskKeeper, type DiskKeeper } from '../../app/disk.ts';
import { systemClock } from '../../core/clock.ts';
import type { RowSink } from '../../core/rows.ts';
import { listPartitions } from '../../store/partitions.ts';
import { engineSink } from '../support/engine-sink.ts';
import { startMigratedEngine, type TestEngine } from '../support/engine.ts';
import { memoryLog } from '../support/memory-log.ts';

const DAY_MS = 86_400_000;

let engine: TestEngine;
let rows: RowSink;
let log: ReturnType<typeof memoryLog>;

beforeAll(async () => {
  engine = await startMigratedEngine();
  rows = engineSink(engine);
});
afterAll(() => engine.stop());

const dayAgo = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

/** Spans that do not compress, on the given days before today. */
async function store(days: readonly number[], spans = 2000): Promise<void> {
  await engine.store.command({
    sql: `INSERT INTO otel.otel_traces (Timestamp, TraceId, SpanId, ServiceName, StatusMessage)
      SELECT toDateTime64(concat(toString(today() - arrayJoin([${days.join(', ')}])), ' 12:00:00'), 9),
        hex(generateUUIDv4()), hex(rand64()), 's', hex(randomString(64)) FROM numbers(${spans})`,
  });
}

async function spanDays(): Promise<string[]> {
  const { rows: found } = await engine.store.query({
    sql: 'SELECT DISTINCT toString(toDate(Timestamp)) AS day FROM otel.otel_traces ORDER BY day',
  });
  return found.map(([day]) => String(day));
}

const usedBytes = async (): Promise<number> =>
  (await listPartitions(engine.store, engine.layout)).partitions.reduce((sum, { bytes }) => sum + bytes, 0);

function keeper(capBytes: number | undefined, journalBytes = 0): DiskKeeper {
  log = memoryLog();
  const { store: client, layout } = engine;
  return createDiskKeeper({
    store: client,
    layout,
    rows,
    capBytes,
    journalBytes: () => journalBytes,
    clock: systemClock,
    log,
  });
}

test('without a cap it measures and drops nothing', async () => {
  await store([0, 1, 2, 3]);
  const disk = keeper(undefined);
  expect(disk.state().tableBytes).toBeNull();
  await disk.keep();
  expect(disk.state()).toMatchObject({ tableBytes: await usedBytes(), drops: [], isHeld: true });
  expect(await spanDays()).toHaveLength(4);
});

test('over the cap the oldest day goes, younger ones stay, and a row says so', async () => {
  const before = await usedBytes();
  const disk = keeper(before - 1);
  await disk.keep();
  expect(await spanDays()).toEqual([2, 1, 0].map(dayAgo));
  expect(disk.state()).toMatchObject({ isHeld: true, drops: [{ kind: 'spans' }] });
  expect(disk.state().tableBytes).toBeLessThan(before);
  const { rows: said } = await engine.store.query({
    sql: `SELECT kind, table, toString(first_day), row_count, text FROM boards.disk_drops(from = now() - 60, to = now() + 60)
      WHERE table = 'otel.otel_traces'`,
  });
  expect(said).toEqual([
    ['spans', 'otel.otel_traces', dayAgo(3), 2000, expect.stringContaining(`dropped spans of ${dayAgo(3)}`)],
  ]);
  expect(log.lines.filter(({ level }) => level === 'warn').length).toBeGreaterThan(0);
  await disk.keep();
  expect(await spanDays()).toHaveLength(3);
});

test('the journal counts towards the cap', async () => {
  const disk = keeper((await usedBytes()) + 1000, 1001);
  await disk.keep();
  expect(await spanDays()).toEqual([1, 0].map(dayAgo));
});

test('today goes last, and then the log says that the cap cannot be held', async () => {
  const disk = keeper(1);
  await disk.keep();
  expect(await spanDays()).toEqual([]);
  expect(disk.state().isHeld).toBe(false);
  const errors = log.lines.filter(({ level }) => level === 'error').map(({ message }) => message);
  expect(errors).toEqual(['disk.capGiB cannot be held: nothing older than today is left, so today’s data goes']);
  await disk.keep();
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
});

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { StoreError } from '../../../core/errors.ts';
import type { SegmentLoad, Store } from '../../../core/ports.ts';
import { createJournal } from '../../../ingest/journal/journal.ts';
import { listQuarantine, quarantine } from '../../../ingest/journal/quarantine.ts';
import { readBodies } from '../../../ingest/journal/read-bodies.ts';
import type { DiskJournal } from '../../../ingest/journal/types.ts';
import { type LoaderDeps, loadSegment, SegmentPostponed } from '../../../ingest/loader/load-segment.ts';
import { PINNED_BLOCK_SETTINGS } from '../../../store/load.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { typicalBody } from '../../support/otlp-typical.ts';

let engine: TestEngine;
let dir: string;
let journal: DiskJournal;
let deps: LoaderDeps;
const never = new AbortController().signal;

beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

beforeEach(async () => {
  await engine.store.command({ sql: 'TRUNCATE TABLE otel.otel_traces' });
  await engine.store.command({ sql: 'TRUNCATE TABLE heliograph.span_latency_1m' });
  dir = mkdtempSync(join(tmpdir(), 'heliograph-loader-'));
  mkdirSync(join(dir, 'scratch'));
  const log = memoryLog();
  journal = await createJournal({
    dir: join(dir, 'journal'),
    clock: systemClock,
    log,
    options: { retentionMs: () => 86_400_000, loadSettings: { ...PINNED_BLOCK_SETTINGS }, minFreeBytes: 0 },
  });
  deps = {
    store: engine.store,
    readBodies,
    quarantine: async ({ name, signal }, { offset, bytes }, reason) =>
      quarantine(journal.quarantineDir, { name: `${name}.${offset}`, signal, segment: name, offset, bytes, reason }),
    scratchDir: join(dir, 'scratch'),
    clock: systemClock,
    log,
  };
});
afterEach(async () => {
  await journal.close(1000);
  rmSync(dir, { recursive: true, force: true });
});

/** Puts bodies into one segment, past the door that would refuse the bad ones. */
async function segmentOf(bodies: Uint8Array[]) {
  const lane = journal.lane('otlp_traces', 'protobuf', '');
  await Promise.all(bodies.map((bytes) => lane.append({ bytes, items: 8 })));
  await journal.sealAll();
  const [segment] = journal.sealed();
  if (segment === undefined || journal.sealed().length !== 1) throw new Error('expected one segment');
  return segment;
}

const good = (seed: number): Buffer => typicalBody({ seed, spans: 8, nowNs: BigInt(Date.now()) * 1_000_000n });
const counts = async (): Promise<unknown[]> =>
  (
    await engine.store.query({
      sql: 'SELECT count(), uniqExact(SpanId), (SELECT sum(count) FROM heliograph.span_latency_1m) FROM otel.otel_traces',
    })
  ).rows[0] ?? [];

test('one bad body among good ones goes to quarantine with its reason, the others are stored once', async () => {
  const bad = good(99).subarray(0, -3);
  const segment = await segmentOf([good(1), good(2), good(3), bad, good(4), good(5)]);
  const report = await loadSegment(deps, segment, never);
  expect(report).toMatchObject({ quarantinedBodies: 1, items: 40 });
  expect(await counts()).toEqual([40, 40, 40]);
  const [kept] = await listQuarantine(journal.quarantineDir);
  expect(kept).toMatchObject({ signal: 'otlp_traces', segment: segment.name });
  expect(kept?.reason.length).toBeGreaterThan(10);
});

test('a crash in the middle of halving changes nothing: the same ranges carry the same tokens', async () => {
  const segment = await segmentOf([good(1), good(2).subarray(0, -3), good(3), good(4)]);
  const crash = new AbortController();
  let loads = 0;
  const store: Store = {
    ...engine.store,
    load: async (load: SegmentLoad) => {
      await engine.store.load(load);
      loads += 1;
      if (loads === 1) crash.abort(new Error('crash'));
    },
  };
  await expect(loadSegment({ ...deps, store }, segment, crash.signal)).rejects.toThrow('crash');
  await loadSegment(deps, segment, never);
  expect(await counts()).toEqual([24, 24, 24]);
});

test('an error that is not about the bytes is retried whole, never halved', async () => {
  const segment = await segmentOf([good(1), good(2)]);
  const tokens: string[] = [];
  const store: Store = {
    ...engine.store,
    load: async (load: SegmentLoad) => {
      tokens.push(load.token);
      if (tokens.length < 3) throw new StoreError('query_failed', 243, 'NOT_ENOUGH_SPACE');
      await engine.store.load(load);
    },
  };
  const report = await loadSegment({ ...deps, store }, segment, never);
  expect(tokens).toEqual([segment.name, segment.name, segment.name]);
  expect(report).toMatchObject({ attempts: 3, quarantinedBodies: 0 });
  expect(await counts()).toEqual([16, 16, 16]);
});

test('a segment that the store refuses each time is given back, so that others go on', async () => {
  const segment = await segmentOf([good(1)]);
  let attempts = 0;
  const store: Store = {
    ...engine.store,
    load: () => {
      attempts += 1;
      return Promise.reject(new StoreError('query_failed', 241, 'MEMORY_LIMIT_EXCEEDED'));
    },
  };
  const hurried = { ...systemClock, after: (_delayMs: number, fn: () => void) => systemClock.after(0, fn) };
  await expect(loadSegment({ ...deps, store, clock: hurried }, segment, never)).rejects.toThrow(SegmentPostponed);
  expect(attempts).toBe(8);
});

test('a store that does not answer is waited for, however long', async () => {
  const segment = await segmentOf([good(1)]);
  let attempts = 0;
  const store: Store = {
    ...engine.store,
    load: async (load: SegmentLoad) => {
      attempts += 1;
      if (attempts < 30) throw new StoreError('store_unavailable', 0, 'ECONNREFUSED');
      await engine.store.load(load);
    },
  };
  const hurried = { ...systemClock, after: (_delayMs: number, fn: () => void) => systemClock.after(0, fn) };
  await loadSegment({ ...deps, store, clock: hurried }, segment, never);
  expect(await counts()).toEqual([8, 8, 8]);
});

test('nothing but bad bodies: all are kept, none is stored, and it ends', async () => {
  const segment = await segmentOf([good(1).subarray(0, -1), good(2).subarray(0, -2), good(3).subarray(0, -5)]);
  expect(await loadSegment(deps, segment, never)).toMatchObject({ quarantinedBodies: 3, items: 0 });
  expect((await counts()).slice(0, 2)).toEqual([0, 0]);
  expect(await listQuarantine(journal.quarantineDir)).toHaveLength(3);
});

test('rows of an NDJSON signal take the same journal', async () => {
  const lane = journal.lane('source_minutes', 'ndjson', 'blue');
  const minutes = [60, 120, 180];
  await Promise.all(
    minutes.map((minute) =>
      lane.append({ bytes: Buffer.from(`${JSON.stringify({ source: 'git', minute })}\n`), items: 1 }),
    ),
  );
  await journal.sealAll();
  for (const segment of journal.sealed()) {
    await loadSegment(deps, segment, never);
    await loadSegment(deps, segment, never);
  }
  const { rows } = await engine.store.query({
    sql: "SELECT source, team, toUnixTimestamp(minute) FROM heliograph.source_minutes WHERE source = 'git' ORDER BY minute",
  });
  expect(rows).toEqual(minutes.map((minute) => ['git', 'blue', minute]));
});

import { readFileSync } from 'node:fs';
import { BroadcastChannel, Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Background, createBackground } from '../../../app/background/host.ts';
import { systemClock } from '../../../core/clock.ts';
import { PACKAGE_ROOT } from '../../../core/paths.ts';
import type { GitTipRow } from '../../../core/rows.ts';
import type { DiskJournal } from '../../../ingest/journal/types.ts';
import { openJournal, tempDir } from '../../ingest/journal/support.ts';
import { eventually } from '../../support/heliograph-process.ts';
import { memoryLog } from '../../support/memory-log.ts';

let journal: DiskJournal;
let background: Background;
let channel: BroadcastChannel;
let log: ReturnType<typeof memoryLog>;
let started = 0;
let marked: string[] = [];
let channels = 0;

const row = (tip: string): GitTipRow => ({ repository: 'r', branch: 'main', tip, collected_at_ms: 1 });
const up = (): number => log.lines.filter(({ message }) => message === 'thread is up').length;

beforeEach(async () => {
  log = memoryLog();
  journal = await openJournal(tempDir(), { maxPendingBytes: 3 * 1024 * 1024 });
  const name = `orders-${process.pid}-${++channels}`;
  channel = new BroadcastChannel(name);
  started = 0;
  marked = [];
  background = createBackground({
    startWorker: () => {
      started += 1;
      return new Worker(`${PACKAGE_ROOT}test/app/background/worker.mjs`, { workerData: { channel: name } });
    },
    journal,
    markCovered: (source) => void marked.push(source),
    onRun: () => {},
    clock: systemClock,
    log,
  });
  background.start();
  await eventually(async () => up() || undefined);
});
afterEach(async () => {
  channel.close();
  await background.stop(500);
  await journal.close(2000);
});

/** Has the thread append rows; resolves with what became of them. */
function append(rows: readonly GitTipRow[]): Promise<unknown> {
  return new Promise((resolve) => {
    channel.onmessage = (event) => resolve((event as { data: { outcome: unknown } }).data.outcome);
    channel.postMessage({ rows });
  });
}

test('rows of the thread are in the journal, line by line, when it is told that they are durable', async () => {
  expect(await append([row('a'), row('ü')])).toBe('durable');
  await journal.sealAll();
  const [segment] = journal.sealed();
  expect(segment).toMatchObject({ signal: 'git_tips', format: 'ndjson', items: 2 });
  const lines = readFileSync(segment?.path ?? '', 'utf8')
    .trimEnd()
    .split('\n');
  expect(lines.map((line) => JSON.parse(line) as GitTipRow)).toEqual([row('a'), row('ü')]);
});

test('many rows travel as several bodies, none of them cut inside a line', async () => {
  const rows = Array.from({ length: 30_000 }, (_, index) => row(String(index).padStart(60, '0')));
  expect(await append(rows.slice(0, 20_000))).toBe('durable');
  await journal.sealAll();
  expect(journal.sealed().reduce((sum, { items }) => sum + items, 0)).toBe(20_000);
  expect(journal.sealed().reduce((sum, { bodies }) => sum + bodies, 0)).toBeGreaterThan(1);
});

test('what the journal refuses is refused to the thread, with its code and when to come back', async () => {
  const rows = Array.from({ length: 60_000 }, (_, index) => row(String(index).padStart(60, '0')));
  expect(await append(rows)).toMatchObject({ code: 'journal_unavailable', retryAfterSeconds: expect.any(Number) });
  expect(await append([row('later')])).toBe('durable');
});

test('a thread that dies is started anew and counted', async () => {
  channel.postMessage({ crash: true });
  await eventually(async () => (up() === 2 ? true : undefined));
  expect(background.restarts()).toBe(1);
  expect(await append([row('again')])).toBe('durable');
});

test('what the thread marks as covered is marked here', async () => {
  channel.postMessage({ covered: 'targets' });
  expect(await eventually(async () => marked[0])).toBe('targets');
});

test('a stopped thread stays stopped, and one that does not answer is ended at the deadline', async () => {
  channel.postMessage({ ignoreStop: true });
  expect(await append([row('a')])).toBe('durable');
  await background.stop(300);
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(started).toBe(1);
});

test('lines of the thread stand in the log, errors as text', () => {
  expect(log.lines.find(({ message }) => message === 'thread is up')).toMatchObject({
    level: 'info',
    fields: { error: 'kept as text' },
  });
});

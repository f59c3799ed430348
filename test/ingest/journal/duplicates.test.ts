import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JournalBody } from '../../../core/ports.ts';
import type { DiskJournal } from '../../../ingest/journal/types.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { body } from './body.ts';
import { failure, RecordingFiles } from './recording-files.ts';
import { openJournal, outcome, tempDir, waiting, waitingIds } from './support.ts';

const MINUTE_MS = 60_000;

const send = (journal: DiskJournal, one: JournalBody, team = ''): Promise<{ duplicate: boolean }> =>
  journal.lane('traces', 'protobuf', team).append(one);

/** Seals, and takes every sealed segment for loaded. */
async function load(journal: DiskJournal): Promise<number[]> {
  await journal.sealAll();
  const ids = await waitingIds(journal);
  for (const { name } of journal.sealed()) await journal.remove(name);
  return ids;
}

test('the same bytes again within ten minutes are acked as a duplicate and stored once; after that they count again', async () => {
  const clock = new FakeClock();
  const journal = await openJournal(tempDir(), {}, { clock });
  expect(await send(journal, body(1, 100))).toEqual({ duplicate: false });
  expect(await send(journal, body(1, 100))).toEqual({ duplicate: true });
  expect(await send(journal, body(2, 100))).toEqual({ duplicate: false });
  await clock.advance(10 * MINUTE_MS - 1);
  expect(await send(journal, body(1, 100))).toEqual({ duplicate: true });
  await clock.advance(1);
  expect(await send(journal, body(1, 100))).toEqual({ duplicate: false });
  expect(await send(journal, body(1, 100))).toEqual({ duplicate: true });
  await journal.sealAll();
  expect((await waiting(journal)).map(([id]) => id)).toEqual([1, 2, 1]);
  expect(journal.stats()).toMatchObject({ bodies: 3, bytes: 300, duplicateBodies: 3, duplicateBytes: 300 });
  expect(journal.depth().bytes).toBe(300);
});

test('equal bytes of two teams, of two signals and of rows made here are bodies of their own', async () => {
  const journal = await openJournal(tempDir());
  const line = { bytes: Buffer.from('{"a":1}\n'), items: 1 };
  const lanes = [
    journal.lane('traces', 'protobuf', 'a'),
    journal.lane('traces', 'protobuf', 'b'),
    journal.lane('logs', 'protobuf', 'a'),
    journal.lane('commits', 'ndjson', ''),
    journal.lane('commits', 'ndjson', ''),
  ];
  for (const lane of lanes) expect(await lane.append(line)).toEqual({ duplicate: false });
  expect(journal.stats().duplicateBodies).toBe(0);
  expect(await lanes[1]?.append(line)).toEqual({ duplicate: true });
});

test('a repeat while the commit is under way waits for it, and is not acked before it is durable', async () => {
  const files = new RecordingFiles();
  const journal = await openJournal(tempDir(), {}, { files });
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const sync = files.fdatasync.bind(files);
  files.fdatasync = (fd) => held.then(() => sync(fd));
  const order: string[] = [];
  const original = send(journal, body(1, 100)).then(({ duplicate }) => order.push(`original ${duplicate}`));
  const repeats = [1, 2].map(() =>
    send(journal, body(1, 100)).then(({ duplicate }) => order.push(`repeat ${duplicate}`)),
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(order).toEqual([]);
  expect(journal.depth().bytes).toBe(300); // what waits is held in memory, so it counts
  release();
  await Promise.all([original, ...repeats]);
  expect(order).toEqual(['original false', 'repeat true', 'repeat true']);
  expect(journal.depth().bytes).toBe(100);
  await journal.sealAll();
  expect(await waitingIds(journal)).toEqual([1]);
});

test('if the original fails, one of the repeats is stored for real, within the bounds it was judged by', async () => {
  const files = new RecordingFiles();
  const clock = new FakeClock();
  const journal = await openJournal(tempDir(), {}, { files, clock });
  const lane = journal.lane('traces', 'protobuf', '');
  let failures = 0;
  files.fault = (operation, file) => {
    if (operation !== 'writev' || !file.endsWith('.seg') || failures > 0) return undefined;
    failures++;
    clock.stall(11_000); // by the time the repeat is offered again, the lane has other bounds
    later = lane.bounds();
    throw failure('EIO');
  };
  const judgedBy = lane.bounds();
  let later = judgedBy;
  const answers = [outcome(lane.append(body(1, 100))), lane.append(body(1, 100)), lane.append(body(1, 100))];
  expect(await Promise.all(answers)).toEqual(['journal_unavailable', { duplicate: false }, { duplicate: true }]);
  expect(later).not.toEqual(judgedBy);
  await journal.sealAll();
  expect(await waitingIds(journal)).toEqual([1]);
  expect(journal.sealed()).toMatchObject([judgedBy]);
});

test('a refused body is no original: it is stored when it is sent again', async () => {
  const journal = await openJournal(tempDir(), { maxBacklogBytes: 150 });
  await send(journal, body(1, 100));
  expect(await outcome(send(journal, body(2, 100)))).toBe('journal_full');
  expect(await send(journal, body(1, 100))).toEqual({ duplicate: true }); // needs no room
  await load(journal);
  expect(await send(journal, body(2, 100))).toEqual({ duplicate: false });
});

test.each([
  ['waits in the journal', async (): Promise<void> => {}],
  ['was loaded and deleted', load],
])('a restart does not forget: the original %s', async (_, before) => {
  const dir = tempDir();
  const clock = new FakeClock();
  const first = await openJournal(dir, {}, { clock });
  await Promise.all([send(first, body(1, 100)), send(first, body(2, 70_000), 'b')]);
  await before(first);
  // No close: the process is gone, its files are as they are.
  await clock.advance(9 * MINUTE_MS);
  const second = await openJournal(dir, {}, { clock });
  expect(await send(second, body(1, 100))).toEqual({ duplicate: true });
  expect(await send(second, body(2, 70_000), 'b')).toEqual({ duplicate: true });
  expect(await send(second, body(2, 70_000), 'a')).toEqual({ duplicate: false });
  await clock.advance(2 * MINUTE_MS);
  const third = await openJournal(dir, {}, { clock });
  expect(await send(third, body(1, 100))).toEqual({ duplicate: false });
  expect(await send(third, body(2, 70_000), 'a')).toEqual({ duplicate: true });
});

test('what is acked as a duplicate after a power loss is there, waiting or loaded', async () => {
  const files = new RecordingFiles();
  const journal = await openJournal(tempDir(), {}, { files });
  await send(journal, body(1, 100));
  await load(journal);
  await send(journal, body(2, 100));
  const left = tempDir();
  files.afterPowerLoss(left, () => 0);
  const after = await openJournal(left);
  expect(await Promise.all([1, 2].map((id) => send(after, body(id, 100))))).toEqual([
    { duplicate: true },
    { duplicate: true },
  ]);
});

test('a body that went to quarantine instead of the store may be sent again, after a restart too', async () => {
  const dir = tempDir();
  const journal = await openJournal(dir);
  for (const id of [1, 2, 3]) await send(journal, body(id, 100));
  await journal.sealAll();
  await journal.remove(journal.sealed()[0]?.name ?? '', [100]);
  for (const each of [journal, await openJournal(dir)]) {
    expect(await send(each, body(1, 100))).toEqual({ duplicate: true });
  }
  expect(await send(await openJournal(dir), body(2, 100))).toEqual({ duplicate: false });
  expect(await send(journal, body(2, 100))).toEqual({ duplicate: false });
});

test('the wall clock may be set without harm while the process lives; over a restart it moves the window by no more than its step', async () => {
  const dir = tempDir();
  const clock = new FakeClock();
  const journal = await openJournal(dir, {}, { clock });
  await send(journal, body(1, 100));
  for (const step of [-3, 6, -3]) {
    clock.stepWall(step * 60 * MINUTE_MS);
    expect(await send(journal, body(1, 100))).toEqual({ duplicate: true });
  }
  await load(journal);
  clock.stepWall(-60 * MINUTE_MS);
  const back = await openJournal(dir, {}, { clock });
  expect(await send(back, body(1, 100))).toEqual({ duplicate: true });
  await clock.advance(10 * MINUTE_MS);
  expect(await send(back, body(1, 100))).toEqual({ duplicate: false }); // not for the hour that the clock went back
});

test('torn, foreign and empty window files cost their own entries alone', async () => {
  const dir = tempDir();
  const journal = await openJournal(dir);
  for (const id of [1, 2]) {
    await send(journal, body(id, 100));
    await load(journal);
  }
  const [file = ''] = readdirSync(dir).filter((name) => name.endsWith('.dup'));
  truncateSync(join(dir, file), 8 + 28 + 11);
  writeFileSync(join(dir, 'a.dup'), '');
  writeFileSync(join(dir, 'b.dup'), 'not one of ours, but long enough to be read');
  const after = await openJournal(dir);
  expect(await send(after, body(1, 100))).toEqual({ duplicate: true });
  expect(await send(after, body(2, 100))).toEqual({ duplicate: false });
});

test('window files go once their time is over, and a disk that takes no more of them is said, not hidden', async () => {
  const dir = tempDir();
  const clock = new FakeClock();
  const files = new RecordingFiles();
  const journal = await openJournal(dir, {}, { clock, files });
  for (let minute = 0; minute < 40; minute++) {
    await send(journal, body(minute, 100));
    await load(journal);
    await clock.advance(MINUTE_MS);
  }
  expect(readdirSync(dir).filter((name) => name.endsWith('.dup')).length).toBeLessThan(11);
  files.fault = (_, file) => {
    if (file.endsWith('.dup')) throw failure('ENOSPC');
    return undefined;
  };
  await send(journal, body(100, 100));
  await load(journal);
  expect(journal.stats().window.unrecordedSegments).toBe(1);
  expect(journal.depth()).toMatchObject({ segments: 0, bytes: 0 });
  expect(await send(journal, body(100, 100))).toEqual({ duplicate: true });
});

type Step =
  | { do: 'send'; id: number; team: string }
  | { do: 'wait'; ms: number }
  | { do: 'load' }
  | { do: 'restart' }
  | { do: 'fail' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('send'), id: fc.nat(5), team: fc.constantFrom('', 'b') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.nat(4 * MINUTE_MS) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'load' }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' }) },
  { weight: 1, arbitrary: fc.constant({ do: 'fail' }) },
) as fc.Arbitrary<Step>;

test('over random histories the answers are those of a list of times, and what is stored is what was not a duplicate', async () => {
  const history = fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
    const dir = tempDir();
    const clock = new FakeClock();
    let files = new RecordingFiles();
    let journal = await openJournal(dir, {}, { clock, files });
    const storedMs = new Map<string, number>();
    const stored: string[] = [];
    const loaded: number[] = [];
    for (const one of steps) {
      if (one.do === 'wait') await clock.advance(one.ms);
      else if (one.do === 'load') loaded.push(...(await load(journal)));
      else if (one.do === 'restart') {
        await journal.sealAll();
        files = new RecordingFiles();
        journal = await openJournal(dir, {}, { clock, files });
      } else if (one.do === 'fail') {
        let calls = 0;
        files.fault = (operation) => {
          if (operation === 'writev' && calls++ === 0) throw failure('EIO');
          return undefined;
        };
      } else {
        const key = `${one.team} ${one.id}`;
        const isKnown = clock.nowMs() - (storedMs.get(key) ?? Number.NEGATIVE_INFINITY) < 10 * MINUTE_MS;
        const answer = await send(journal, body(one.id, 50), one.team).then(
          ({ duplicate }) => duplicate,
          () => undefined,
        );
        if (answer === undefined) continue;
        expect(answer).toBe(isKnown);
        if (answer) continue;
        storedMs.set(key, clock.nowMs());
        stored.push(key);
      }
    }
    files.fault = () => undefined;
    loaded.push(...(await load(journal)));
    expect(loaded.toSorted()).toEqual(stored.map((key) => Number(key.split(' ')[1])).toSorted());
  });
  await fc.assert(history, { numRuns: 60, seed: 20_260_301 });
}, 120_000);

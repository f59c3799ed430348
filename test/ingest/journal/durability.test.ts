import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { type Call, failure, RecordingFiles } from './recording-files.ts';
import { body } from './body.ts';
import { openJournal, outcome, tempDir, waiting, waitingIds } from './support.ts';

/** What is on the disk for certain, opened as after a power loss that took everything else. */
async function certain(files: RecordingFiles): Promise<number[]> {
  const dir = tempDir();
  files.afterPowerLoss(dir, () => 0);
  return waitingIds(await openJournal(dir));
}

function ends(calls: Call[]): string[] {
  return calls.filter(({ phase }) => phase === 'end').map(({ operation, file }) => `${operation} ${file.slice(-3)}`);
}

test('no body is acked before both files, and the name of a new one, are synced', async () => {
  const files = new RecordingFiles();
  const journal = await openJournal(tempDir(), { segmentMaxBytes: 4000 }, { files });
  const lane = journal.lane('traces', 'protobuf', '');
  const acked: number[] = [];
  const appender = async (first: number) => {
    for (let id = first; id < first + 8; id++) {
      await lane.append(body(id, 100 + ((id * 71) % 900)));
      acked.push(id);
      const missing = new Set(acked);
      for (const kept of await certain(files)) missing.delete(kept);
      expect([...missing]).toEqual([]);
    }
  };
  await Promise.all([appender(0), appender(100), appender(200)]);
  expect(acked).toHaveLength(24);
});

test('a commit is one write and one sync of each file; a new segment has its header written and the directory synced too', async () => {
  const files = new RecordingFiles();
  const journal = await openJournal(tempDir(), {}, { files });
  const lane = journal.lane('traces', 'protobuf', '');
  files.calls.length = 0;
  await Promise.all([lane.append(body(1, 100)), lane.append(body(2, 100)), lane.append(body(3, 100))]);
  expect(ends(files.calls).slice(0, 3)).toEqual(['create seg', 'create idx', 'writev idx']);
  expect(ends(files.calls).slice(3, 5).toSorted()).toEqual(['writev idx', 'writev seg']);
  expect(ends(files.calls).slice(5).toSorted()).toEqual([
    'fdatasync idx',
    'fdatasync seg',
    `syncDir ${files.calls.find(({ operation }) => operation === 'syncDir')?.file.slice(-3)}`,
  ]);
  files.calls.length = 0;
  await Promise.all([lane.append(body(4, 100)), lane.append(body(5, 100))]);
  expect(ends(files.calls).toSorted()).toEqual(['fdatasync idx', 'fdatasync seg', 'writev idx', 'writev seg']);
  expect(journal.stats()).toMatchObject({ commits: 2, syncs: 5, bodies: 5 });
});

test('more bodies than one system call takes, and writes that end short, are carried on', async () => {
  const files = new RecordingFiles();
  files.fault = (operation, file) => (operation === 'writev' && file.endsWith('.seg') ? 4097 : undefined);
  for (const journal of [await openJournal(tempDir()), await openJournal(tempDir(), {}, { files })]) {
    const lane = journal.lane('traces', 'protobuf', '');
    await Promise.all(Array.from({ length: 2500 }, (_, id) => lane.append(body(id, 10 + (id % 50)))));
    await journal.sealAll();
    expect((await waiting(journal)).map(([id]) => id)).toEqual(Array.from({ length: 2500 }, (_, id) => id));
    expect(journal.stats().commits).toBe(1);
  }
});

test('a failed write costs its group alone: the files are cut back and the segment goes on', async () => {
  const files = new RecordingFiles();
  const journal = await openJournal(tempDir(), { segmentMaxBytes: 200 }, { files });
  const lane = journal.lane('traces', 'protobuf', '');
  await lane.append(body(1, 100));
  for (const [extension, code, refusal] of [
    ['.seg', 'EIO', 'journal_unavailable'],
    ['.idx', 'EIO', 'journal_unavailable'],
    ['.seg', 'EDQUOT', 'journal_full'],
    ['.idx', 'ENOSPC', 'journal_full'],
  ] as const) {
    let writes = 0;
    files.fault = (operation, file) => {
      if (operation !== 'writev' || !file.endsWith(extension)) return undefined;
      if (writes++ > 0) throw failure(code);
      return 30; // a short write first, as a disk that fills up gives it
    };
    files.calls.length = 0;
    expect(await outcome(lane.append(body(2, 100)))).toBe(refusal);
    files.fault = () => undefined;
    // The cut is durable before the refusal, so that a refused body does not come back after a power loss.
    const undone = ends(files.calls).filter((call) => !call.startsWith('writev'));
    expect(undone.slice(0, 2)).toEqual(['truncate idx', 'truncate seg']);
    expect(undone.slice(2).toSorted()).toEqual(['fdatasync idx', 'fdatasync seg']);
  }
  await lane.append(body(3, 100));
  await journal.sealAll();
  expect(journal.sealed()).toHaveLength(1);
  expect((await waiting(journal)).map(([id]) => id)).toEqual([1, 3]);
  expect(journal.depth().bytes).toBe(200);
  expect(journal.stats().refused).toMatchObject({ journal_full: 2, journal_unavailable: 2 });
});

test.each(['.seg', '.idx'])(
  'a failed fdatasync of the %s file is never tried again; what waits goes to a fresh segment',
  async (extension) => {
    const files = new RecordingFiles();
    const log = memoryLog();
    const journal = await openJournal(tempDir(), {}, { files, log });
    const lane = journal.lane('traces', 'protobuf', '');
    await lane.append(body(1, 100));
    let failed = false;
    const later: Promise<unknown>[] = [];
    files.fault = (operation, file) => {
      if (operation !== 'fdatasync' || !file.endsWith(extension) || failed) return undefined;
      failed = true;
      later.push(lane.append(body(3, 100))); // arrives while the commit is under way
      throw failure('EIO');
    };
    const bounds = lane.bounds();
    expect(await outcome(lane.append(body(2, 100)))).toBe('journal_unavailable');
    await Promise.all(later);
    await lane.append(body(4, 100));
    await journal.sealAll();
    const ids: number[][] = [];
    for (const segment of journal.sealed()) {
      const inIt: number[] = [];
      for await (const { bytes } of journal.readBodies(segment)) inIt.push(bytes.readUInt32LE(0));
      ids.push(inIt);
      expect(segment).toMatchObject(bounds);
    }
    expect(ids).toEqual([[1], [3, 4]]);
    expect(await certain(files)).toEqual([1, 3, 4]);
    const broken = journal.sealed()[0]?.name;
    const syncs = files.calls.filter(
      ({ operation, file, phase }) =>
        operation === 'fdatasync' && phase === 'begin' && file === `${broken}${extension}`,
    );
    expect(syncs).toHaveLength(2);
    expect(log.lines.map(({ message }) => message)).toContain('the journal takes bodies again');
  },
);

test.each(['create', 'fdatasync', 'syncDir'] as const)(
  'a first commit that fails in %s leaves nothing behind',
  async (operation) => {
    const files = new RecordingFiles();
    const journal = await openJournal(tempDir(), {}, { files });
    const lane = journal.lane('traces', 'protobuf', '');
    let failures = 0;
    files.fault = (asked, file) => {
      if (asked !== operation || failures > 0 || file.endsWith('.seg')) return undefined;
      failures++;
      throw failure('ENOSPC');
    };
    expect(await outcome(lane.append(body(1, 100)))).toBe('journal_full');
    expect(failures).toBe(1);
    expect(await outcome(lane.append(body(2, 100)))).toBe('ok');
    await journal.sealAll();
    expect(await waitingIds(journal)).toEqual([2]);
    expect(journal.depth()).toMatchObject({ segments: 1, bytes: 100 });
  },
);

test('a segment that cannot be cut is kept from the loader until it is, and holds up nobody', async () => {
  const files = new RecordingFiles();
  const clock = new FakeClock();
  const journal = await openJournal(tempDir(), {}, { files, clock });
  const lane = journal.lane('traces', 'protobuf', '');
  await lane.append(body(1, 100));
  files.fault = (operation, file) => {
    if (operation === 'writev' && file.endsWith('.seg')) return 30;
    if (operation === 'fdatasync' || operation === 'truncate') throw failure('EIO');
    return undefined;
  };
  expect(await outcome(lane.append(body(2, 100)))).toBe('journal_unavailable');
  files.fault = (operation) => {
    if (operation === 'truncate') throw failure('EIO');
    return undefined;
  };
  await lane.append(body(3, 100));
  expect(journal.sealed()).toEqual([]);
  expect(journal.depth()).toMatchObject({ segments: 2, bytes: 200 });
  files.fault = () => undefined;
  const sealed = new Promise<void>((resolve) => journal.onSealed(() => resolve()));
  await clock.advance(499);
  await clock.advance(1); // the second segment is due
  await sealed;
  await clock.advance(100);
  await lane.append(body(4, 100));
  await clock.advance(399); // the third is open while the first is cut at last
  const cut = new Promise<void>((resolve) => journal.onSealed(() => resolve()));
  await clock.advance(1);
  await cut;
  await lane.append(body(5, 100));
  await journal.sealAll();
  expect(await waitingIds(journal)).toEqual([1, 3, 4, 5]);
  expect(journal.depth()).toMatchObject({ segments: 3, bytes: 400 });
});

test.each(['.idx', '.seg', 'gone'])(
  'a deletion that stops at the %s file is finished by the next one, or by the next start',
  async (extension) => {
    const files = new RecordingFiles();
    const dir = tempDir();
    const journal = await openJournal(dir, {}, { files });
    await journal.lane('traces', 'protobuf', '').append(body(1, 100));
    await journal.sealAll();
    const { name } = journal.sealed()[0] ?? expect.fail('nothing sealed');
    files.fault = (operation, file) => {
      if ((operation === 'unlink' || operation === 'rename') && file.endsWith(extension)) throw failure('EIO');
      return undefined;
    };
    expect(await outcome(journal.remove(name))).toBe('EIO');
    expect(journal.depth()).toMatchObject({ segments: 1, bytes: 100 });
    const elsewhere = tempDir();
    for (const file of readdirSync(dir)) copyFileSync(join(dir, file), join(elsewhere, file));
    const { recovered } = await openJournal(elsewhere);
    expect(recovered).toMatchObject({ segments: extension === '.idx' ? 1 : 0, quarantined: 0, left: 0 });
    files.fault = () => undefined;
    await journal.remove(name);
    expect(journal.depth()).toMatchObject({ segments: 0, bytes: 0 });
    expect(readdirSync(dir).filter((file) => !file.endsWith('.dup'))).toEqual([]);
  },
);

test('close gives up at its deadline; what was acked is there at the next start', async () => {
  const files = new RecordingFiles();
  const clock = new FakeClock();
  const dir = tempDir();
  const journal = await openJournal(dir, {}, { files, clock });
  const lane = journal.lane('traces', 'protobuf', '');
  await lane.append(body(1, 100));
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const sync = files.fdatasync.bind(files);
  files.fdatasync = (fd) => held.then(() => sync(fd));
  const waitsForDisk = lane.append(body(2, 100));
  const closed = journal.close(5000);
  await clock.advance(4999);
  await clock.advance(1);
  expect(await closed).toBe(false);
  expect(await certain(files)).toEqual([1]);
  release();
  expect(await outcome(waitsForDisk)).toBe('ok');
});

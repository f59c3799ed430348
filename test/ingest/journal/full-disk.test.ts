/** A disk that really is full: a small tmpfs. Needs the right to mount, so it runs as root on Linux and is skipped elsewhere. */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { body } from './body.ts';
import { openJournal, outcome, tempDir, waitingIds } from './support.ts';

function mount(dir: string): boolean {
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { stdio: 'ignore' });
  if (status === 0) onTestFinished(() => void spawnSync('umount', ['-l', dir], { stdio: 'ignore' }));
  return status === 0;
}

test('a full disk refuses, keeps every acked body, and takes bodies again once there is space, without a restart', async (context) => {
  const dir = tempDir();
  if (!mount(dir)) context.skip('no right to mount a tmpfs here');
  const log = memoryLog();
  const journal = await openJournal(dir, { segmentMaxBytes: 200_000, segmentMaxAgeMs: 60_000 }, { log });
  const lane = journal.lane('traces', 'protobuf', '');
  const acked: number[] = [];
  const refusals = new Set<string>();
  const send = async (id: number) => {
    const answer = await outcome(lane.append(body(id, 30_000 + ((id * 977) % 9000))));
    if (answer === 'ok') acked.push(id);
    else refusals.add(answer);
  };
  for (let id = 0; id < 60; id += 3) await Promise.all([send(id), send(id + 1), send(id + 2)]);
  expect([...refusals]).toEqual(['journal_full']);
  expect(acked.length).toBeGreaterThan(10);
  expect(acked.length).toBeLessThan(40);
  expect(journal.room().full).toBe('The disk of the journal is full.');
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);

  const filler = join(dir, 'filler');
  try {
    writeFileSync(filler, Buffer.alloc(1_000_000)); // takes what is left, however little
  } catch {
    expect(await outcome(lane.append(body(998, 10_000)))).toBe('journal_full');
  }
  rmSync(filler, { force: true });
  await journal.sealAll();
  const first = journal.sealed()[0] ?? expect.fail('nothing sealed');
  const gone = new Set<number>();
  for await (const { bytes } of journal.readBodies(first)) gone.add(bytes.readUInt32LE(0));
  await journal.remove(first.name);
  await Promise.all([send(100), send(101)]);
  expect(acked.slice(-2).toSorted((a, b) => a - b)).toEqual([100, 101]);
  expect(journal.room().full).toBeUndefined();
  await journal.sealAll();
  const expected = acked.filter((id) => !gone.has(id)).toSorted((a, b) => a - b);
  expect(await waitingIds(journal)).toEqual(expected);
  expect(await waitingIds(await openJournal(dir))).toEqual(expected);
});

test('appends stop while less than minFreeBytes is free; the disk is asked once a second', async (context) => {
  const dir = tempDir();
  if (!mount(dir)) context.skip('no right to mount a tmpfs here');
  const clock = new FakeClock();
  const journal = await openJournal(dir, { minFreeBytes: 500_000 }, { clock });
  const lane = journal.lane('traces', 'protobuf', '');
  expect(await outcome(lane.append(body(1, 100_000)))).toBe('ok');
  writeFileSync(join(dir, 'other'), Buffer.alloc(500_000));
  await clock.advance(1000);
  expect(await outcome(lane.append(body(2, 100_000)))).toBe('journal_full');
  expect(journal.room().full).toMatch(/^The disk of the journal has \d+ bytes free; 500000 must stay free\.$/);
  rmSync(join(dir, 'other'));
  expect(await outcome(lane.append(body(3, 100_000)))).toBe('journal_full');
  await clock.advance(1000);
  expect(await outcome(lane.append(body(4, 100_000)))).toBe('ok');
  expect(await outcome(lane.append(body(5, 400_000)))).toBe('journal_full');
  await journal.sealAll();
  expect(await waitingIds(journal)).toEqual([1, 4]);
});

test('appends stop at maxBacklogBytes and go on when the loader has caught up', async () => {
  const journal = await openJournal(tempDir(), { maxBacklogBytes: 1000 });
  const lane = journal.lane('traces', 'protobuf', '');
  const answers = await Promise.all([body(1, 600), body(2, 500), body(3, 400)].map((one) => outcome(lane.append(one))));
  expect(answers).toEqual(['ok', 'journal_full', 'ok']);
  await expect(lane.append(body(4, 10))).rejects.toMatchObject({ code: 'journal_full', retryAfterSeconds: 300 });
  expect(journal.room()).toMatchObject({
    full: expect.stringContaining('its limit is 1000'),
    retryAfterSeconds: 300,
    backlogLeftBytes: 0,
  });
  await journal.sealAll();
  await journal.remove(journal.sealed()[0]?.name ?? '');
  expect(journal.room().full).toBeUndefined();
  expect(await outcome(lane.append(body(5, 1000)))).toBe('ok');
  expect(journal.stats().refused.journal_full).toBe(2);
});

test('what an earlier process left counts towards the backlog', async () => {
  const dir = tempDir();
  const earlier = await openJournal(dir);
  await earlier.lane('traces', 'protobuf', '').append(body(1, 900));
  await earlier.close(1000);
  const journal = await openJournal(dir, { maxBacklogBytes: 1000 });
  expect(await outcome(journal.lane('traces', 'protobuf', '').append(body(2, 200)))).toBe('journal_full');
});

test('bodies that wait for a stalled disk are bounded', async () => {
  const journal = await openJournal(tempDir(), { maxPendingBytes: 1000 });
  const lane = journal.lane('traces', 'protobuf', '');
  const answers = await Promise.all([body(1, 600), body(2, 600), body(3, 400)].map((one) => outcome(lane.append(one))));
  expect(answers).toEqual(['ok', 'journal_unavailable', 'ok']);
  expect(await outcome(lane.append(body(4, 1000)))).toBe('ok');
});

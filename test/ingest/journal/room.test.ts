import { expect, test } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { body } from './body.ts';
import { openJournal, tempDir } from './support.ts';

test('a refused sender is told how long the loader needs for what is too much, going by what it has loaded lately', async () => {
  const clock = new FakeClock();
  const journal = await openJournal(tempDir(), { maxBacklogBytes: 10_000, segmentMaxBytes: 1000 }, { clock });
  const lane = journal.lane('traces', 'protobuf', '');
  let id = 0;
  const fill = async (): Promise<number> => {
    for (;;) {
      try {
        await lane.append(body(id++, 1000));
      } catch (error) {
        return (error as { retryAfterSeconds: number }).retryAfterSeconds;
      }
    }
  };
  const load = async (): Promise<void> => {
    await journal.sealAll();
    await journal.remove(journal.sealed()[0]?.name ?? '');
  };
  expect(await fill()).toBe(300); // nothing was ever loaded: nobody can tell
  for (let second = 0; second < 120; second++) {
    await clock.advance(1000);
    await load();
    await fill();
  }
  expect(journal.stats().drainBytesPerSecond).toBeGreaterThan(900);
  expect(journal.stats().drainBytesPerSecond).toBeLessThan(1100);
  await expect(lane.append(body(id++, 500))).rejects.toMatchObject({ retryAfterSeconds: 1 });
  expect(journal.room()).toMatchObject({ retryAfterSeconds: 1, backlogLeftBytes: 0, maxBacklogBytes: 10_000 });
  await clock.advance(60_000); // the store hangs
  const later = await fill();
  expect(later).toBeGreaterThanOrEqual(7);
  expect(later).toBeLessThanOrEqual(9);
  await clock.advance(600_000);
  expect(await fill()).toBe(300);
  await load();
  expect(journal.room()).toMatchObject({ full: undefined, retryAfterSeconds: null, backlogLeftBytes: 1000 });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { loadProfiles, loadRows, pollAt, rowsOf, type SeedProfile, stackOf } from '../../support/profile-rows.ts';

/** The newest whole minute, so that windows of 60 s end in the past. */
const TO_S = Math.floor(Date.now() / 60_000) * 60;
const IDLE = 'main.main;net/http.(*Server).Serve;internal/poll.runtime_pollWait;runtime.gopark';
const LEAK = 'main.serve.func1;main.leak;runtime.chanrecv1;runtime.gopark';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

/** Four polls in each of four windows of a minute, oldest first; `null` is a poll without the leaking stack. */
async function seed(service: string, windows: readonly (readonly (number | null)[])[], leak = LEAK): Promise<void> {
  const profiles = windows.flatMap((counts, window): SeedProfile[] =>
    counts.map((count, poll) => ({
      service,
      target: `${service}-1`,
      atMs: (TO_S - (windows.length - window) * 60 + poll * 15) * 1000,
      stacks: { [IDLE]: 3, ...(count === null ? {} : { [leak]: count }) },
    })),
  );
  await loadProfiles(engine, profiles);
}

const suspects = (service: string, windows = 4): Promise<Record<string, unknown>[]> =>
  rowsOf(
    engine,
    `SELECT *, toUnixTimestamp(since) AS since_s FROM boards.goroutine_suspects(to = toDateTime(${TO_S}), window = 60, windows = ${windows}) WHERE service = '${service}'`,
  );

describe('goroutine_suspects', () => {
  test('names a stack whose minimum rises by one from window to window, with its evidence', async () => {
    await seed('slow', [
      [null, 5, 9, 2],
      [1, 7, 7, 7],
      [2, 8, 2, 9],
      [3, 3, 3, 4],
    ]);
    const rows = await suspects('slow');
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      target: 'slow-1',
      stack: stackOf(LEAK),
      function: 'main.leak',
      location: 'main.go:2',
      functions: LEAK.split(';'),
      minima: [0, 1, 2, 3],
      first_minimum: 0,
      last_minimum: 3,
      growth: 3,
      since_s: TO_S - 240,
      polls: 16,
    });
  });

  test.each([
    [
      'a poll without the stack counts 0',
      [
        [1, 1, 1, 1],
        [2, 2, 2, 2],
        [3, null, 3, 3],
        [4, 4, 4, 4],
      ],
    ],
    [
      'a window as high as the one before',
      [
        [1, 1, 1, 1],
        [2, 2, 2, 2],
        [2, 3, 3, 3],
        [4, 4, 4, 4],
      ],
    ],
    [
      'a fall at a restart',
      [
        [5, 6, 7, 8],
        [9, 10, 11, 12],
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
    ],
    [
      'a burst that ended',
      [
        [1, 1, 1, 1],
        [2, 2, 2, 2],
        [3, 3, 3, 3],
        [9, 9, 9, null],
      ],
    ],
    ['a window without polls', [[1, 1, 1, 1], [], [3, 3, 3, 3], [4, 4, 4, 4]]],
    [
      'too short a history',
      [
        [3, 3, 3, 3],
        [4, 4, 4, 4],
      ],
    ],
  ])('keeps silent about %s', async (name, windows) => {
    const service = name.replaceAll(' ', '-');
    await seed(service, windows);
    expect(await suspects(service)).toEqual([]);
  });

  test('looks at as many windows as asked for, two at least', async () => {
    await seed('two', [
      [3, 3],
      [4, 4],
    ]);
    expect(await suspects('two', 2)).toHaveLength(1);
    expect(await suspects('two', 0)).toHaveLength(1);
    expect(await suspects('two', 3)).toEqual([]);
  });

  test('a poll whose profile is not stored yet says nothing, a failed one neither', async () => {
    await seed('late', [
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
    await loadRows(engine, 'target_polls', [
      { ...pollAt('late', 'late-1', 'goroutine', (TO_S - 1) * 1000, 'ok'), total: 7 },
      pollAt('late', 'late-1', 'goroutine', (TO_S - 2) * 1000, 'timeout'),
    ]);
    expect(await suspects('late')).toMatchObject([{ minima: [1, 2, 3, 4], polls: 8 }]);
  });

  test('what bears another name in each window is another stack', async () => {
    for (const [window, count] of [1, 2, 3, 4].entries()) {
      const windows = [0, 1, 2, 3].map((each) => (each === window ? [count, count] : [null, null]));
      await seed('renamed', windows, `main.v${window};runtime.gopark`);
    }
    expect(await suspects('renamed')).toEqual([]);
  });

  test('windows in the future end now', async () => {
    await seed('now', [
      [1, 1, 1, 1],
      [2, 2, 2, 2],
      [3, 3, 3, 3],
      [4, 4, 4, 4],
    ]);
    const sql = `SELECT toUnixTimestamp(since) AS since_s FROM boards.goroutine_suspects(to = now() + INTERVAL 1 DAY, window = 60, windows = 4) WHERE service = 'now'`;
    for (const row of await rowsOf(engine, sql))
      expect(Number(row['since_s'])).toBeLessThanOrEqual(Date.now() / 1000 - 239);
    const none = await rowsOf(engine, sql.replace('now() + INTERVAL 1 DAY', 'now() - INTERVAL 1 DAY'));
    expect(none).toEqual([]);
  });
});

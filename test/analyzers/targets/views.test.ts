import { afterAll, beforeAll, expect, test } from 'vitest';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { loadRows, pollAt, rowsOf } from '../../support/profile-rows.ts';

const FROM_S = 1_790_000_000;
const at = (seconds: number): number => (FROM_S + seconds) * 1000;

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
  await loadRows(engine, 'target_polls', [
    pollAt('shop', 'shop-1', 'goroutine', at(-1), 'refused'),
    pollAt('shop', 'shop-1', 'goroutine', at(0), 'ok', 10),
    pollAt('shop', 'shop-1', 'goroutine', at(30), 'ok', 20),
    pollAt('shop', 'shop-1', 'goroutine', at(60), 'ok', 90),
    pollAt('shop', 'shop-1', 'goroutine', at(90), 'ok', 40),
    pollAt('shop', 'shop-1', 'goroutine', at(120), 'timeout', 5000),
    pollAt('shop', 'shop-1', 'goroutine', at(600), 'ok'),
    pollAt('shop', 'shop-1', 'cpu', at(5), 'not_mounted', 3),
  ]);
});
afterAll(() => engine.stop());

test('target_status tells the newest poll and how the others went, each kind apart', async () => {
  const window = `from = toDateTime(${FROM_S}), to = toDateTime(${FROM_S + 600})`;
  const rows = await rowsOf(
    engine,
    `SELECT *, toUnixTimestamp(last_poll) AS last_s, toUnixTimestamp(last_ok) AS ok_s FROM boards.target_status(${window}) ORDER BY kind`,
  );
  expect(rows).toMatchObject([
    {
      kind: 'cpu',
      outcome: 'not_mounted',
      reason: 'it was not_mounted',
      polls: 1,
      ok_polls: 0,
      ok_s: null,
      duration_p50_ms: null,
      duration_last_ms: 3,
    },
    {
      service: 'shop',
      target: 'shop-1',
      kind: 'goroutine',
      outcome: 'timeout',
      reason: 'it was timeout',
      last_s: FROM_S + 120,
      ok_s: FROM_S + 90,
      polls: 5,
      ok_polls: 4,
      duration_p50_ms: 20,
      duration_last_ms: 5000,
    },
  ]);
});

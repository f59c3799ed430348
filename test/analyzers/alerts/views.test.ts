import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertRow } from '../../../core/rows.ts';
import { loadingSink } from '../../alerts/harness.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';

const HOUR = 3_600_000;
const AT = Date.parse('2026-03-01T12:00:00Z');

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
  const row = (fingerprint: string, status: AlertRow['status'], startsAtMs: number, changedAtMs: number): AlertRow => ({
    fingerprint,
    rule: 'latency',
    status,
    labels: { service: fingerprint },
    summary: `${fingerprint} ${status}`,
    starts_at_ms: startsAtMs,
    ends_at_ms: status === 'resolved' ? changedAtMs : null,
    changed_at_ms: changedAtMs,
    evidence: '{}',
  });
  const day = 24 * HOUR;
  const rows = [
    // Pending and firing in one instant, as without `for`; open since days.
    row('old-open', 'firing', AT - 9 * day, AT - 9 * day),
    row('old-open', 'pending', AT - 9 * day, AT - 9 * day),
    row('old-over', 'firing', AT - 9 * day, AT - 9 * day),
    row('old-over', 'resolved', AT - 9 * day, AT - 8 * day),
    row('over-within', 'firing', AT - 2 * HOUR, AT - 2 * HOUR),
    row('over-within', 'resolved', AT - 2 * HOUR, AT - 0.5 * HOUR),
    row('over-later', 'firing', AT - 2 * HOUR, AT - 2 * HOUR),
    row('over-later', 'resolved', AT - 2 * HOUR, AT + HOUR),
    row('twice', 'resolved', AT - 0.9 * HOUR, AT - 0.8 * HOUR),
    row('twice', 'pending', AT - 0.5 * HOUR, AT - 0.5 * HOUR),
    row('later', 'firing', AT + 1, AT + 1),
  ];
  await loadingSink(engine).append('alerts', rows);
  await loadingSink(engine).append('alerts', rows); // told twice is still once
});
afterAll(() => engine.stop());

test('what was open in the window, with the status it had at its end', async () => {
  const { rows } = await engine.store.query({
    sql: 'SELECT fingerprint, status, summary, isNull(ends_at) FROM boards.alerts(from = {from:DateTime}, to = {to:DateTime}) ORDER BY fingerprint, starts_at',
    params: { from: (AT - HOUR) / 1000, to: AT / 1000 },
  });
  expect(rows).toEqual([
    ['old-open', 'firing', 'old-open firing', 1],
    ['over-later', 'firing', 'over-later firing', 1],
    ['over-within', 'resolved', 'over-within resolved', 0],
    ['twice', 'resolved', 'twice resolved', 0],
    ['twice', 'pending', 'twice pending', 1],
  ]);
});

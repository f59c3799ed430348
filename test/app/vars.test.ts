import { expect, test } from 'vitest';
import type { MetricSources } from '../../app/metric-series.ts';
import { readVars } from '../../app/vars.ts';
import { idleStorage } from '../support/storage-sources.ts';

const sources: MetricSources = {
  ...idleStorage,
  door: () => ({
    bodies: 3,
    bytes: 900,
    spans: 24,
    byDoor: { otlp_http: { bodies: 0, bytes: 0, spans: 0 }, otlp_grpc: { bodies: 0, bytes: 0, spans: 0 } },
    slowLaneBodies: 1,
    duplicateBodies: 0,
    clockSkewSpans: 2,
    lastAtMs: 5,
    rejectedSpans: { invalid_trace_id: 4, too_old: 2 },
    refused: [{ reason: 'unauthenticated', count: 7, lastAtMs: 5, hint: '' }],
  }),
  flows: () => [],
  hooks: () => [],
  journal: () => ({
    segments: 2,
    bytes: 400,
    oldestMs: 8_000,
    refused: { journal_full: 5 },
  }),
  engine: () => ({ up: true, restarts: 1 }),
  jobs: () => [
    { id: 'retention', runs: 9, failures: 1, missed: 2, lastDurationMs: 250 },
    { id: 'git', runs: 1, failures: 0, missed: 0, lastDurationMs: null },
  ],
  slowLaneWaiting: () => 6,
  backgroundRestarts: () => 3,
  derived: () => undefined,
  nowMs: () => 10_000,
};
const loads = { segments_total: 2, items_total: 26, bytes_total: 700, quarantined_bodies_total: 1 };
const gc = { minor: 4, major: 3, incremental: 2, weakCallbacks: 1, seconds: 0.5 };

interface Vars {
  heliograph: Record<string, Record<string, number>> & { uptime_seconds: number };
}

async function vars(lag: number | null, given = sources): Promise<Vars> {
  const metrics = { loads: () => loads, eventLoopLagP99Seconds: async () => lag };
  return (await readVars({ sources: given, metrics, gc: () => gc, uptimeSeconds: () => 77 })) as Vars;
}

test('vars are what the sources say, as nested numbers', async () => {
  const { heliograph, ...others } = await vars(0.004);
  expect(others).toEqual({});
  expect(heliograph).toMatchObject({
    uptime_seconds: 77,
    event_loop: { lag_p99_seconds: 0.004 },
    gc: { minor_total: 4, major_total: 3, incremental_total: 2, weak_callbacks_total: 1, duration_seconds_total: 0.5 },
    journal: { segments: 2, bytes: 400, oldest_seconds: 2, refused_bodies_total: 5 },
    door: {
      bodies_total: 3,
      spans_total: 24,
      rejected_spans_total: 6,
      refused_requests_total: 7,
      slow_lane_waiting: 6,
    },
    loader: loads,
    engine: { up: 1, restarts_total: 1 },
    background: { restarts_total: 3 },
    jobs: { runs_total: 10, failures_total: 1, missed_ticks_total: 2 },
  });
  const memory = heliograph['memory'] ?? {};
  expect(memory['rss_bytes']).toBeGreaterThan(memory['heap_used_bytes'] ?? Number.NaN);
  for (const group of Object.values(heliograph))
    for (const value of Object.values(group)) expect(Number.isFinite(value)).toBe(true);
});

test('what is unknown is left out, not 0', async () => {
  const { heliograph } = await vars(null, {
    ...sources,
    journal: () => ({ segments: 0, bytes: 0, oldestMs: null, refused: {} }),
  });
  expect(heliograph['event_loop']).not.toHaveProperty('lag_p99_seconds');
  expect(heliograph['journal']).not.toHaveProperty('oldest_seconds');
});

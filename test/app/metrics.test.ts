import { expect, test } from 'vitest';
import type { MetricSources } from '../../app/metric-series.ts';
import { createMetrics } from '../../app/metrics.ts';
import type { DoorTotals } from '../../ingest/doors/ledger.ts';
import { idleStorage } from '../support/storage-sources.ts';
import { Flows, NOBODY, type OpenFlow } from '../../ingest/pipeline/flow.ts';

function sources(): {
  sources: MetricSources;
  flow: OpenFlow;
  journal: { oldestMs: number | null };
  engine: { up: boolean; restarts: number };
  derived: { text: string; atMs: number };
} {
  const door: DoorTotals = {
    bodies: 3,
    bytes: 900,
    spans: 24,
    byDoor: { otlp_http: { bodies: 3, bytes: 900, spans: 24 }, otlp_grpc: { bodies: 0, bytes: 0, spans: 0 } },
    slowLaneBodies: 1,
    duplicateBodies: 0,
    clockSkewSpans: 2,
    lastAtMs: 5,
    rejectedSpans: { invalid_trace_id: 4 },
    refused: [{ reason: 'unsupported_media_type', count: 7, lastAtMs: 5, hint: '' }],
  };
  const flows = new Flows();
  const key = { signal: 'otlp_traces', form: 'http/protobuf', team: 'shop', key: 'ci' };
  const flow = Object.assign(flows.of(key), {
    acked_bodies: 3,
    bytes: 900,
    acked_spans: 24,
    duplicate_bodies: 2,
    slow_lane_bodies: 1,
    clock_skew_spans: 2,
    rejected_spans: { invalid_trace_id: 4 },
    refused_bodies: { unsupported_media_type: 7 },
  });
  flows.of({ ...key, key: 'nightly' }).acked_bodies = 5;
  flows.of(NOBODY).refused_bodies = { bad_http: 1 };
  const journal = { oldestMs: 8_000 as number | null };
  const engine = { up: true, restarts: 1 };
  const derived = { text: 'up_to_date 1\n', atMs: 9_500 };
  return {
    derived,
    flow,
    journal,
    engine,
    sources: {
      ...idleStorage,
      door: () => door,
      flows: () => flows.all(),
      hooks: () => [{ hook: 'github', event: 'workflow_run', outcome: 'stored', count: 11, lastAtMs: 5 }],
      journal: () => ({
        segments: 2,
        bytes: 400,
        ...journal,
        refused: { journal_full: 5 },
      }),
      engine: () => engine,
      jobs: () => [{ id: 'retention', runs: 9, failures: 1, missed: 2, lastDurationMs: 250 }],
      slowLaneWaiting: () => 6,
      backgroundRestarts: () => 3,
      derived: () => derived,
      nowMs: () => 10_000,
    },
  };
}

/** Value of a series; undefined where it has no sample. */
function sample(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.split(' ')[1]);
}

test('a snapshot says what the sources said when it was taken, and nothing before', async () => {
  const { sources: given, flow } = sources();
  const metrics = createMetrics(given, '1.2.3');
  expect(metrics.snapshot()).not.toContain('heliograph_');
  await metrics.refresh();
  const first = metrics.snapshot();
  const expected: Record<string, number> = {
    'heliograph_build_info{version="1.2.3"}': 1,
    'heliograph_otlp_received_bodies_total{form="http/protobuf"}': 17,
    'heliograph_otlp_received_bodies_total{form="grpc"}': 0,
    'heliograph_otlp_received_bodies_total{form="unknown"}': 1,
    'heliograph_otlp_received_bytes_total{form="http/protobuf"}': 900,
    'heliograph_otlp_acked_bodies_total{form="http/protobuf"}': 8,
    'heliograph_otlp_duplicate_bodies_total{form="http/protobuf"}': 2,
    'heliograph_otlp_sender_acked_spans_total{team="shop",key="ci"}': 24,
    'heliograph_otlp_sender_received_bytes_total{team="shop",key="ci"}': 900,
    'heliograph_otlp_sender_acked_spans_total{team="shop",key="nightly"}': 0,
    'heliograph_otlp_refused_bodies_total{form="unknown",reason="bad_http"}': 1,
    'heliograph_hook_deliveries_total{hook="github",event="workflow_run",outcome="stored"}': 11,
    'heliograph_otlp_acked_spans_total{form="http/protobuf"}': 24,
    'heliograph_otlp_rejected_spans_total{form="http/protobuf",reason="invalid_trace_id"}': 4,
    'heliograph_otlp_refused_bodies_total{form="http/protobuf",reason="unsupported_media_type"}': 7,
    'heliograph_otlp_slow_lane_bodies_total{form="http/protobuf"}': 1,
    heliograph_slow_lane_waiting: 6,
    'heliograph_otlp_clock_skew_spans_total{form="http/protobuf"}': 2,
    heliograph_journal_segments: 2,
    heliograph_journal_bytes: 400,
    heliograph_journal_oldest_seconds: 2,
    'heliograph_journal_refused_bodies_total{reason="journal_full"}': 5,
    heliograph_engine_up: 1,
    heliograph_engine_restarts_total: 1,
    heliograph_background_restarts_total: 3,
    heliograph_derived_last_success_timestamp_seconds: 9.5,
    up_to_date: 1,
    'heliograph_job_runs_total{job="retention"}': 9,
    'heliograph_job_failures_total{job="retention"}': 1,
    'heliograph_job_missed_ticks_total{job="retention"}': 2,
    'heliograph_job_last_duration_seconds{job="retention"}': 0.25,
  };
  for (const [series, value] of Object.entries(expected))
    expect([series, sample(first, series)]).toEqual([series, value]);
  flow.acked_bodies = 4;
  expect(metrics.snapshot()).toBe(first);
  await metrics.refresh();
  await metrics.refresh();
  expect(sample(metrics.snapshot(), 'heliograph_otlp_acked_bodies_total{form="http/protobuf"}')).toBe(9);
});

test('an empty journal has no age, and a dead engine is down', async () => {
  const { sources: given, journal, engine } = sources();
  const metrics = createMetrics(given, '1');
  await metrics.refresh();
  journal.oldestMs = null;
  engine.up = false;
  await metrics.refresh();
  expect(sample(metrics.snapshot(), 'heliograph_journal_oldest_seconds')).toBeUndefined();
  expect(sample(metrics.snapshot(), 'heliograph_engine_up')).toBe(0);
});

test('loads are counted as they happen', async () => {
  const { sources: given } = sources();
  const metrics = createMetrics(given, '1');
  metrics.segmentLoaded({ items: 10, bytes: 100, loadMs: 40, freshnessMs: 700, quarantinedBodies: 1 });
  metrics.segmentLoaded({ items: 5, bytes: 50, loadMs: 60, freshnessMs: 1500, quarantinedBodies: 0 });
  await metrics.refresh();
  const text = metrics.snapshot();
  expect(sample(text, 'heliograph_loader_items_total')).toBe(15);
  expect(sample(text, 'heliograph_quarantined_bodies_total')).toBe(1);
  expect(sample(text, 'heliograph_freshness_seconds_bucket{le="1"}')).toBe(1);
  expect(sample(text, 'heliograph_freshness_seconds_count')).toBe(2);
});

test('derived series that are no longer fresh vanish; when they were computed last stays', async () => {
  const { sources: given, derived } = sources();
  const metrics = createMetrics(given, '1');
  derived.atMs = 10_000 - 240_000;
  await metrics.refresh();
  expect(sample(metrics.snapshot(), 'up_to_date')).toBe(1);
  derived.atMs -= 1;
  expect(sample(metrics.snapshot(), 'up_to_date')).toBeUndefined();
  expect(sample(metrics.snapshot(), 'heliograph_derived_last_success_timestamp_seconds')).toBe(-230);
});

test('before anything was derived there is no time of it', async () => {
  const { sources: given } = sources();
  const metrics = createMetrics({ ...given, derived: () => undefined }, '1');
  await metrics.refresh();
  expect(metrics.snapshot()).not.toMatch(/^heliograph_derived_last_success/m);
});

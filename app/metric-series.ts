/** The series that follow what others count: how each part of Heliograph shows on /metrics. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { HookCount } from '../ingest/doors/hook-ledger.ts';
import type { DoorTotals } from '../ingest/doors/ledger.ts';
import { createStorageRefreshers, type StorageSources } from './journal-series.ts';
import { follow } from './metric-series/follow.ts';
import { type OtlpSources, otlpSeries } from './metric-series/otlp.ts';

/** What the snapshot job reads. All counts are since the start of the process. */
export interface MetricSources extends StorageSources, OtlpSources {
  door(): DoorTotals;
  hooks(): readonly HookCount[];
  journal(): { segments: number; bytes: number; oldestMs: number | null; refused: Readonly<Record<string, number>> };
  engine(): { up: boolean; restarts: number };
  jobs(): { id: string; runs: number; failures: number; missed: number; lastDurationMs: number | null }[];
  backgroundRestarts(): number;
  /** Series computed from the store by the background thread, and when (Unix ms); undefined until the first time. */
  derived(): { text: string; atMs: number } | undefined;
  nowMs(): number;
}

/** Makes the series; each of the results brings its part of them up to date. */
export function createRefreshers(registry: Registry, sources: MetricSources): (() => void)[] {
  return [
    otlpSeries(registry, sources),
    hookSeries(registry, sources),
    journalSeries(registry, sources),
    engineSeries(registry, sources),
    jobSeries(registry, sources),
    backgroundSeries(registry, sources),
    ...createStorageRefreshers(registry, sources),
  ];
}

function hookSeries(registry: Registry, sources: MetricSources): () => void {
  const deliveries = new Counter({
    name: 'heliograph_hook_deliveries_total',
    help: 'Webhook deliveries and deploy events: stored, duplicate, ignored, or the error they were answered with.',
    labelNames: ['hook', 'event', 'outcome'],
    registers: [registry],
  });
  return () =>
    follow(
      deliveries,
      sources.hooks().map(({ hook, event, outcome, count }) => [{ hook, event, outcome }, count]),
    );
}

function journalSeries(registry: Registry, sources: MetricSources): () => void {
  const registers = [registry];
  const segments = new Gauge({
    name: 'heliograph_journal_segments',
    help: 'Segments waiting for the store.',
    registers,
  });
  const bytes = new Gauge({ name: 'heliograph_journal_bytes', help: 'Bytes waiting for the store.', registers });
  const oldest = new Gauge({
    name: 'heliograph_journal_oldest_seconds',
    help: 'Age of the oldest waiting body; absent while nothing waits.',
    registers,
  });
  const refused = new Counter({
    name: 'heliograph_journal_refused_bodies_total',
    help: 'Bodies the journal refused.',
    labelNames: ['reason'],
    registers,
  });
  return () => {
    const depth = sources.journal();
    segments.set(depth.segments);
    bytes.set(depth.bytes);
    if (depth.oldestMs === null) oldest.remove();
    else oldest.set(Math.max(0, sources.nowMs() - depth.oldestMs) / 1000);
    follow(
      refused,
      Object.entries(depth.refused).map(([reason, count]) => [{ reason }, count]),
    );
  };
}

function engineSeries(registry: Registry, sources: MetricSources): () => void {
  const registers = [registry];
  const up = new Gauge({ name: 'heliograph_engine_up', help: 'Whether the store answers: 1 or 0.', registers });
  const restarts = new Counter({
    name: 'heliograph_engine_restarts_total',
    help: 'Restarts of the embedded engine.',
    registers,
  });
  return () => {
    const engine = sources.engine();
    up.set(engine.up ? 1 : 0);
    follow(restarts, [[{}, engine.restarts]]);
  };
}

function backgroundSeries(registry: Registry, sources: MetricSources): () => void {
  const registers = [registry];
  const restarts = new Counter({
    name: 'heliograph_background_restarts_total',
    help: 'Restarts of the thread that polls, derives and alerts.',
    registers,
  });
  const derived = new Gauge({
    name: 'heliograph_derived_last_success_timestamp_seconds',
    help: 'When the series derived from the store were computed last; absent until the first time. They are left out once it is two minutes ago.',
    registers,
  });
  derived.remove(); // a gauge without labels is born as 0
  return () => {
    follow(restarts, [[{}, sources.backgroundRestarts()]]);
    const atMs = sources.derived()?.atMs;
    if (atMs !== undefined) derived.set(atMs / 1000);
  };
}

function jobSeries(registry: Registry, sources: MetricSources): () => void {
  const registers = [registry];
  const labelNames = ['job'];
  const runs = new Counter({
    name: 'heliograph_job_runs_total',
    help: 'Runs of a scheduled job.',
    labelNames,
    registers,
  });
  const failures = new Counter({
    name: 'heliograph_job_failures_total',
    help: 'Runs that failed or timed out.',
    labelNames,
    registers,
  });
  const missed = new Counter({
    name: 'heliograph_job_missed_ticks_total',
    help: 'Ticks missed because the job was still running.',
    labelNames,
    registers,
  });
  const duration = new Gauge({
    name: 'heliograph_job_last_duration_seconds',
    help: 'Duration of the newest run.',
    labelNames,
    registers,
  });
  return () => {
    const jobs = sources.jobs();
    follow(
      runs,
      jobs.map(({ id, runs: count }) => [{ job: id }, count]),
    );
    follow(
      failures,
      jobs.map(({ id, failures: count }) => [{ job: id }, count]),
    );
    follow(
      missed,
      jobs.map(({ id, missed: count }) => [{ job: id }, count]),
    );
    for (const { id, lastDurationMs } of jobs)
      if (lastDurationMs !== null) duration.set({ job: id }, lastDurationMs / 1000);
  };
}

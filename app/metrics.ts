/** Heliograph's own series. A scrape answers from a snapshot that a job keeps fresh; it computes nothing. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { HookCount } from '../ingest/doors/hook-ledger.ts';
import type { DoorTotals } from '../ingest/doors/ledger.ts';

/** What the snapshot job reads. All counts are since the start of the process. */
export interface MetricSources {
  door(): DoorTotals;
  hooks(): readonly HookCount[];
  journal(): { segments: number; bytes: number; oldestMs: number | null; refused: Readonly<Record<string, number>> };
  engine(): { up: boolean; restarts: number };
  jobs(): { id: string; runs: number; failures: number; missed: number; lastDurationMs: number | null }[];
  slowLaneWaiting(): number;
  backgroundRestarts(): number;
  /** Series computed from the store by the background thread, and when (Unix ms); undefined until the first time. */
  derived(): { text: string; atMs: number } | undefined;
  nowMs(): number;
}

/** What the loader put into the store since the start of the process. */
export interface LoadTotals {
  segments_total: number;
  items_total: number;
  bytes_total: number;
  quarantined_bodies_total: number;
}

export interface Metrics {
  /** Counted as it happens, not read by the snapshot: one call per loaded segment. */
  segmentLoaded(load: {
    items: number;
    bytes: number;
    loadMs: number;
    freshnessMs: number;
    quarantinedBodies: number;
  }): void;
  loads(): LoadTotals;
  /** 99th percentile of the event loop's delay between the last two refreshes, seconds; null before the first. */
  eventLoopLagP99Seconds(): Promise<number | null>;
  refresh(): Promise<void>;
  /**
   * Text of the newest snapshot, Prometheus exposition format, followed by the derived series as long as they are fresh: when
   * the store does not answer they vanish, as a frozen gauge would be taken for a measured one.
   */
  snapshot(): string;
  readonly contentType: string;
}

/** Derived series older than this are left out: eight rounds of their job while it is scraped, two while it is not. */
const DERIVED_STALE_MS = 120_000;
const DURATION_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];

/** `version` labels `heliograph_build_info`. */
export function createMetrics(sources: MetricSources, version: string): Metrics {
  const registry = new Registry();
  // Event-loop lag is sampled by a timer of its own; at the default of 10 ms it would be most of what an idle process costs.
  const precision = 250;
  collectDefaultMetrics({ register: registry, prefix: 'heliograph_', eventLoopMonitoringPrecision: precision });
  // Gauges whose names end in _total break the naming rules that `promtool check metrics` holds a scrape to.
  for (const kind of ['resources', 'handles', 'requests'])
    registry.removeSingleMetric(`heliograph_nodejs_active_${kind}_total`);
  const build = new Gauge({
    name: 'heliograph_build_info',
    help: 'Version of this build; the value is 1.',
    labelNames: ['version'],
    registers: [registry],
  });
  build.set({ version }, 1);
  const loads = createLoadSeries(registry);
  const refreshers = [
    doorSeries(registry, sources),
    hookSeries(registry, sources),
    journalSeries(registry, sources),
    engineSeries(registry, sources),
    jobSeries(registry, sources),
    backgroundSeries(registry, sources),
  ];
  let text = '';
  return {
    ...loads,
    async eventLoopLagP99Seconds() {
      if (text === '') return null;
      const lag = await registry.getSingleMetric('heliograph_nodejs_eventloop_lag_p99_seconds')?.get();
      const seconds = lag?.values[0]?.value;
      return seconds === undefined ? null : Math.max(0, seconds - precision / 1000); // it measures from tick to tick
    },
    async refresh() {
      for (const refresh of refreshers) refresh();
      text = await registry.metrics();
    },
    snapshot() {
      const derived = sources.derived();
      const isFresh = derived !== undefined && sources.nowMs() - derived.atMs <= DERIVED_STALE_MS;
      return isFresh ? text + derived.text : text;
    },
    contentType: registry.contentType,
  };
}

function createLoadSeries(registry: Registry): Pick<Metrics, 'segmentLoaded' | 'loads'> {
  const registers = [registry];
  const segments = new Counter({
    name: 'heliograph_loader_segments_total',
    help: 'Segments loaded into the store.',
    registers,
  });
  const items = new Counter({
    name: 'heliograph_loader_items_total',
    help: 'Spans and rows loaded into the store.',
    registers,
  });
  const bytes = new Counter({
    name: 'heliograph_loader_bytes_total',
    help: 'Bytes of segments loaded into the store.',
    registers,
  });
  const quarantined = new Counter({
    name: 'heliograph_quarantined_bodies_total',
    help: 'Bodies the store could not parse.',
    registers,
  });
  const duration = new Histogram({
    name: 'heliograph_loader_duration_seconds',
    help: 'Time the store took for a segment.',
    buckets: DURATION_BUCKETS,
    registers,
  });
  const freshness = new Histogram({
    name: 'heliograph_freshness_seconds',
    help: 'From the first ack of a segment until it can be queried.',
    buckets: DURATION_BUCKETS,
    registers,
  });
  const totals: LoadTotals = { segments_total: 0, items_total: 0, bytes_total: 0, quarantined_bodies_total: 0 };
  return {
    loads: () => totals,
    segmentLoaded(load) {
      totals.segments_total += 1;
      totals.items_total += load.items;
      totals.bytes_total += load.bytes;
      totals.quarantined_bodies_total += load.quarantinedBodies;
      segments.inc();
      items.inc(load.items);
      bytes.inc(load.bytes);
      quarantined.inc(load.quarantinedBodies);
      duration.observe(load.loadMs / 1000);
      freshness.observe(load.freshnessMs / 1000);
    },
  };
}

/** A counter that follows a total kept elsewhere. prom-client counts up only, so it is set by reset and inc. */
function follow(counter: Counter<string>, entries: Iterable<[Record<string, string>, number]>): void {
  counter.reset();
  for (const [labels, value] of entries) counter.inc(labels, value);
}

function doorSeries(registry: Registry, sources: MetricSources): () => void {
  const registers = [registry];
  const labelNames = ['door'];
  const bodies = new Counter({ name: 'heliograph_door_bodies_total', help: 'Bodies acked.', labelNames, registers });
  const bytes = new Counter({
    name: 'heliograph_door_bytes_total',
    help: 'Bytes acked, after decompression.',
    labelNames,
    registers,
  });
  const spans = new Counter({
    name: 'heliograph_door_spans_total',
    help: 'Spans acked, rejected ones not counted.',
    labelNames,
    registers,
  });
  const slow = new Counter({
    name: 'heliograph_slow_lane_bodies_total',
    help: 'Bodies rewritten to flat protobuf.',
    registers,
  });
  const skew = new Counter({
    name: 'heliograph_clock_skew_spans_total',
    help: 'Spans that end before they start, stored with duration 0.',
    registers,
  });
  const rejected = new Counter({
    name: 'heliograph_rejected_spans_total',
    help: 'Spans rejected by rule.',
    labelNames: ['reason'],
    registers,
  });
  const refused = new Counter({
    name: 'heliograph_refused_requests_total',
    help: 'Requests refused whole.',
    labelNames: ['reason'],
    registers,
  });
  const waiting = new Gauge({
    name: 'heliograph_slow_lane_waiting',
    help: 'Bodies waiting for the slow lane.',
    registers,
  });
  return () => {
    const totals = sources.door();
    const door = { door: 'otlp_http' };
    follow(bodies, [[door, totals.bodies]]);
    follow(bytes, [[door, totals.bytes]]);
    follow(spans, [[door, totals.spans]]);
    follow(slow, [[{}, totals.slowLaneBodies]]);
    follow(skew, [[{}, totals.clockSkewSpans]]);
    follow(
      rejected,
      Object.entries(totals.rejectedSpans).map(([reason, count]) => [{ reason }, count]),
    );
    follow(
      refused,
      totals.refused.map(({ reason, count }) => [{ reason }, count]),
    );
    waiting.set(sources.slowLaneWaiting());
  };
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

/** Heliograph's own series. A scrape answers from a snapshot that a job keeps fresh; it computes nothing. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { createRefreshers, type MetricSources } from './metric-series.ts';

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

/** Derived series older than this are left out: eight rounds of their job at its slowest while it is scraped, two while it is not. */
const DERIVED_STALE_MS = 240_000;
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
  const refreshers = createRefreshers(registry, sources);
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

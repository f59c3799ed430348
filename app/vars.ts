/** `/debug/vars`: Heliograph's figures as nested numbers, under names of its own; `memstats` and `cmdline` are Go's. */
import type { MetricSources } from './metric-series.ts';
import type { Metrics } from './metrics.ts';
import type { GcTotals } from './profiling/gc.ts';

export interface VarsDeps {
  sources: MetricSources;
  metrics: Pick<Metrics, 'loads' | 'eventLoopLagP99Seconds'>;
  gc(): GcTotals;
  /** Since the start of the process. */
  uptimeSeconds(): number;
}

/** Reads everything now; totals count from the start of the process. What is unknown is left out. */
export async function readVars({ sources, metrics, gc, uptimeSeconds }: VarsDeps): Promise<object> {
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  const door = sources.door();
  const journal = sources.journal();
  const engine = sources.engine();
  const jobs = sources.jobs();
  const loop = performance.eventLoopUtilization();
  const lag = await metrics.eventLoopLagP99Seconds();
  const collections = gc();
  return {
    heliograph: {
      uptime_seconds: uptimeSeconds(),
      cpu: { user_seconds: cpu.user / 1e6, system_seconds: cpu.system / 1e6 },
      event_loop: {
        active_seconds: loop.active / 1000,
        idle_seconds: loop.idle / 1000,
        ...(lag !== null && { lag_p99_seconds: lag }),
      },
      memory: {
        rss_bytes: memory.rss,
        heap_total_bytes: memory.heapTotal,
        heap_used_bytes: memory.heapUsed,
        external_bytes: memory.external,
        array_buffers_bytes: memory.arrayBuffers,
      },
      gc: {
        minor_total: collections.minor,
        major_total: collections.major,
        incremental_total: collections.incremental,
        weak_callbacks_total: collections.weakCallbacks,
        duration_seconds_total: collections.seconds,
      },
      journal: {
        segments: journal.segments,
        bytes: journal.bytes,
        ...(journal.oldestMs !== null && {
          oldest_seconds: Math.max(0, sources.nowMs() - journal.oldestMs) / 1000,
        }),
        refused_bodies_total: sum(Object.values(journal.refused)),
      },
      door: {
        bodies_total: door.bodies,
        bytes_total: door.bytes,
        spans_total: door.spans,
        rejected_spans_total: sum(Object.values(door.rejectedSpans)),
        refused_requests_total: sum(door.refused.map(({ count }) => count)),
        slow_lane_bodies_total: door.slowLaneBodies,
        slow_lane_waiting: sources.slowLaneWaiting(),
      },
      loader: { ...metrics.loads() },
      engine: { up: engine.up ? 1 : 0, restarts_total: engine.restarts },
      background: { restarts_total: sources.backgroundRestarts() },
      jobs: {
        runs_total: sum(jobs.map(({ runs }) => runs)),
        failures_total: sum(jobs.map(({ failures }) => failures)),
        missed_ticks_total: sum(jobs.map(({ missed }) => missed)),
      },
    },
  };
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

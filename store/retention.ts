/**
 * Retention: table TTLs that follow the settings, on data already stored too. The engine looks after a TTL when it merges, which may be
 * hours later; so partitions that are past their time as a whole are dropped here.
 */
import type { Log, Store } from '../core/ports.ts';
import { dropPartition, listPartitions, type Partition } from './partitions.ts';
import { type Layout, localTable, renderSql } from './render.ts';

/** Days to keep, by kind of data. */
export interface Retention {
  spansMs: number;
  profilesMs: number;
  rollupMinuteMs: number;
  /** What is small and cannot be had again: CI runs, deployments, alerts. */
  rollupCoarseMs: number;
}

const DAY_MS = 86_400_000;
/** A partition's day is one of the engine's time zone, which may be half a day from ours. */
const ZONE_MS = 14 * 3_600_000;

interface TimedTable {
  table: string;
  /** Expression of type Date or DateTime that ages. */
  timeColumn: string;
  keepMs: (retention: Retention) => number;
}

/** Every table whose data ages; what can be rebuilt from its source (commits) does not. */
export const TIMED_TABLES: readonly TimedTable[] = [
  { table: 'otel.otel_traces', timeColumn: 'toDateTime(Timestamp)', keepMs: (retention) => retention.spansMs },
  { table: 'otel.otel_traces_trace_id_ts', timeColumn: 'Start', keepMs: (retention) => retention.spansMs },
  { table: 'heliograph.span_latency_1m', timeColumn: 'minute', keepMs: (retention) => retention.rollupMinuteMs },
  // Coverage is asked for wherever a rollup is, so it is kept as long.
  { table: 'heliograph.source_minutes', timeColumn: 'minute', keepMs: (retention) => retention.rollupMinuteMs },
  { table: 'heliograph.pipeline_minutes', timeColumn: 'minute', keepMs: (retention) => retention.rollupMinuteMs },
  { table: 'heliograph.target_polls', timeColumn: 'toDateTime(time)', keepMs: (retention) => retention.profilesMs },
  { table: 'heliograph.profile_samples', timeColumn: 'toDateTime(time)', keepMs: (retention) => retention.profilesMs },
  { table: 'heliograph.go_runtime', timeColumn: 'toDateTime(time)', keepMs: (retention) => retention.profilesMs },
  // A stack is written again each day it is seen: a day more than its samples keeps it until the last of them is gone.
  { table: 'heliograph.stacks', timeColumn: 'seen_at', keepMs: (retention) => retention.profilesMs + DAY_MS },
  {
    table: 'heliograph.ci_runs',
    timeColumn: 'toDateTime(received_at)',
    keepMs: (retention) => retention.rollupCoarseMs,
  },
  {
    table: 'heliograph.ci_jobs',
    timeColumn: 'toDateTime(received_at)',
    keepMs: (retention) => retention.rollupCoarseMs,
  },
  {
    table: 'heliograph.deployments',
    timeColumn: 'toDateTime(received_at)',
    keepMs: (retention) => retention.rollupCoarseMs,
  },
  { table: 'heliograph.alerts', timeColumn: 'toDateTime(starts_at)', keepMs: (retention) => retention.rollupCoarseMs },
  {
    table: 'heliograph.alert_deliveries',
    timeColumn: 'toDateTime(time)',
    keepMs: (retention) => retention.rollupCoarseMs,
  },
];

/**
 * Brings every table's TTL to the settings and returns the tables changed. An unchanged TTL is left alone: altering one makes
 * the engine look through all parts.
 */
export async function applyRetention(store: Store, layout: Layout, retention: Retention, log: Log): Promise<string[]> {
  const changed: string[] = [];
  for (const { table, timeColumn, keepMs } of TIMED_TABLES) {
    const seconds = Math.round(keepMs(retention) / 1000);
    const target = localTable(table, layout);
    if ((await currentTtl(store, target)) === `${timeColumn} + toIntervalSecond(${seconds})`) continue;
    const [sql] = renderSql(
      `ALTER TABLE ${target} {{on_cluster}} MODIFY TTL ${timeColumn} + toIntervalSecond(${seconds})`,
      layout,
    );
    await store.command({ sql: sql ?? '' });
    log.info({ table: target, keepHours: seconds / 3600 }, 'retention set');
    changed.push(target);
  }
  return changed;
}

/** Drops every partition whose last instant is past its table's time. Returns them. Throws StoreError. */
export async function dropExpired(
  store: Store,
  layout: Layout,
  retention: Retention,
  nowMs: number,
  log: Log,
): Promise<Partition[]> {
  const keep = new Map(TIMED_TABLES.map(({ table, keepMs }) => [table, keepMs(retention)]));
  const { partitions } = await listPartitions(store, layout);
  const expired = partitions.filter(({ table, days }) => {
    const keepMs = keep.get(table);
    if (days === null || keepMs === undefined) return false;
    return Date.parse(`${days.last}T00:00:00Z`) + DAY_MS + ZONE_MS + keepMs <= nowMs;
  });
  for (const partition of expired) {
    await dropPartition(store, layout, partition);
    const { table, days, rows, bytes } = partition;
    log.info({ table, ...days, rows, bytes }, 'partition dropped: its time is over');
  }
  return expired;
}

async function currentTtl(store: Store, table: string): Promise<string | undefined> {
  const [database, name] = table.split('.');
  const { rows } = await store.query({
    sql: 'SELECT engine_full FROM system.tables WHERE database = {database:String} AND name = {name:String}',
    params: { database, name },
  });
  return / TTL (.+?) SETTINGS /.exec(String(rows[0]?.[0] ?? ''))?.[1];
}

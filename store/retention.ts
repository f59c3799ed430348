/** Retention: table TTLs that follow the settings, on data already stored too. */
import type { Log, Store } from '../core/ports.ts';
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

interface TimedTable {
  table: string;
  /** Expression of type Date or DateTime that ages. */
  timeColumn: string;
  keepMs: (retention: Retention) => number;
}

const TABLES: readonly TimedTable[] = [
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
  for (const { table, timeColumn, keepMs } of TABLES) {
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

async function currentTtl(store: Store, table: string): Promise<string | undefined> {
  const [database, name] = table.split('.');
  const { rows } = await store.query({
    sql: 'SELECT engine_full FROM system.tables WHERE database = {database:String} AND name = {name:String}',
    params: { database, name },
  });
  return / TTL (.+?) SETTINGS /.exec(String(rows[0]?.[0] ?? ''))?.[1];
}

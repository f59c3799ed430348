/** Partitions of our tables, and dropping them whole: the one deletion that costs the engine nothing. */
import type { Store } from '../core/ports.ts';
import { type Layout, localTable, renderSql } from './render.ts';
import { stringLiteral } from './sql.ts';

export interface Partition {
  /** `otel.otel_traces`, without the suffix of a cluster's local table. */
  table: string;
  /** As `DROP PARTITION ID` takes it: `20261103`, `202611`, `all`. */
  id: string;
  /** First and last day of it, `2026-11-03`, in the engine's time zone; null where it is not cut by time. */
  days: { first: string; last: string } | null;
  rows: number;
  /** Compressed, on disk; on a cluster the sum over the shards, one replica each. */
  bytes: number;
}

/** Every partition that holds data of our databases, and the engine's own date of today. Throws StoreError. */
export async function listPartitions(
  store: Store,
  layout: Layout,
): Promise<{ today: string; partitions: Partition[] }> {
  const parts = layout.kind === 'cluster' ? `cluster(${stringLiteral(layout.cluster)}, system.parts)` : 'system.parts';
  const { rows } = await store.query({
    sql: `SELECT concat(database, '.', table), partition_id, sum(rows), sum(bytes_on_disk), toString(today())
      FROM ${parts} WHERE active AND database IN ('otel', 'heliograph', 'people')
      GROUP BY database, table, partition_id`,
  });
  const suffix = layout.kind === 'cluster' ? '_local' : '';
  const partitions = rows.map(([table, id, count, bytes]) => {
    const name = String(table);
    return {
      table: name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : name,
      id: String(id),
      days: daysOf(String(id)),
      rows: Number(count),
      bytes: Number(bytes),
    };
  });
  return { today: String(rows[0]?.[4] ?? ''), partitions };
}

/** Drops one partition, on every shard. One that is gone already is no error. Throws StoreError. */
export async function dropPartition(store: Store, layout: Layout, { table, id }: Partition): Promise<void> {
  const statement = `ALTER TABLE ${localTable(table, layout)} {{on_cluster}} DROP PARTITION ID ${stringLiteral(id)}`;
  for (const sql of renderSql(statement, layout)) await store.command({ sql });
}

/** Tables are partitioned by day or by month. */
function daysOf(id: string): Partition['days'] {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})?$/.exec(id) ?? [];
  if (year === undefined || month === undefined) return null;
  if (day !== undefined) return { first: `${year}-${month}-${day}`, last: `${year}-${month}-${day}` };
  const last = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return { first: `${year}-${month}-01`, last: `${year}-${month}-${last}` };
}

/**
 * What goes first when the disk may hold no more. Every kind of data has a share of the cap; the kind that is furthest over its share
 * gives its oldest partition. Without shares the rollups would go first, as they are kept longest, and would free nothing. What can
 * be rebuilt from its source (commits) is never dropped.
 */
import type { Partition } from './partitions.ts';
import { TIMED_TABLES } from './retention.ts';

interface Kind {
  name: 'spans' | 'profiles' | 'rollups' | 'records';
  /** Of the cap. */
  share: number;
  tables: readonly string[];
}

const KINDS: readonly Kind[] = [
  { name: 'spans', share: 0.7, tables: ['otel.otel_traces', 'otel.otel_traces_trace_id_ts'] },
  {
    name: 'profiles',
    share: 0.15,
    tables: ['heliograph.profile_samples', 'heliograph.stacks', 'heliograph.go_runtime', 'heliograph.target_polls'],
  },
  { name: 'rollups', share: 0.1, tables: ['heliograph.span_latency_1m', 'heliograph.source_minutes'] },
];
/** Everything else that ages: CI runs, deployments, alerts. */
const RECORDS: Kind = { name: 'records', share: 0.05, tables: [] };

const AGING: ReadonlySet<string> = new Set(TIMED_TABLES.map(({ table }) => table));

export interface Drop {
  kind: Kind['name'];
  /** One partition of one table, or those of the same days of tables that belong together. */
  partitions: Partition[];
  /** They hold today: nothing older is left to drop. */
  isCurrent: boolean;
}

/** The next to go, or null where nothing may. `today` is the engine's date, `2026-11-03`. */
export function nextDrop(partitions: readonly Partition[], today: string): Drop | null {
  const droppable = partitions.filter(({ table, days }) => AGING.has(table) && days !== null);
  const old = droppable.filter(({ days }) => days !== null && days.last < today);
  const from = old.length > 0 ? old : droppable;
  const kinds = [...new Set(from.map(kindOf))];
  const pressure = (kind: Kind): number =>
    droppable.filter((each) => kindOf(each) === kind).reduce((sum, { bytes }) => sum + bytes, 0) / kind.share;
  const [kind] = kinds.toSorted((a, b) => pressure(b) - pressure(a));
  if (kind === undefined) return null;
  const ofKind = from.filter((each) => kindOf(each) === kind).toSorted(byAge);
  const [oldest] = ofKind;
  if (oldest === undefined) return null;
  return {
    kind: kind.name,
    partitions: ofKind.filter(({ id }) => id === oldest.id),
    isCurrent: from === droppable && old.length === 0,
  };
}

function kindOf({ table }: Partition): Kind {
  return KINDS.find(({ tables }) => tables.includes(table)) ?? RECORDS;
}

function byAge(a: Partition, b: Partition): number {
  const [first, second] = [a.days?.last ?? '', b.days?.last ?? ''];
  return first < second ? -1 : first > second ? 1 : b.bytes - a.bytes;
}

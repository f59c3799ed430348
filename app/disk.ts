/** Holds disk use under `disk.capGiB`: measures, drops what has to go, says so in the log, in a table and on /metrics. */
import type { Clock, Log, Store } from '../core/ports.ts';
import type { DiskDropRow, RowSink } from '../core/rows.ts';
import { type Drop, nextDrop } from '../store/disk-cap.ts';
import { dropPartition, listPartitions } from '../store/partitions.ts';
import type { Layout } from '../store/render.ts';

export interface DiskDeps {
  store: Store;
  layout: Layout;
  rows: RowSink;
  /** Undefined: only measured. */
  capBytes: number | undefined;
  /** What the journal holds on disk, quarantine included. */
  journalBytes(): number;
  clock: Clock;
  log: Log;
}

export interface DiskState {
  capBytes: number | undefined;
  /** All our tables, compressed, on disk; null until measured. */
  tableBytes: number | null;
  /** Partitions dropped since the start of the process, by kind of data. */
  drops: { kind: Drop['kind']; partitions: number; bytes: number }[];
  /** False when the cap cannot be held by dropping what may be dropped. */
  isHeld: boolean;
}

export interface DiskKeeper {
  /** One look, and as many drops as it takes. Throws StoreError. */
  keep(): Promise<void>;
  state(): DiskState;
}

export function createDiskKeeper(deps: DiskDeps): DiskKeeper {
  const { capBytes, log } = deps;
  const drops = new Map<Drop['kind'], { partitions: number; bytes: number }>();
  let tableBytes: number | null = null;
  let isHeld = true;
  const count = ({ kind, partitions }: Drop): void => {
    const sum = drops.get(kind) ?? { partitions: 0, bytes: 0 };
    sum.partitions += partitions.length;
    for (const { bytes } of partitions) sum.bytes += bytes;
    drops.set(kind, sum);
  };
  const cannotHold = (usedBytes: number, why: string): void => {
    if (isHeld) log.error({ usedBytes, capBytes }, `disk.capGiB cannot be held: ${why}`);
    isHeld = false;
  };
  return {
    async keep() {
      let { today, partitions } = await listPartitions(deps.store, deps.layout);
      const used = (): number => partitions.reduce((sum, { bytes }) => sum + bytes, 0) + deps.journalBytes();
      let isCurrent = false;
      while (capBytes !== undefined && used() > capBytes) {
        const drop = nextDrop(partitions, today);
        if (drop === null) {
          cannotHold(used(), 'what is left is never dropped');
          break;
        }
        isCurrent ||= drop.isCurrent;
        if (drop.isCurrent) cannotHold(used(), 'nothing older than today is left, so today’s data goes');
        await dropAll(deps, drop, used(), capBytes);
        count(drop);
        partitions = partitions.filter((each) => !drop.partitions.includes(each));
      }
      tableBytes = partitions.reduce((sum, { bytes }) => sum + bytes, 0);
      if (capBytes === undefined || isCurrent || used() > capBytes) return;
      if (!isHeld) log.info({ usedBytes: used(), capBytes }, 'disk.capGiB is held again');
      isHeld = true;
    },
    state: () => ({
      capBytes,
      tableBytes,
      drops: [...drops].map(([kind, sum]) => ({ kind, ...sum })),
      isHeld,
    }),
  };
}

async function dropAll(deps: DiskDeps, { kind, partitions }: Drop, usedBytes: number, capBytes: number): Promise<void> {
  const rows: DiskDropRow[] = [];
  for (const partition of partitions) {
    await dropPartition(deps.store, deps.layout, partition);
    const { table, id, days, rows: count, bytes } = partition;
    deps.log.warn({ table, ...days, rows: count, bytes, usedBytes, capBytes }, 'partition dropped: disk.capGiB');
    rows.push({
      time_ms: deps.clock.nowMs(),
      kind,
      table,
      partition: id,
      first_day: days?.first ?? '',
      last_day: days?.last ?? '',
      rows: count,
      bytes,
      used_bytes: usedBytes,
      cap_bytes: capBytes,
    });
  }
  await deps.rows.append('disk_drops', rows);
}

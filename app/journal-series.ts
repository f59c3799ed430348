/** How the journal, its quarantine and the disk show on /metrics. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { QuarantineState } from '../ingest/journal/quarantine-keeper.ts';
import type { JournalRoom, JournalStats } from '../ingest/journal/types.ts';
import type { DiskState } from './disk.ts';

export interface StorageSources {
  journalStats(): JournalStats;
  journalRoom(): JournalRoom;
  quarantine(): QuarantineState;
  disk(): DiskState;
}

/** Makes the series; each of the results brings its part of them up to date. */
export function createStorageRefreshers(registry: Registry, sources: StorageSources): (() => void)[] {
  return [
    roomSeries(registry, sources),
    windowSeries(registry, sources),
    quarantineSeries(registry, sources),
    diskSeries(registry, sources),
  ];
}

function gauge(registry: Registry, name: string, help: string): Gauge {
  return new Gauge({ name: `heliograph_${name}`, help, registers: [registry] });
}

function counter(registry: Registry, name: string, help: string, labelNames: string[] = []): Counter<string> {
  return new Counter({ name: `heliograph_${name}`, help, labelNames, registers: [registry] });
}

/** Sets a counter to a total kept elsewhere. */
function follow(series: Counter<string>, total: number): void {
  series.reset();
  series.inc(total);
}

function roomSeries(registry: Registry, { journalRoom, journalStats }: StorageSources): () => void {
  const accepting = gauge(registry, 'journal_accepting', 'Whether the journal takes bodies in: 1 or 0.');
  const left = gauge(
    registry,
    'journal_room_bytes',
    'Bytes that may still wait for the store before doors answer 503.',
  );
  const retry = gauge(
    registry,
    'journal_retry_after_seconds',
    'What refused senders are told to wait; 0 while none is refused.',
  );
  const drain = gauge(
    registry,
    'journal_drain_bytes_per_second',
    'Bytes a second the store took off the journal, over half a minute.',
  );
  const free = gauge(
    registry,
    'journal_disk_free_bytes',
    'Free bytes on the disk of the journal; absent until looked at.',
  );
  free.remove(); // a gauge without labels is born as 0
  return () => {
    const room = journalRoom();
    accepting.set(room.full === undefined ? 1 : 0);
    left.set(room.backlogLeftBytes);
    retry.set(room.retryAfterSeconds ?? 0);
    drain.set(journalStats().drainBytesPerSecond);
    if (room.freeBytes !== null) free.set(room.freeBytes);
  };
}

function windowSeries(registry: Registry, { journalStats }: StorageSources): () => void {
  const duplicates = counter(
    registry,
    'journal_duplicate_bodies_total',
    'Bodies acked and not stored, as they had been within ten minutes.',
  );
  const remembered = gauge(registry, 'journal_window_bodies', 'Bodies remembered for telling a repeated one.');
  const evicted = counter(
    registry,
    'journal_window_evicted_bodies_total',
    'Bodies forgotten before ten minutes because the window was full.',
  );
  const unrecorded = counter(
    registry,
    'journal_window_unrecorded_segments_total',
    'Loaded segments whose bodies a restart would forget.',
  );
  return () => {
    const { duplicateBodies, window } = journalStats();
    follow(duplicates, duplicateBodies);
    remembered.set(window.bodies);
    follow(evicted, window.evictedBodies);
    follow(unrecorded, window.unrecordedSegments);
  };
}

function quarantineSeries(registry: Registry, { quarantine }: StorageSources): () => void {
  const items = gauge(registry, 'quarantine_items', 'Bodies in quarantine; heliograph journal list shows them.');
  const bytes = gauge(registry, 'quarantine_bytes', 'Bytes in quarantine.');
  const dropped = counter(
    registry,
    'quarantine_dropped_items_total',
    'Bodies dropped from quarantine because newer ones needed the room.',
  );
  return () => {
    const state = quarantine();
    items.set(state.items);
    bytes.set(state.bytes);
    follow(dropped, state.droppedItems);
  };
}

function diskSeries(registry: Registry, { disk }: StorageSources): () => void {
  const used = gauge(registry, 'tables_bytes', 'Bytes of all tables on disk; absent until measured.');
  const cap = gauge(registry, 'disk_cap_bytes', 'The cap of disk.capGiB; absent without one.');
  const held = gauge(registry, 'disk_cap_held', 'Whether the cap is held: 1 or 0; absent without one.');
  const partitions = counter(registry, 'disk_dropped_partitions_total', 'Partitions dropped to hold the cap.', [
    'kind',
  ]);
  const bytes = counter(registry, 'disk_dropped_bytes_total', 'Bytes dropped to hold the cap.', ['kind']);
  for (const series of [used, cap, held]) series.remove();
  return () => {
    const { tableBytes, capBytes, isHeld, drops } = disk();
    if (tableBytes !== null) used.set(tableBytes);
    if (capBytes !== undefined) {
      cap.set(capBytes);
      held.set(isHeld ? 1 : 0);
    }
    partitions.reset();
    bytes.reset();
    for (const drop of drops) {
      partitions.inc({ kind: drop.kind }, drop.partitions);
      bytes.inc({ kind: drop.kind }, drop.bytes);
    }
  };
}

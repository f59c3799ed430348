/** Where each figure of /metrics comes from. */
import type { Clock } from '../core/ports.ts';
import type { Background } from './background/host.ts';
import type { DiskKeeper } from './disk.ts';
import type { PageDoors } from './doors.ts';
import type { Ingest } from './ingest.ts';
import type { MetricSources } from './metric-series.ts';
import type { createScheduler } from './scheduler/scheduler.ts';
import type { OpenStore } from './store.ts';

/** `background` is there once it has been started. */
export function metricSources(parts: {
  ingest: Ingest;
  disk: DiskKeeper;
  doors: PageDoors;
  store: OpenStore;
  state: { engineUp: boolean };
  scheduler: ReturnType<typeof createScheduler>;
  background(): Background | undefined;
  clock: Clock;
}): MetricSources {
  const { ingest, disk, doors, store, state, scheduler, background, clock } = parts;
  return {
    door: () => ingest.ledger.totals(),
    hooks: () => doors.ledger.totals(),
    flows: () => ingest.book.flows(),
    journalStats: () => ingest.journal.stats(),
    journalRoom: () => ingest.journal.room(),
    quarantine: ingest.quarantine.state,
    disk: disk.state,
    journal: () => ({ ...ingest.journal.depth(), refused: ingest.journal.stats().refused }),
    engine: () => ({
      up: store.engine === undefined ? state.engineUp : store.engine.state() === 'running',
      restarts: store.engine?.restarts() ?? 0,
    }),
    jobs: () => [...scheduler.stats(), ...(background()?.jobs() ?? [])],
    slowLaneWaiting: () => ingest.slowLane.waiting(),
    backgroundRestarts: () => background()?.restarts() ?? 0,
    derived: () => background()?.derived(),
    nowMs: () => clock.nowMs(),
  };
}

import type { StorageSources } from '../../app/journal-series.ts';

/** What an idle journal, an empty quarantine and a disk without a cap tell /metrics. */
export const idleStorage: StorageSources = {
  journalStats: () => ({
    bodies: 0,
    items: 0,
    bytes: 0,
    commits: 0,
    syncs: 0,
    refused: { journal_full: 0, journal_unavailable: 0, shutting_down: 0 },
    duplicateBodies: 0,
    duplicateBytes: 0,
    window: { bodies: 0, evictedBodies: 0, unrecordedSegments: 0 },
    drainBytesPerSecond: 0,
  }),
  journalRoom: () => ({
    full: undefined,
    retryAfterSeconds: null,
    backlogLeftBytes: 1,
    maxBacklogBytes: 1,
    freeBytes: null,
    minFreeBytes: 0,
  }),
  quarantine: () => ({ items: 0, bytes: 0, replayedItems: 0, droppedItems: 0 }),
  disk: () => ({ capBytes: undefined, tableBytes: null, drops: [], isHeld: true }),
};

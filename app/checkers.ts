/** What /readyz looks at. */
import type { DiskJournal } from '../ingest/journal/types.ts';
import type { Checker } from './http/health.ts';
import type { Profiler } from './profiling/profiler.ts';
import type { OpenStore } from './store.ts';

/** What /readyz says of the journal. Throws why bodies are refused. */
function describeRoom(journal: DiskJournal): string {
  const { full, retryAfterSeconds, maxBacklogBytes } = journal.room();
  if (full !== undefined) throw new Error(`${full} Senders are told to wait ${retryAfterSeconds} s.`);
  const { bytes } = journal.depth();
  const drained = Math.round(journal.stats().drainBytesPerSecond);
  return `${bytes} of ${maxBacklogBytes} bytes wait for the store, which took ${drained} a second lately`;
}

/** `state` is told whether the store answered. */
export function createCheckers(
  store: OpenStore,
  journal: DiskJournal,
  state: { migrated: boolean; engineUp: boolean },
  profiler: Profiler,
): Checker[] {
  return [
    {
      name: 'store',
      async check() {
        state.engineUp = false;
        await store.store.ping();
        state.engineUp = true;
        return undefined;
      },
    },
    {
      name: 'migrations',
      async check() {
        if (!state.migrated) throw new Error('migrations are not applied yet');
        return undefined;
      },
    },
    {
      name: 'journal',
      async check() {
        return describeRoom(journal);
      },
    },
    // Never a reason not to be ready: without a profiler everything but profiles works.
    { name: 'profiler', check: async () => profiler.describe() },
  ];
}

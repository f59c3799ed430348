/** Worker thread of the loader: takes segments from the main thread and puts them into the store. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../core/clock.ts';
import type { LoaderCommand, LoaderEvent } from '../../ingest/loader/dispatcher.ts';
import { loadSegment, SegmentPostponed } from '../../ingest/loader/load-segment.ts';
import { quarantine } from '../../ingest/journal/quarantine.ts';
import { readBodies } from '../../ingest/journal/read-bodies.ts';
import { createStore } from '../../store/client.ts';
import type { StoreAddress } from '../store.ts';
import { messageLog } from './message-log.ts';

/** What the main thread starts this worker with. */
export interface LoaderWorkerData {
  store: StoreAddress;
  quarantineDir: string;
  scratchDir: string;
}

const port = parentPort;
if (port === null) throw new Error('this module runs as a worker thread');

const { store: address, quarantineDir, scratchDir } = workerData as LoaderWorkerData;
const send = (event: LoaderEvent): void => port.postMessage(event);
const log = messageLog((line) => send({ log: line }));
const store = createStore({ ...address, log });
const never = new AbortController().signal; // the main thread ends a worker by terminating it

port.on('message', ({ load: segment }: LoaderCommand) => {
  loadSegment(
    {
      store,
      readBodies,
      quarantine: async ({ name, signal, team, format }, { offset, bytes, items }, reason) =>
        void (await quarantine(quarantineDir, {
          name: `${name}.${offset}`,
          kind: 'unloaded',
          signal,
          team,
          format,
          items,
          segment: name,
          offset,
          bytes,
          reason,
        })),
      scratchDir,
      clock: systemClock,
      log,
    },
    segment,
    never,
  ).then(
    (report) => send({ loaded: report }),
    (error: unknown) => {
      if (error instanceof SegmentPostponed) return send({ postponed: { name: segment.name, reason: error.message } });
      // A failing disk, then: let the thread die, it is started anew and the segment is loaded again.
      throw error;
    },
  );
});

/** The background thread: pollers, git, alerts. Everything periodic that computes, so that nothing of it can stall a door. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../core/clock.ts';
import { createStore } from '../../store/client.ts';
import { createBackgroundJobs } from '../background/jobs.ts';
import type { BackgroundCommand, BackgroundEvent } from '../background/protocol.ts';
import { createRemoteSink } from '../background/remote-sink.ts';
import type { Config } from '../config/schema.ts';
import { createScheduler } from '../scheduler/scheduler.ts';
import type { StoreAddress } from '../store.ts';
import { messageLog } from './message-log.ts';

/** What the main thread starts this worker with. */
export interface BackgroundWorkerData {
  config: Config;
  pageUrl: string;
  store: StoreAddress;
}

/** Jobs wait for the network most of their time; a ten-second CPU profile of each of many targets must not hold up the rest. */
const JOBS_AT_ONCE = 64;

const port = parentPort;
if (port === null) throw new Error('this module runs as a worker thread');

const { config, pageUrl, store: address } = workerData as BackgroundWorkerData;
const post = (event: BackgroundEvent, transfer: ArrayBuffer[] = []): void => port.postMessage(event, transfer);
const clock = systemClock;
const log = messageLog((line) => post({ log: line }));
const store = createStore({ ...address, log });
const rows = createRemoteSink(post);
const scheduler = createScheduler({
  clock,
  log,
  random: Math.random,
  workers: JOBS_AT_ONCE,
  onRun: ({ id, dueMs, startedMs, endedMs, lagMs, outcome }) =>
    post({ run: { id, dueMs, startedMs, endedMs, lagMs, outcome }, jobs: scheduler.stats() }),
});
let lastScrapedMs: number | null = null;
for (const job of createBackgroundJobs({
  config,
  pageUrl,
  store,
  rows,
  markCovered: (source) => post({ covered: source }),
  publishDerived: (text) => post({ derived: text }),
  lastScrapedMs: () => lastScrapedMs,
  random: Math.random,
  clock,
  log,
})) {
  scheduler.add(job);
}
scheduler.start();

port.on('message', (command: BackgroundCommand) => {
  if ('appended' in command) return rows.answered(command.appended);
  if ('scraped' in command) {
    lastScrapedMs = clock.nowMs();
    return;
  }
  void scheduler.stop(command.stop.deadlineMs).then(async () => {
    await store.close();
    post({ stopped: true });
  });
});

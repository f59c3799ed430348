/**
 * CPU per span of the engine alone, by what its threads do, merges included: ready-made segments, loaded one and two at a time,
 * until no merge is left to do. `npm run bench -- engine [segments=24]`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../core/ports.ts';
import { cpuSeconds, residentMiB, threadSeconds } from './support/process-stats.ts';
import { loadSegments, startBenchEngine, writeSegments } from './support/segments.ts';
import { printTable } from './support/table.ts';

const segmentCount = Number(process.argv[2] ?? '24');
const MERGE_THREADS = 'MergeMutate';
const QUIET_POLLS = 6;
const POLL_MS = 250;

async function mergesDone(store: Store): Promise<void> {
  for (let quiet = 0; quiet < QUIET_POLLS; await sleep(POLL_MS)) {
    const { rows } = await store.query({ sql: 'SELECT count() FROM system.merges' });
    quiet = Number(rows[0]?.[0]) === 0 ? quiet + 1 : 0;
  }
}

async function measure(atOnce: number): Promise<(string | number)[]> {
  const { store, pid, dir, stop } = await startBenchEngine();
  const segments = writeSegments(dir, segmentCount);
  const spans = segments.reduce((sum, segment) => sum + segment.spans, 0);
  const [cpuBefore, threadsBefore, startedMs] = [cpuSeconds(pid), threadSeconds(pid), performance.now()];
  await loadSegments(store, segments, atOnce);
  const wallS = (performance.now() - startedMs) / 1000;
  await mergesDone(store);
  const cpuS = cpuSeconds(pid) - cpuBefore;
  const mergeS = (threadSeconds(pid).get(MERGE_THREADS) ?? 0) - (threadsBefore.get(MERGE_THREADS) ?? 0);
  const { rows } = await store.query({
    sql: "SELECT count() FROM system.parts WHERE active AND database = 'otel' AND table = 'otel_traces'",
  });
  const perSpan = (seconds: number): number => (seconds / spans) * 1e6;
  const row = [
    atOnce,
    spans / wallS,
    perSpan(cpuS - mergeS),
    perSpan(mergeS),
    perSpan(cpuS),
    Number(rows[0]?.[0]),
    residentMiB(pid),
  ];
  await stop();
  return row;
}

printTable(
  ['loads at once', 'spans/s', 'load us/span', 'merge us/span', 'CPU us/span', 'parts left', 'resident MiB'],
  [await measure(1), await measure(2)],
);

/** One load through a Collector, from the first body sent until its queue is empty. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CollectorKind, readSpanIds, STILL_MS, startCollector } from './collector.ts';
import type { Load } from './heliograph-run.ts';
import { cpuSeconds, watchPeak } from './process-stats.ts';
import { runSender } from './run-sender.ts';
import type { Sent } from './sender-plan.ts';

export interface CollectorRun {
  sent: Sent;
  cpuS: number;
  /** From the first body until the last record was in the file; until the last ack where there is no file. */
  wallS: number;
  peakMiB: number;
}

/** Throws where acked spans are missing from the file. */
export function runCollector(program: string, kind: CollectorKind, load: Load): Promise<CollectorRun> {
  return inScratch(async (dir) => {
    const collector = await startCollector(program, kind, dir);
    const peak = watchPeak([collector.pid]);
    let [cpuBefore, startedMs] = [0, 0];
    const origin = load.form === 'grpc' ? collector.grpcUrl : collector.httpUrl;
    const sent = await runSender({ ...load, origin }, () => {
      [cpuBefore, startedMs] = [cpuSeconds(collector.pid), performance.now()];
    });
    await collector.drained();
    const drainedS = (performance.now() - startedMs - STILL_MS) / 1000;
    const cpuS = cpuSeconds(collector.pid) - cpuBefore;
    const peakMiB = peak.stop();
    await collector.kill('SIGTERM');
    if (kind !== 'nop') {
      const { ids } = readSpanIds(dir);
      if (ids.size < sent.spans) throw new Error(`${kind}: acked ${sent.spans} spans, ${ids.size} in the file`);
    }
    return { sent, cpuS, wallS: kind === 'nop' ? sent.elapsedS : Math.max(sent.elapsedS, drainedS), peakMiB };
  });
}

/** Runs with a scratch directory that is removed afterwards. */
export async function inScratch<T>(run: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-bench-'));
  try {
    return await run(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

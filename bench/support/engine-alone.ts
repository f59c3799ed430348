/** The same kind of bytes loaded by the engine from ready-made 16 MiB segments with nothing else running: the floor of ingest. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { untilQuiet } from './disk.ts';
import { openEngine } from './engine-use.ts';
import { fillWindow } from './fill.ts';
import { cpuSeconds, watchPeak } from './process-stats.ts';

export interface EngineRun {
  spans: number;
  wallS: number;
  engineCpuS: number;
  /** Merges that went on afterwards, until the engine was quiet. */
  mergeCpuS: number;
  peakMiB: number;
}

const QUIET_LIMIT_MS = 60_000;

/** Loads `spans` spans of the last minute, as many segments at once as Heliograph does. */
export async function engineAlone(spans: number): Promise<EngineRun> {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-bench-'));
  const bench = await openEngine(dir);
  try {
    const pid = bench.pid();
    const peak = watchPeak([pid]);
    const toNs = BigInt(Date.now()) * 1_000_000n;
    const [cpuBefore, startedMs] = [cpuSeconds(pid), performance.now()];
    const stored = await fillWindow({
      store: bench.store,
      dir,
      spans,
      fromNs: toNs - 60_000_000_000n,
      toNs,
      needles: [],
    });
    const [cpuLoaded, wallS] = [cpuSeconds(pid), (performance.now() - startedMs) / 1000];
    await untilQuiet(() => cpuSeconds(pid), QUIET_LIMIT_MS);
    return {
      spans: stored,
      wallS,
      engineCpuS: cpuLoaded - cpuBefore,
      mergeCpuS: cpuSeconds(pid) - cpuLoaded,
      peakMiB: peak.stop(),
    };
  } finally {
    await bench.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

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

/** Loads `spans` spans of the last minute, `loadsAtOnce` segments at the same time. */
export async function engineAlone(spans: number, loadsAtOnce: number): Promise<EngineRun> {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-bench-'));
  const bench = await openEngine(dir);
  try {
    const pid = bench.pid();
    const peak = watchPeak([pid]);
    const toNs = BigInt(Date.now()) * 1_000_000n;
    const cpuBefore = cpuSeconds(pid);
    const fromNs = toNs - 60_000_000_000n;
    const filled = await fillWindow({ store: bench.store, dir, spans, fromNs, toNs, needles: [], loadsAtOnce });
    const cpuLoaded = cpuSeconds(pid);
    await untilQuiet(() => cpuSeconds(pid), QUIET_LIMIT_MS);
    return {
      spans: filled.spans,
      wallS: filled.loadS,
      engineCpuS: cpuLoaded - cpuBefore,
      mergeCpuS: cpuSeconds(pid) - cpuLoaded,
      peakMiB: peak.stop(),
    };
  } finally {
    await bench.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

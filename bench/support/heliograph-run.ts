/** One load through a whole Heliograph, from the first body sent until the last span can be queried. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, type HeliographProcess, spawnHeliograph } from '../../test/support/heliograph-process.ts';
import { untilQuiet } from './disk.ts';
import { type FreshnessProbe, startFreshness } from './freshness.ts';
import { childrenOf, cpuSeconds, watchPeak } from './process-stats.ts';
import { runSender } from './run-sender.ts';
import type { SenderPlan, Sent } from './sender-plan.ts';

/** A plan whose door is yet to be opened. */
export type Load = Omit<SenderPlan, 'origin'>;

export interface HeliographRun {
  sent: Sent;
  /** From the first body until the last span could be queried. */
  wallS: number;
  mainCpuS: number;
  engineCpuS: number;
  /** What the engine still spent on merges afterwards, until it was quiet. */
  mergeCpuS: number;
  peakMiB: number;
  /** Milliseconds of each probe from ack to visible, sorted; empty where none was asked for. */
  freshnessMs: number[];
  unseenProbes: number;
}

export interface RunningHeliograph {
  heliograph: HeliographProcess;
  enginePid: number;
  dataDir: string;
  /** Stops it and removes its data. */
  end(): Promise<void>;
}

const STORED_LIMIT_MS = 240_000;
const QUIET_LIMIT_MS = 60_000;

/** Starts one on an empty data directory. */
export async function startFresh(): Promise<RunningHeliograph> {
  const dataDir = mkdtempSync(join(tmpdir(), 'heliograph-bench-'));
  const heliograph = await spawnHeliograph(dataDir);
  const [enginePid = -1] = childrenOf(heliograph.pid);
  const end = async (): Promise<void> => {
    heliograph.child.kill('SIGTERM');
    await heliograph.exited;
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { heliograph, enginePid, dataDir, end };
}

/** The door for a form; undefined where this build does not open one for it. */
export function originFor(form: SenderPlan['form'], heliograph: HeliographProcess): string | undefined {
  if (form !== 'grpc') return heliograph.otlpUrl;
  return (heliograph as { otlpGrpcUrl?: string }).otlpGrpcUrl;
}

/** Sends the load and waits until all of it is stored, each span once; throws where it is not. Undefined: no such door. */
export async function runHeliograph(load: Load, withFreshness: boolean): Promise<HeliographRun | undefined> {
  const running = await startFresh();
  const { heliograph, enginePid } = running;
  try {
    const origin = originFor(load.form, heliograph);
    if (origin === undefined) return undefined;
    const cpu = (): [number, number] => [cpuSeconds(heliograph.pid), cpuSeconds(enginePid)];
    let before: [number, number] = [0, 0];
    let startedMs = 0;
    let probe: FreshnessProbe | undefined;
    const peak = watchPeak([heliograph.pid, enginePid]);
    const sent = await runSender({ ...load, origin }, () => {
      before = cpu();
      startedMs = performance.now();
      if (withFreshness) probe = startFreshness(heliograph.otlpUrl, heliograph.pageUrl);
    });
    const probed = probe?.stop(STORED_LIMIT_MS);
    const stored = await eventually(async () => {
      const count = await spanCount(heliograph.pageUrl);
      return count >= sent.spans ? count : undefined;
    }, STORED_LIMIT_MS);
    const wallS = (performance.now() - startedMs) / 1000;
    if (stored !== sent.spans) throw new Error(`acked ${sent.spans} spans, stored ${stored}`);
    const after = cpu();
    const { sortedMs, unseen } = (await probed) ?? { sortedMs: [], unseen: 0 };
    await untilQuiet(() => cpuSeconds(enginePid), QUIET_LIMIT_MS);
    return {
      sent,
      wallS,
      mainCpuS: after[0] - before[0],
      engineCpuS: after[1] - before[1],
      mergeCpuS: cpuSeconds(enginePid) - after[1],
      peakMiB: peak.stop(),
      freshnessMs: sortedMs,
      unseenProbes: unseen,
    };
  } finally {
    await running.end();
  }
}

const OWN_SERVICES = ['heliograph', 'freshness-probe'];

/** Spans stored from the senders, which name themselves otherwise than Heliograph and the probes do. */
export async function spanCount(pageUrl: string): Promise<number> {
  const response = await fetch(`${pageUrl}/api/query/services?from=now-6h&to=now%2B1h`);
  const { rows } = (await response.json()) as { rows: { service: string; span_count: number }[] };
  return rows
    .filter((row) => !OWN_SERVICES.includes(row.service))
    .reduce((sum, row) => sum + Number(row.span_count), 0);
}

/** CPU and memory of other processes, read from /proc. Linux only, as the figures in docs/BENCHMARKS.md are. */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds (user + system, all threads) that a process has used. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** CPU seconds by thread name, of the threads that are alive. */
export function threadSeconds(pid: number): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    } catch {
      continue; // it ended meanwhile
    }
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const used = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    seconds.set(name, (seconds.get(name) ?? 0) + used);
  }
  return seconds;
}

/** Resident memory in MiB. */
export function residentMiB(pid: number): number {
  return kibOf(pid, 'status', 'VmRSS') / 1024;
}

/** Proportional set size in MiB: a page that n processes share counts as the n-th of a page. */
export function proportionalMiB(pid: number): number {
  return kibOf(pid, 'smaps_rollup', 'Pss') / 1024;
}

function kibOf(pid: number, file: string, name: string): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'));
  return Number(line?.[1] ?? 0);
}

/** Direct children of a process. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** Highest resident memory of some processes together, sampled twice a second until `stop`. */
export function watchPeak(pids: readonly number[]): { stop(): number } {
  let peakMiB = 0;
  const look = (): void => {
    try {
      peakMiB = Math.max(
        peakMiB,
        pids.reduce((sum, pid) => sum + residentMiB(pid), 0),
      );
    } catch {
      // one of them was killed
    }
  };
  const timer = setInterval(look, 500);
  return {
    stop: () => {
      clearInterval(timer);
      return peakMiB;
    },
  };
}

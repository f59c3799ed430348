/** A disk that really is full: small tmpfs mounts under the journal and under the engine. Needs the right to mount. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Fault, underLoad } from './fault.ts';
import { Station, sleep } from './station.ts';

/** The journal wants 512 MiB free, so it needs a little more than that to take anything. */
const JOURNAL_MIB = 560;
const ENGINE_MIB = 400;
const MIB = 1024 * 1024;

function mount(dir: string, mebibytes: number): boolean {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const options = ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'tmpfs', dir];
  return spawnSync('mount', options, { stdio: 'ignore' }).status === 0;
}

function unmount(dir: string): void {
  spawnSync('umount', ['-l', dir], { stdio: 'ignore' });
}

/** Takes what is left of the file system, down to `leaveBytes`. */
function fill(dir: string, leaveBytes: number): string {
  const path = join(dir, 'filler');
  const chunk = Buffer.alloc(4 * MIB);
  const fd = openSync(path, 'a');
  try {
    for (;;) {
      const { bavail, bsize } = statfsSync(dir);
      const left = bavail * bsize - leaveBytes;
      if (left <= 0) break;
      writeSync(fd, chunk, 0, Math.min(chunk.length, left));
    }
  } catch {
    // full: somebody else was faster
  } finally {
    closeSync(fd);
  }
  return path;
}

async function smallDisks(): Promise<Station> {
  const station = Station.create();
  const engineDir = join(station.dataDir, 'engine');
  mount(station.journalDir, JOURNAL_MIB);
  mount(engineDir, ENGINE_MIB);
  station.onClose(() => [station.journalDir, engineDir].forEach(unmount));
  return station;
}

function cannotMount(): string | undefined {
  if (process.platform !== 'linux' || !existsSync('/dev/shm')) return 'there is no tmpfs here';
  const station = Station.create();
  try {
    if (!mount(station.journalDir, 1)) return 'no right to mount a tmpfs here';
    unmount(station.journalDir);
    return undefined;
  } finally {
    rmSync(station.dataDir, { recursive: true, force: true });
  }
}

export const DISK: readonly Fault[] = [
  {
    kind: 'disk-full',
    weight: 2,
    unavailable: cannotMount,
    async run(round) {
      const station = await round.stations.named('small disks', smallDisks);
      const dirs = { journal: station.journalDir, engine: join(station.dataDir, 'engine') };
      const which = round.draw.pick(['journal', 'engine', 'both'] as const);
      const full = which === 'both' ? [dirs.journal, dirs.engine] : [dirs[which]];
      let kept = '';
      const reckoning = await underLoad(round, station, async () => {
        const leave = round.draw.pick([0, 4096, 200_000]);
        const forMs = round.draw.between(500, 2500);
        const killed = round.draw.chance(0.3);
        const fillers = full.map((dir) => fill(dir, leave));
        await sleep(forMs);
        if (killed) await station.kill('both');
        for (const filler of fillers) rmSync(filler, { force: true });
        if (killed) await station.start();
        kept = `${which} full for ${forMs} ms (${leave} bytes left)${killed ? ', both killed' : ''}`;
      });
      round.note(kept);
      return reckoning;
    },
  },
];

/** Checks of the machine: Node, the data directory, its disk, the clocks. */
import { access, constants, mkdtemp, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Clock } from '../../../core/ports.ts';
import { type Check, fail, ok, warn } from './check.ts';
import type { Seen } from './observe.ts';

const GIB = 1024 ** 3;
const LEAST_FREE_BYTES = GIB / 2;
const NODE_FLOOR = [20, 19] as const;
/** A clock before this build was made is not set at all. */
const EARLIEST_NOW_MS = Date.parse('2025-06-01T00:00:00Z');
/** A `Date` header has whole seconds and has travelled; file times of a network file system come from its server. */
const WALL_TOLERANCE_MS = 3_000;
const DRIFT_SAMPLE_MS = 250;
const DRIFT_TOLERANCE_MS = 50;

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [floorMajor, floorMinor] = NODE_FLOOR;
  if (major > floorMajor || (major === floorMajor && minor >= floorMinor)) return ok('node', `Node ${version}`);
  return fail('node', `Node ${version} is too old`, `install Node ${floorMajor}.${floorMinor} or newer`);
}

export async function checkDataDir(dataDir: string): Promise<Check> {
  const existing = await nearestExisting(dataDir);
  const what = existing === dataDir ? dataDir : `${dataDir} (to be made in ${existing})`;
  try {
    if (!(await stat(existing)).isDirectory()) throw new Error('it is not a directory');
    await access(existing, constants.W_OK | constants.X_OK);
    await probeWrite(existing);
    return ok('data directory', `${what} can be written`);
  } catch (error) {
    const mend = 'give this user the right to write there, or set HELIOGRAPH_DATA_DIR to another directory';
    return fail('data directory', `${what} cannot be written: ${(error as Error).message}`, mend);
  }
}

/** Free bytes of the file system that holds `path`, for whoever may not dip into the reserve. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(await nearestExisting(path));
  return bavail * bsize;
}

/** `free`: bytes; `maxBacklogGiB`: what the journal may grow to while the store is away. */
export function checkDisk(free: number, maxBacklogGiB: number): Check {
  const finding = `${(free / GIB).toFixed(1)} GiB free`;
  if (free < LEAST_FREE_BYTES) {
    return fail(
      'disk',
      finding,
      'free some space or set HELIOGRAPH_DATA_DIR to another disk; doors answer 503 on a full one',
    );
  }
  if (free < maxBacklogGiB * GIB) {
    const mend = `free some space or lower HELIOGRAPH_JOURNAL_MAX_BACKLOG_GIB (now ${maxBacklogGiB}), the journal may grow to it`;
    return warn('disk', finding, mend);
  }
  return ok('disk', finding);
}

/** Compares the wall clock with the monotonic one, with the file system's and with the instance's. */
export async function checkClock(clock: Clock, dataDir: string, seen: Seen): Promise<Check> {
  const mend = 'set the clock by NTP (timedatectl set-ntp true), then restart what sends spans';
  const nowMs = clock.nowMs();
  if (nowMs < EARLIEST_NOW_MS) return fail('clock', `the clock says ${new Date(nowMs).toISOString()}`, mend);
  const fileOffMs = await fileTimeOffMs(clock, dataDir);
  if (Math.abs(fileOffMs) > WALL_TOLERANCE_MS) {
    return fail('clock', `the clock is ${seconds(fileOffMs)} the time of files in the data directory`, mend);
  }
  const instanceOffMs = instanceTimeOffMs(seen);
  if (Math.abs(instanceOffMs) > WALL_TOLERANCE_MS) {
    return fail('clock', `the clock is ${seconds(instanceOffMs)} the clock of the running instance`, mend);
  }
  const driftMs = await driftOverSampleMs(clock);
  if (Math.abs(driftMs) > DRIFT_TOLERANCE_MS) {
    return warn(
      'clock',
      `the clock moved ${Math.round(driftMs)} ms against the monotonic clock while being watched`,
      mend,
    );
  }
  const compared = seen.kind === 'up' ? 'file times and the running instance' : 'file times';
  return ok('clock', `agrees with ${compared} and runs evenly`);
}

/** Positive: our clock is ahead. */
async function fileTimeOffMs(clock: Clock, dataDir: string): Promise<number> {
  try {
    return await probeTime(clock, dataDir);
  } catch {
    return probeTime(clock, tmpdir()); // not made yet or not ours to write: another check says so
  }
}

async function probeTime(clock: Clock, dir: string): Promise<number> {
  const probe = await mkdtemp(join(dir, '.doctor-'));
  try {
    return clock.nowMs() - (await stat(probe)).mtimeMs;
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

/** The header is cut to whole seconds, so up to one second late is not off at all. */
function instanceTimeOffMs(seen: Seen): number {
  if (seen.kind !== 'up' || seen.dateMs === undefined || Number.isNaN(seen.dateMs)) return 0;
  const offMs = seen.askedAtMs - seen.dateMs;
  return offMs > 0 ? Math.max(0, offMs - 1_000) : offMs;
}

async function driftOverSampleMs(clock: Clock): Promise<number> {
  const wallMs = clock.nowMs();
  const monotonicMs = clock.monotonicMs();
  // A timer of the port does not keep the process alive; this one must.
  const hold = setTimeout(() => {}, 10 * DRIFT_SAMPLE_MS);
  await new Promise<void>((resolve) => clock.after(DRIFT_SAMPLE_MS, resolve));
  clearTimeout(hold);
  return clock.nowMs() - wallMs - (clock.monotonicMs() - monotonicMs);
}

function seconds(offMs: number): string {
  return `${Math.round(Math.abs(offMs) / 1_000)} s ${offMs > 0 ? 'ahead of' : 'behind'}`;
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) return path;
    return nearestExisting(dirname(path));
  }
}

async function probeWrite(dir: string): Promise<void> {
  const probe = await mkdtemp(join(dir, '.doctor-'));
  try {
    await writeFile(join(probe, 'probe'), 'x');
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

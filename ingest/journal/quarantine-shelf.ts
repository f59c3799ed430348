/** What is done with quarantined bytes after they were put away: found again, moved when they were replayed, dropped, bounded. */
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf, machineFiles } from './files.ts';
import { isQuarantineName, listQuarantine, type QuarantineEntry } from './quarantine.ts';

export interface QuarantineLimits {
  maxBytes: number;
  maxItems: number;
}

export interface QuarantineSums {
  items: number;
  bytes: number;
  /** Replayed ones, kept for a while. */
  replayedItems: number;
}

/** Where replayed items go. */
export function replayedDir(dir: string): string {
  return join(dir, 'replayed');
}

/** The item of that name, and whether it was replayed; undefined where there is none. */
export async function findQuarantined(
  dir: string,
  name: string,
): Promise<{ entry: QuarantineEntry; isReplayed: boolean } | undefined> {
  for (const [place, isReplayed] of [
    [dir, false],
    [replayedDir(dir), true],
  ] as const) {
    const entry = isQuarantineName(name) && (await listQuarantine(place)).find((each) => each.name === name);
    if (entry) return { entry, isReplayed };
  }
  return undefined;
}

/** Moves an item to those that were replayed. Durable when it resolves. */
export async function shelveReplayed(dir: string, name: string): Promise<void> {
  const to = replayedDir(dir);
  await mkdir(to, { recursive: true, mode: 0o700 });
  // The reason first: bytes without one are no longer offered for replay.
  await rename(join(dir, `${name}.json`), join(to, `${name}.json`));
  await rename(join(dir, name), join(to, name));
  await Promise.all([machineFiles.syncDir(dir), machineFiles.syncDir(to)]);
}

/** Deletes an item for good. One that is gone already is no error. */
export async function dropQuarantined({ path }: QuarantineEntry): Promise<void> {
  await rm(path, { force: true });
  await rm(`${path}.json`, { force: true });
  try {
    await machineFiles.syncDir(dirname(path));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Drops what is over the limits: replayed items first, then the oldest. Returns what went and what is left. */
export async function boundQuarantine(
  dir: string,
  { maxBytes, maxItems }: QuarantineLimits,
): Promise<{ dropped: QuarantineEntry[]; left: QuarantineSums }> {
  const byAge = (a: QuarantineEntry, b: QuarantineEntry): number => a.atMs - b.atMs || (a.name < b.name ? -1 : 1);
  const replayed = (await listQuarantine(replayedDir(dir))).toSorted(byAge);
  const waiting = (await listQuarantine(dir)).toSorted(byAge);
  const queue = [...replayed, ...waiting];
  let bytes = queue.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0);
  const dropped: QuarantineEntry[] = [];
  for (const entry of queue) {
    if (bytes <= maxBytes && queue.length - dropped.length <= maxItems) break;
    await dropQuarantined(entry);
    bytes -= entry.bytes ?? 0;
    dropped.push(entry);
  }
  const left = queue.slice(dropped.length);
  const replayedItems = Math.max(0, replayed.length - dropped.length);
  return { dropped, left: { items: left.length - replayedItems, bytes, replayedItems } };
}

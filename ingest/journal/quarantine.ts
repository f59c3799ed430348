/**
 * Where bytes go that could not be loaded or read: kept, each with the reason beside it, until a person has looked. The
 * reason is written first, so there are never bytes that nothing explains; doing it again after a crash changes nothing.
 */
import { type FileHandle, mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SegmentFormat } from '../../core/ports.ts';
import { errnoOf, machineFiles } from './files.ts';

/**
 * Why it is here. `unloaded`: acked, and the store could not read it: it can be replayed. `sample`: a body of which some items broke a rule,
 * kept to be looked at; the others are stored. `damaged`: not the bytes that were acked any more.
 */
export type QuarantineKind = 'unloaded' | 'sample' | 'damaged';

export interface QuarantineItem {
  /** File name in the quarantine directory: letters, digits, `.`, `_` and `-`. */
  name: string;
  /** What is wrong with it, for people; no secret. */
  reason: string;
  signal: string | null;
  /** The segment it comes from and where in it, where that is known. */
  segment: string | null;
  offset: number | null;
  kind?: QuarantineKind;
  /** What its journal lane was called, where that is known. */
  team?: string;
  format?: SegmentFormat;
  /** Spans or rows in it that were acked. */
  items?: number;
  /** When a replay of it was begun, Unix ms; it is moved away at the end of one. */
  replayingMs?: number;
}

/** The bytes themselves, or a file on the same file system that is moved. */
export type QuarantineContent = { bytes: Uint8Array } | { path: string };

export interface QuarantineEntry extends QuarantineItem {
  /** Absolute path of the bytes. */
  path: string;
  /** Size; null when the bytes are not there (a crash between reason and bytes; the source still has them). */
  bytes: number | null;
  /** When its reason was written last, Unix ms. */
  atMs: number;
}

const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/**
 * Puts bytes away with their reason; durable when it resolves. The same name again overwrites. Throws a RangeError for a
 * bad name, and what the file system throws.
 *
 * @param dir the quarantine directory, created when missing
 */
export async function quarantine(dir: string, item: QuarantineItem & QuarantineContent): Promise<void> {
  const { name } = item;
  if (!isQuarantineName(name))
    throw new RangeError(`quarantine name ${JSON.stringify(name)}: only letters, digits, . _ and -`);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeReason(dir, item);
  const target = join(dir, name);
  if ('bytes' in item) {
    await writeDurably(target, item.bytes);
  } else {
    await rename(item.path, target);
    await machineFiles.syncDir(dirname(item.path));
  }
  await machineFiles.syncDir(dir);
  await machineFiles.syncDir(dirname(dir));
}

/** Writes the reason file anew; readers see the old one or this one. Durable when it resolves, but for the name of a new file. */
export async function writeReason(dir: string, item: QuarantineItem): Promise<void> {
  const { name, reason, signal, segment, offset, kind, team, format, items, replayingMs } = item;
  const fields = { name, reason, signal, segment, offset, kind, team, format, items, replayingMs };
  const path = join(dir, `${name}.json`);
  await writeDurably(`${path}.new`, Buffer.from(`${JSON.stringify(fields, null, 2)}\n`, 'utf8'));
  await rename(`${path}.new`, path);
}

/** Whether a name may be one in the quarantine directory: never one that leads out of it. */
export function isQuarantineName(name: string): boolean {
  return NAME.test(name);
}

/** Everything in the quarantine directory, by name; empty when there is none. An unreadable reason says so. */
export async function listQuarantine(dir: string): Promise<QuarantineEntry[]> {
  const names = await orMissing(readdir(dir), []);
  const reasons = names.filter((name) => name.endsWith('.json')).toSorted();
  return Promise.all(reasons.map((file) => entry(dir, file.slice(0, -'.json'.length))));
}

async function entry(dir: string, name: string): Promise<QuarantineEntry> {
  const path = join(dir, name);
  const atMs = await orMissing(
    stat(`${path}.json`).then((found) => found.mtimeMs),
    0,
  );
  const bytes = await orMissing(
    stat(path).then((found) => found.size),
    null,
  );
  try {
    const item = JSON.parse(await readFile(`${path}.json`, 'utf8')) as QuarantineItem;
    return { ...item, name, path, bytes, atMs };
  } catch {
    return {
      name,
      reason: 'the reason file cannot be read',
      signal: null,
      segment: null,
      offset: null,
      path,
      bytes,
      atMs,
    };
  }
}

async function orMissing<T>(found: Promise<T>, missing: T): Promise<T> {
  try {
    return await found;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return missing;
    throw error;
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'w', 0o600);
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file?.close();
  }
}

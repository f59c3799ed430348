/** The journal as it lies in a data directory, read without the instance that owns it. Nothing is written or mended here. */
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { WINDOW_MS } from '../../../ingest/journal/duplicate-window.ts';
import { errnoOf } from '../../../ingest/journal/files.ts';
import { parseHeader } from '../../../ingest/journal/index-file.ts';
import { listQuarantine } from '../../../ingest/journal/quarantine.ts';
import { replayedDir } from '../../../ingest/journal/quarantine-shelf.ts';

export interface DirectoryStatus {
  segments: number;
  bytes: number;
  /** Unix ms; null where nothing waits or no header says it. */
  oldestMs: number | null;
  /** Files with the hashes of loaded bodies that are young enough to matter. */
  windowFiles: number;
  quarantine: { items: number; bytes: number; replayedItems: number };
}

const HEADER_BYTES = 4096;

/** Undefined where there is no journal. Throws what the file system throws otherwise. */
export async function readDirectory(dir: string, nowMs: number): Promise<DirectoryStatus | undefined> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const status: DirectoryStatus = {
    segments: 0,
    bytes: 0,
    oldestMs: null,
    windowFiles: 0,
    quarantine: { items: 0, bytes: 0, replayedItems: 0 },
  };
  for (const name of names) {
    const found = await stat(join(dir, name));
    if (name.endsWith('.dup') && nowMs - found.mtimeMs < WINDOW_MS) status.windowFiles++;
    if (!name.endsWith('.seg')) continue;
    status.segments++;
    status.bytes += found.size;
    const atMs = await firstAppendMs(join(dir, `${name.slice(0, -4)}.idx`));
    if (atMs !== null && (status.oldestMs === null || atMs < status.oldestMs)) status.oldestMs = atMs;
  }
  const waiting = await listQuarantine(join(dir, 'quarantine'));
  const bytes = waiting.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0);
  const replayed = await listQuarantine(replayedDir(join(dir, 'quarantine')));
  status.quarantine = { items: waiting.length, bytes, replayedItems: replayed.length };
  return status;
}

async function firstAppendMs(indexPath: string): Promise<number | null> {
  try {
    const file = await open(indexPath);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
      const header = parseHeader(buffer.subarray(0, bytesRead));
      return header.ok ? header.header.firstAppendMs : null;
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

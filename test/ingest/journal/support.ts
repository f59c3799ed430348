import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { createJournal } from '../../../ingest/journal/journal.ts';
import type { DiskJournal, JournalDeps, JournalOptions } from '../../../ingest/journal/types.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { body } from './body.ts';

export const DAY_MS = 86_400_000;

/** In memory where there is such a place: most tests sync thousands of times and ask nothing of the disk itself. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A directory that is gone after the test. */
export function tempDir(parent = MEMORY): string {
  const dir = mkdtempSync(join(parent, 'journal-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A journal with room to write on any machine. */
export function openJournal(
  dir: string,
  options: Partial<JournalOptions> = {},
  deps: Partial<Omit<JournalDeps, 'dir' | 'options'>> = {},
): Promise<DiskJournal> {
  return createJournal({
    dir,
    clock: systemClock,
    log: memoryLog(),
    ...deps,
    options: { minFreeBytes: 0, retentionMs: () => DAY_MS, loadSettings: { max_block_size: 65_536 }, ...options },
  });
}

/** The bodies that wait in the journal, each checked byte for byte: `[id, items]` in order. Throws for a damaged one. */
export async function waiting(journal: DiskJournal): Promise<[number, number][]> {
  const found: [number, number][] = [];
  for (const segment of journal.sealed()) {
    let bytes = 0;
    for await (const stored of journal.readBodies(segment)) {
      const id = stored.bytes.readUInt32LE(0);
      const intact =
        stored.crcOk && stored.offset === bytes && body(id, stored.length).bytes.every((b, i) => b === stored.bytes[i]);
      if (!intact) throw new Error(`segment ${segment.name}: body at ${stored.offset} is not what was appended`);
      found.push([id, stored.items]);
      bytes += stored.length;
    }
    if (bytes !== segment.bytes) throw new Error(`segment ${segment.name}: ${bytes} bytes of ${segment.bytes}`);
  }
  return found;
}

export async function waitingIds(journal: DiskJournal): Promise<number[]> {
  return (await waiting(journal)).map(([id]) => id).toSorted((a, b) => a - b);
}

/** The error code a promise was refused with, or 'ok'. */
export async function outcome(done: Promise<unknown>): Promise<string> {
  try {
    await done;
    return 'ok';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

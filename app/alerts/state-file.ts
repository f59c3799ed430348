/** The file of the alerts' state, replaced whole: temporary file, fsync, rename, fsync of the directory. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { StateFile } from '../../alerts/book.ts';
import type { Clock } from '../../core/ports.ts';

/** The file lies in `dir`, which is made when first written. */
export function createStateFile(dir: string, clock: Pick<Clock, 'nowMs'>): StateFile {
  const path = join(dir, 'state.json');
  return {
    async read() {
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(text) {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const early = `${path}.new`;
      const file = await open(early, 'w', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(early, path);
      await syncDir(dir);
    },
    async setAside() {
      const aside = `${path}.broken-${clock.nowMs()}`;
      await rename(path, aside);
      await syncDir(dir);
      return aside;
    },
  };
}

async function syncDir(path: string): Promise<void> {
  const dir = await open(path, 'r');
  try {
    await dir.sync();
  } finally {
    await dir.close();
  }
}

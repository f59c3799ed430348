/**
 * What a full disk and a kill leave of a table or view that was being defined or altered: a definition that is empty, over which
 * the engine never opens again. So every definition is kept a second time, beside the engine's directory, and an
 * empty one is taken from there. One that was never kept had not been finished: it holds no rows yet and can go, as each start
 * defines anew what is missing.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const UUID = /UUID '([0-9a-f-]{36})'/;
const DATABASES = ['boards', 'heliograph', 'otel', 'people'];

export interface Mended {
  /** Definitions taken from their kept copy, as `database.table`. */
  restored: string[];
  removed: string[];
}

/** Keeps a copy of every definition that is not empty; to be called when all tables stand. Throws what the file system throws. */
export function keepDefinitions(engineDir: string): void {
  for (const { database, dir } of databaseDirs(engineDir)) {
    const keptDir = join(keptRoot(engineDir), database);
    mkdirSync(keptDir, { recursive: true, mode: 0o700 });
    for (const file of definitionsIn(dir)) {
      const text = readFileSync(join(dir, file));
      const kept = join(keptDir, file);
      if (text.length === 0 || (existsSync(kept) && readFileSync(kept).equals(text))) continue;
      replaceFile(kept, text);
    }
  }
}

/** Mends the empty definitions under `engineDir`, on which no engine may be running. */
export function mendDefinitions(engineDir: string): Mended {
  const mended: Mended = { restored: [], removed: [] };
  for (const { database, dir } of databaseDirs(engineDir)) {
    for (const file of definitionsIn(dir)) {
      const path = join(dir, file);
      if (statSync(path).size > 0) continue;
      const kept = join(keptRoot(engineDir), database, file);
      const name = `${database}.${file.slice(0, -'.sql'.length)}`;
      // A view is defined anew at each start, so there is nothing of it to restore.
      if (database !== 'boards' && existsSync(kept)) {
        replaceFile(path, readFileSync(kept));
        mended.restored.push(name);
      } else {
        rmSync(path);
        mended.removed.push(name);
      }
    }
  }
  return mended;
}

/** Outside of the engine's own directory, which it looks through. */
function keptRoot(engineDir: string): string {
  return join(dirname(engineDir), 'definitions');
}

function databaseDirs(engineDir: string): { database: string; dir: string }[] {
  return DATABASES.flatMap((database) => {
    const definition = join(engineDir, 'metadata', `${database}.sql`);
    const [, uuid] = existsSync(definition) ? (UUID.exec(readFileSync(definition, 'utf8')) ?? []) : [];
    if (uuid === undefined) return [];
    const dir = join(engineDir, 'store', uuid.slice(0, 3), uuid);
    return existsSync(dir) ? [{ database, dir }] : [];
  });
}

function definitionsIn(dir: string): string[] {
  return readdirSync(dir).filter((file) => file.endsWith('.sql'));
}

/** Old or new, never empty. */
function replaceFile(path: string, bytes: Buffer): void {
  const fresh = `${path}.kept`;
  const fd = openSync(fresh, 'w', 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, path);
}

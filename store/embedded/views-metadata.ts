/**
 * What a full disk and a kill leave of a view: a definition that is empty, over which the engine never opens again. The database
 * `boards` holds nothing but views, and each start defines them anew, so an empty one can go. An empty definition elsewhere
 * may stand for a table with data and is left for a person.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const UUID = /UUID '([0-9a-f-]{36})'/;

/** Removes empty definitions of views under `engineDir`, on which no engine may be running; returns their names. */
export function removeEmptyViews(engineDir: string): string[] {
  const definition = join(engineDir, 'metadata', 'boards.sql');
  const [, uuid] = existsSync(definition) ? (UUID.exec(readFileSync(definition, 'utf8')) ?? []) : [];
  if (uuid === undefined) return [];
  const dir = join(engineDir, 'store', uuid.slice(0, 3), uuid);
  if (!existsSync(dir)) return [];
  const empty = readdirSync(dir).filter((file) => file.endsWith('.sql') && statSync(join(dir, file)).size === 0);
  for (const file of empty) rmSync(join(dir, file));
  return empty.map((file) => file.slice(0, -'.sql'.length));
}

/** Defines the analyzers' views. They are replaced at every start: a view has no data to lose, and the code is its only source. */
import { readFile } from 'node:fs/promises';
import { HeliographError } from '../core/errors.ts';
import { assetPath } from '../core/paths.ts';
import type { Log, Store } from '../core/ports.ts';
import { type Layout, renderSql, type ViewSettings } from './render.ts';

/** Creates or replaces every view of the given `.sql` files (paths from the package root). Throws `migration_failed` naming the file. */
export async function defineViews(
  store: Store,
  layout: Layout,
  files: readonly string[],
  settings?: ViewSettings,
): Promise<void> {
  for (const file of files) {
    try {
      for (const sql of renderSql(await readFile(assetPath(file), 'utf8'), layout, settings))
        await store.command({ sql });
    } catch (error) {
      throw new HeliographError('migration_failed', `${file}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/**
 * Grants the face's role to our own user of a server, which may then take it; the embedded engine has it in its configuration. A user
 * that stands in the server's configuration files cannot be granted anything: the face then does without.
 */
export async function grantFaceRole(store: Store, layout: Layout, log: Log): Promise<void> {
  if (layout.kind === 'embedded') return;
  try {
    for (const sql of renderSql('GRANT {{on_cluster}} heliograph_face TO CURRENT_USER', layout))
      await store.command({ sql });
  } catch (error) {
    log.warn({ err: error }, 'the role of /clickhouse/ cannot be granted to our user');
  }
}

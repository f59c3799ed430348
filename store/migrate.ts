/**
 * The migrator. Migrations are forward-only `.sql` files, numbered without gaps, applied once, in order. Every statement is
 * `IF NOT EXISTS`, so a migration cut short by a crash is simply run again.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { HeliographError } from '../core/errors.ts';
import { assetPath } from '../core/paths.ts';
import type { Log, Store } from '../core/ports.ts';
import { type Layout, renderSql } from './render.ts';

/** One file of `store/migrations`. `checksum` is over the file's text, before rendering. */
export interface Migration {
  number: number;
  name: string;
  text: string;
  checksum: string;
}

const LEDGER = `
CREATE DATABASE IF NOT EXISTS heliograph {{on_cluster}};
CREATE TABLE IF NOT EXISTS heliograph.migrations {{on_cluster}} (
  number UInt32, name String, checksum String, applied_at DateTime64(3) DEFAULT now64(3)
) ENGINE = {{engine MergeTree}} ORDER BY number
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

/** Reads `store/migrations`, in order. Throws when numbers repeat, skip or a name does not fit `NNNN_name.sql`. */
export async function readMigrations(directory = assetPath('store/migrations')): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file, index) => {
      const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(file)?.[1]);
      if (number !== index + 1) {
        throw new HeliographError('migration_failed', `migration ${file} should carry number ${index + 1}`);
      }
      const text = await readFile(`${directory}/${file}`, 'utf8');
      return { number, name: file, text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

/**
 * Applies what is missing and returns the names applied. Refuses (`migration_failed`) when an applied migration has
 * changed since, or when the store is ahead of this build.
 */
export async function migrate(
  store: Store,
  layout: Layout,
  log: Log,
  migrations: readonly Migration[],
): Promise<string[]> {
  for (const statement of renderSql(LEDGER, layout)) await store.command({ sql: statement });
  const { rows } = await store.query({
    sql: 'SELECT number, name, checksum FROM heliograph.migrations ORDER BY number',
  });
  const applied = new Map(rows.map(([number, name, checksum]) => [Number(number), { name, checksum }]));
  const newest = Math.max(0, ...applied.keys());
  if (newest > migrations.length) {
    throw new HeliographError(
      'migration_failed',
      `the store is at migration ${newest}, this build knows ${migrations.length}: run a newer Heliograph`,
    );
  }
  const done: string[] = [];
  for (const migration of migrations) {
    const before = applied.get(migration.number);
    if (before === undefined) {
      await apply(store, layout, migration);
      log.info({ migration: migration.name }, 'migration applied');
      done.push(migration.name);
    } else if (before.checksum !== migration.checksum) {
      throw new HeliographError('migration_failed', `migration ${migration.name} was changed after it was applied`);
    }
  }
  return done;
}

async function apply(store: Store, layout: Layout, migration: Migration): Promise<void> {
  try {
    for (const sql of renderSql(migration.text, layout)) await store.command({ sql });
    const { number, name, checksum } = migration;
    await store.insertRows('heliograph.migrations', [{ number, name, checksum }]);
  } catch (error) {
    throw new HeliographError('migration_failed', `migration ${migration.name}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

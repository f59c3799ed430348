import type { Statement, Store } from '../../../core/ports.ts';

/** Rows of a statement in column order. */
export type ReadRows = (
  sql: string,
  params: NonNullable<Statement['params']>,
  signal: AbortSignal,
) => Promise<readonly (readonly unknown[])[]>;

/** A scrape's series are read in the background of everything else: one thread, and no longer than the job's own time. */
const SETTINGS: NonNullable<Statement['settings']> = { max_execution_time: 10, max_threads: 1 };

export function createReadRows(store: Store): ReadRows {
  return async (sql, params, signal) => (await store.query({ sql, params, settings: SETTINGS, signal })).rows;
}

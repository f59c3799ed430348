import type { Statement, Store } from '../../../core/ports.ts';

/** Rows of a statement in column order. */
export type ReadRows = (
  sql: string,
  params: NonNullable<Statement['params']>,
  signal: AbortSignal,
) => Promise<readonly (readonly unknown[])[]>;

/** Behind everything else: one thread. A statement that takes this long is not worth waiting for. */
const SETTINGS: NonNullable<Statement['settings']> = { max_execution_time: 25, max_threads: 1 };

export function createReadRows(store: Store): ReadRows {
  return async (sql, params, signal) => (await store.query({ sql, params, settings: SETTINGS, signal })).rows;
}

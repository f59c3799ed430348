import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rows, RowSignal } from '../../core/rows.ts';
import { encodeRows } from '../../ingest/rows.ts';
import { PINNED_BLOCK_SETTINGS } from '../../store/load.ts';
import type { TestEngine } from './engine.ts';

/** Loads rows into the engine on the road that the loader takes. */
export async function loadRows<S extends RowSignal>(
  engine: TestEngine,
  signal: S,
  rows: readonly Rows[S][],
): Promise<void> {
  const token = `${signal}-${randomBytes(8).toString('hex')}`;
  const path = join(engine.dir, token);
  writeFileSync(path, Buffer.concat(encodeRows(rows).map(({ bytes }) => bytes)));
  const settings = { ...PINNED_BLOCK_SETTINGS };
  await engine.store.load({ token, signal, team: '', path, loNs: 0n, hiNs: 0n, settings });
}

/** Rows of a statement as objects. */
export async function queryRows(engine: TestEngine, sql: string): Promise<Record<string, unknown>[]> {
  const { columns, rows } = await engine.store.query({ sql });
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
}

/** A row sink that loads what it is given into the engine at once, by the recipes of the loader. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RowSink } from '../../core/rows.ts';
import { encodeRows } from '../../ingest/rows.ts';
import { PINNED_BLOCK_SETTINGS } from '../../store/load.ts';
import type { TestEngine } from './engine.ts';

export function engineSink(engine: TestEngine): RowSink {
  let sequence = 0;
  return {
    async append(signal, rows) {
      const token = `${signal}-${sequence++}-${Math.random()}`;
      const path = join(engine.dir, token);
      writeFileSync(path, Buffer.concat(encodeRows(rows).map(({ bytes }) => bytes)));
      const settings = { ...PINNED_BLOCK_SETTINGS };
      await engine.store.load({ token, signal, team: '', path, loNs: 0n, hiNs: 0n, settings });
    },
  };
}

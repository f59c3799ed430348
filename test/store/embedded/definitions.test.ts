import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import type { Store } from '../../../core/ports.ts';
import { createStore } from '../../../store/client.ts';
import { startEmbedded } from '../../../store/embedded/supervisor.ts';
import { keepDefinitions, mendDefinitions } from '../../../store/embedded/definitions.ts';
import { quietLog } from '../../support/quiet-log.ts';

async function withEngine<T>(dataDir: string, use: (store: Store) => Promise<T>): Promise<T> {
  const engine = await startEmbedded({
    dataDir,
    clock: systemClock,
    log: quietLog,
    backoff: { startDeadlineMs: 8000 },
  });
  const store = createStore({ socketPath: engine.socketPath, log: quietLog });
  try {
    return await use(store);
  } finally {
    await store.close();
    await engine.stop(5000);
  }
}

test('a view whose definition a full disk left empty does not keep the engine from opening, and can be defined anew', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hg-views-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  expect(mendDefinitions(join(dir, 'engine'))).toEqual({ restored: [], removed: [] });
  await withEngine(dir, async (store) => {
    await store.command({ sql: 'CREATE DATABASE boards' });
    for (const view of ['one', 'two']) await store.command({ sql: `CREATE VIEW boards.${view} AS SELECT 1 AS x` });
  });
  const [, uuid = ''] =
    /UUID '([^']+)'/.exec(readFileSync(join(dir, 'engine', 'metadata', 'boards.sql'), 'utf8')) ?? [];
  const views = join(dir, 'engine', 'store', uuid.slice(0, 3), uuid);
  truncateSync(join(views, 'one.sql'));
  await withEngine(dir, async (store) => {
    expect((await store.query({ sql: 'SHOW TABLES FROM boards' })).rows).toEqual([['two']]);
    await store.command({ sql: 'CREATE OR REPLACE VIEW boards.one AS SELECT 2 AS x' });
    expect((await store.query({ sql: 'SELECT x FROM boards.one' })).rows).toEqual([[2]]);
  });
  expect(readdirSync(views).filter((file) => statSync(join(views, file)).size === 0)).toEqual([]);
});

test('a table whose definition a full disk left empty comes back with its rows; one that was never finished can be made anew', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hg-tables-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const engineDir = join(dir, 'engine');
  const create = (name: string): string => `CREATE TABLE heliograph.${name} (x UInt8) ENGINE = MergeTree ORDER BY x`;
  await withEngine(dir, async (store) => {
    await store.command({ sql: 'CREATE DATABASE heliograph' });
    await store.command({ sql: create('kept') });
    await store.command({ sql: 'INSERT INTO heliograph.kept VALUES (7)' });
    keepDefinitions(engineDir);
    await store.command({ sql: create('late') });
  });
  const [, uuid = ''] =
    /UUID '([^']+)'/.exec(readFileSync(join(engineDir, 'metadata', 'heliograph.sql'), 'utf8')) ?? [];
  for (const name of ['kept', 'late']) truncateSync(join(engineDir, 'store', uuid.slice(0, 3), uuid, `${name}.sql`));
  await withEngine(dir, async (store) => {
    expect((await store.query({ sql: 'SELECT x FROM heliograph.kept' })).rows).toEqual([[7]]);
    await store.command({ sql: create('late') });
  });
});

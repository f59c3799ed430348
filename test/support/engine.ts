import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANALYZERS } from '../../analyzers/index.ts';
import { systemClock } from '../../core/clock.ts';
import type { Store } from '../../core/ports.ts';
import { createStore } from '../../store/client.ts';
import { type EmbeddedEngine, startEmbedded } from '../../store/embedded/supervisor.ts';
import { migrate, readMigrations } from '../../store/migrate.ts';
import type { Layout } from '../../store/render.ts';
import { defineViews } from '../../store/views.ts';
import { quietLog } from './quiet-log.ts';

/** The engine for a test file: a fresh embedded one, or the server of HELIOGRAPH_CLICKHOUSE_URL. */
export interface TestEngine {
  store: Store;
  layout: Layout;
  /** Scratch directory, removed by `stop`. */
  dir: string;
  /** Undefined on a server. */
  engine: EmbeddedEngine | undefined;
  stop(): Promise<void>;
}

/** Starts an engine without tables. */
export async function startTestEngine(): Promise<TestEngine> {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-'));
  const removeDir = (): void => rmSync(dir, { recursive: true, force: true });
  const url = process.env['HELIOGRAPH_CLICKHOUSE_URL'];
  if (url !== undefined) {
    const store = createStore({ url, log: quietLog });
    return {
      store,
      layout: { kind: 'server', definer: 'CURRENT_USER' },
      dir,
      engine: undefined,
      stop: async () => (await store.close(), removeDir()),
    };
  }
  const engine = await startEmbedded({ dataDir: dir, clock: systemClock, log: quietLog });
  const store = createStore({ socketPath: engine.socketPath, log: quietLog });
  const stop = async (): Promise<void> => {
    await store.close();
    await engine.stop(5000);
    removeDir();
  };
  return { store, layout: { kind: 'embedded', definer: 'default' }, dir, engine, stop };
}

/** Starts an engine with every table and view in place. On a server, what an earlier run left is dropped first. */
export async function startMigratedEngine(): Promise<TestEngine> {
  const engine = await startTestEngine();
  if (engine.engine === undefined) {
    for (const database of ['boards', 'heliograph', 'otel', 'people'])
      await engine.store.command({ sql: `DROP DATABASE IF EXISTS ${database} SYNC` });
  }
  await migrate(engine.store, engine.layout, quietLog, await readMigrations());
  await defineViews(
    engine.store,
    engine.layout,
    ANALYZERS.map((analyzer) => analyzer.sql),
  );
  return engine;
}

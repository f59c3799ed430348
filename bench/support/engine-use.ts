/** The embedded engine on its own for a bench: migrated, with the boards' views, and asked over its socket as clients do. */
import { request } from 'node:http';
import { ANALYZERS } from '../../analyzers/index.ts';
import { systemClock } from '../../core/clock.ts';
import type { Store } from '../../core/ports.ts';
import { createStore } from '../../store/client.ts';
import { type EmbeddedEngine, startEmbedded } from '../../store/embedded/supervisor.ts';
import { migrate, readMigrations } from '../../store/migrate.ts';
import { defineViews } from '../../store/views.ts';
import { quietLog } from '../../test/support/quiet-log.ts';

export interface BenchEngine {
  store: Store;
  engine: EmbeddedEngine;
  pid(): number;
  stop(): Promise<void>;
}

/** Opens `<dataDir>/engine`, new or as a Heliograph left it, with every table and view in place. */
export async function openEngine(dataDir: string): Promise<BenchEngine> {
  const engine = await startEmbedded({ dataDir, clock: systemClock, log: quietLog });
  const store = createStore({ socketPath: engine.socketPath, log: quietLog, requestTimeoutMs: 300_000 });
  const layout = { kind: 'embedded', definer: 'default' } as const;
  await migrate(store, layout, quietLog, await readMigrations());
  await defineViews(
    store,
    layout,
    ANALYZERS.map((analyzer) => analyzer.sql),
  );
  return {
    store,
    engine,
    pid: () => engine.pid() ?? -1,
    stop: async () => {
      await store.close();
      await engine.stop(10_000);
    },
  };
}

/** Runs a statement and returns the text of its answer, tab-separated unless it names a format. Rejects with what the engine says. */
export function ask(engine: EmbeddedEngine, sql: string, settings: Record<string, string> = {}): Promise<string> {
  const parameters = new URLSearchParams({ default_format: 'TabSeparated', ...settings });
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: engine.socketPath, path: `/?${parameters.toString()}`, method: 'POST' },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(text.slice(0, 500)));
        });
      },
    );
    call.on('error', reject);
    call.end(sql);
  });
}

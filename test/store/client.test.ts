import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { createStore } from '../../store/client.ts';
import { startEmbedded } from '../../store/embedded/supervisor.ts';
import { quietLog } from '../support/quiet-log.ts';
import { storeSuite } from './client.suite.ts';

storeSuite('the store on the embedded engine', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-'));
  const engine = await startEmbedded({ dataDir: dir, clock: systemClock, log: quietLog });
  const store = createStore({ socketPath: engine.socketPath, log: quietLog });
  const stop = async (): Promise<void> => {
    await store.close();
    await engine.stop(5000);
    rmSync(dir, { recursive: true, force: true });
  };
  return { store, socketPath: engine.socketPath, dir, stop };
});

const url = process.env['HELIOGRAPH_CLICKHOUSE_URL'];
if (url !== undefined) {
  storeSuite('the store on a ClickHouse server', () => {
    const dir = mkdtempSync(join(tmpdir(), 'heliograph-'));
    const store = createStore({ url, log: quietLog });
    const stop = async (): Promise<void> => {
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    };
    return Promise.resolve({ store, url, dir, stop });
  });
}

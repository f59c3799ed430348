/** Which engine this Heliograph talks to: its own, or the team's ClickHouse. Nothing else asks. */
import type { Clock, Log, Store } from '../core/ports.ts';
import { createStore } from '../store/client.ts';
import { type EmbeddedEngine, startEmbedded } from '../store/embedded/supervisor.ts';
import type { Layout } from '../store/render.ts';
import type { Config } from './config/schema.ts';

/** Where the engine listens; plain data, handed to worker threads. */
export type StoreAddress = { url: string } | { socketPath: string };

export interface OpenStore {
  store: Store;
  address: StoreAddress;
  layout: Layout;
  /** Role that reads `boards` and nothing else. */
  faceRole: string;
  /** Undefined where the team's own server is used. */
  engine: EmbeddedEngine | undefined;
}

/** Starts the embedded engine where no server is configured. Resolves once the engine answers. */
export async function openStore(config: Config, clock: Clock, log: Log): Promise<OpenStore> {
  const { clickhouseUrl: url, clickhouseCluster: cluster, dataDir } = config;
  if (url !== undefined) {
    const definer = 'CURRENT_USER';
    const layout: Layout = cluster === undefined ? { kind: 'server', definer } : { kind: 'cluster', cluster, definer };
    const faceRole = 'heliograph_face';
    return { store: createStore({ url, log }), address: { url }, layout, faceRole, engine: undefined };
  }
  const engine = await startEmbedded({
    dataDir,
    clock,
    log,
    memoryBytes: config.engine.memoryMiB * 1024 * 1024,
    threads: config.engine.threads,
  });
  const address = { socketPath: engine.socketPath };
  const layout: Layout = { kind: 'embedded', definer: 'default' };
  return { store: createStore({ ...address, log }), address, layout, faceRole: 'face', engine };
}

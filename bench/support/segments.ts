/** Ready-made trace segments and an engine to load them, for the benches that look at the engine alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import type { Store } from '../../core/ports.ts';
import { createStore } from '../../store/client.ts';
import { startEmbedded } from '../../store/embedded/supervisor.ts';
import { PINNED_BLOCK_SETTINGS } from '../../store/load.ts';
import { migrate, readMigrations } from '../../store/migrate.ts';
import { quietLog } from '../../test/support/quiet-log.ts';
import { typicalBody } from '../../test/support/otlp-typical.ts';

const SEGMENT_BYTES = 16 * 1024 * 1024;
const SPANS_PER_BODY = 512;
/** What a segment is long at the rate of the end-to-end bench. */
const SEGMENT_NS = 300_000_000n;

export interface Segment {
  path: string;
  spans: number;
  bytes: number;
}

export interface BenchEngine {
  store: Store;
  pid: number;
  dir: string;
  stop(): Promise<void>;
}

/** An engine with every table, in a directory of its own that `stop` removes. */
export async function startBenchEngine(): Promise<BenchEngine> {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-bench-'));
  const engine = await startEmbedded({ dataDir: dir, clock: systemClock, log: quietLog });
  const store = createStore({ socketPath: engine.socketPath, log: quietLog });
  await migrate(store, { kind: 'embedded', definer: 'default' }, quietLog, await readMigrations());
  const stop = async (): Promise<void> => {
    await store.close();
    await engine.stop(5000);
    rmSync(dir, { recursive: true, force: true });
  };
  return { store, pid: engine.pid() ?? -1, dir, stop };
}

/** Writes segments of typical bodies, as they follow each other when as much is sent as is loaded. */
export function writeSegments(dir: string, count: number): Segment[] {
  const firstNs = BigInt(Date.now()) * 1_000_000n - BigInt(count) * SEGMENT_NS;
  return Array.from({ length: count }, (_, index) => {
    const bodies: Buffer[] = [];
    let bytes = 0;
    for (let seed = index * 1000 + 1; ; seed++) {
      const body = typicalBody({ seed, spans: SPANS_PER_BODY, nowNs: firstNs + BigInt(index) * SEGMENT_NS });
      if (bytes + body.length > SEGMENT_BYTES) break;
      bodies.push(body);
      bytes += body.length;
    }
    const path = join(dir, `${index}.seg`);
    writeFileSync(path, Buffer.concat(bodies));
    return { path, spans: bodies.length * SPANS_PER_BODY, bytes };
  });
}

/** Loads the segments, `atOnce` at a time. The first goes alone: the engine compiles its schema then. */
export async function loadSegments(store: Store, segments: readonly Segment[], atOnce: number): Promise<void> {
  const load = async ({ path }: Segment): Promise<void> =>
    store.load({
      token: path,
      signal: 'otlp_traces',
      team: '',
      path,
      loNs: 0n,
      hiNs: 2n ** 63n - 1n,
      settings: { ...PINNED_BLOCK_SETTINGS },
    });
  const [first, ...waiting] = segments;
  if (first !== undefined) await load(first);
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await load(next);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

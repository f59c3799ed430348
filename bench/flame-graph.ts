/**
 * Views over profiles on the embedded engine: a flame graph, the stacks of goroutines and the leak suspects, over so many stacks and
 * profiles of one service, beside the stacks of another that must not cost. Each query runs a few times; the table shows the
 * median.
 */
import { startMigratedEngine } from '../test/support/engine.ts';
import { loadProfiles } from '../test/support/profile-rows.ts';
import { printTable } from './support/table.ts';

const RUNS = 9;
const SIZES = [
  { stacks: 500, profiles: 240 },
  { stacks: 5000, profiles: 24 },
  { stacks: 5000, profiles: 240 },
];
const END_S = Math.floor(Date.now() / 60_000) * 60;

let state = 11;
function random(below: number): number {
  state = (state * 48271) % 2147483647;
  return state % below;
}

/** Stacks of 5 to 40 frames that share their roots, as real ones do. */
function draw(count: number): string[] {
  const stacks = new Set<string>();
  while (stacks.size < count) {
    const frames = Array.from({ length: 5 + random(36) }, (_, level) => {
      return `example.com/shop/internal/layer${level}.(*Handler).step${random(level < 4 ? 3 : 2)}`;
    });
    stacks.add(frames.join(';'));
  }
  return [...stacks];
}

/** Loads one profile of each kind, then copies it back in time. */
async function seed(service: string, stacks: readonly string[], profiles: number): Promise<void> {
  const values = Object.fromEntries(stacks.map((stack) => [stack, 1 + random(1000)]));
  const head = { service, target: `${service}-1`, atMs: (END_S - 10) * 1000, stacks: values };
  await loadProfiles(engine, [{ ...head, profile: 'cpu', sampleType: 'cpu', unit: 'nanoseconds' }, head]);
  for (const table of ['target_polls', 'profile_samples']) {
    const copies = `SELECT time - toIntervalSecond(10 * n) AS time, * EXCEPT time FROM heliograph.${table} ARRAY JOIN range(1, {profiles:UInt32}) AS n WHERE service = {service:String}`;
    const sql = `INSERT INTO heliograph.${table} SELECT * EXCEPT n FROM (${copies})`;
    await engine.store.command({ sql, params: { profiles, service } });
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const engine = await startMigratedEngine();
try {
  const rows: (string | number)[][] = [];
  for (const { stacks, profiles } of SIZES) {
    const service = `shop-${stacks}-${profiles}`;
    await seed(service, draw(stacks), profiles);
    const window = `from = toDateTime(${END_S - 86_400}), to = toDateTime(${END_S})`;
    const queries = [
      `flame_graph(${window}, service = '${service}', target = '', profile = 'cpu', sample_type = 'cpu')`,
      `goroutine_stacks(${window}, step = 600) WHERE service = '${service}'`,
      `goroutine_suspects(to = toDateTime(${END_S}), window = 60, windows = 4)`,
    ];
    for (const query of queries) {
      const times: number[] = [];
      let found = 0;
      for (let run = 0; run < RUNS; run++) {
        const startMs = performance.now();
        found = (await engine.store.query({ sql: `SELECT * FROM boards.${query}` })).rows.length;
        times.push(performance.now() - startMs);
      }
      const name = query.slice(0, query.indexOf('('));
      rows.push([name, stacks, profiles, stacks * profiles, found, median(times)]);
    }
  }
  printTable(['view', 'stacks', 'profiles', 'samples', 'rows', 'ms'], rows);
} finally {
  await engine.stop();
}

/**
 * The rollup's sketch as explicit log bins, beside the engine's own quantilesDD states: cost of rolling up, of merging, size and
 * error. `npm run bench -- sketch [rows=10000000]`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import type { Store } from '../core/ports.ts';
import { createStore } from '../store/client.ts';
import { startEmbedded } from '../store/embedded/supervisor.ts';
import { quietLog } from '../test/support/quiet-log.ts';
import { cpuSeconds } from './support/process-stats.ts';
import { printTable } from './support/table.ts';

const rows = Number(process.argv[2] ?? 10_000_000);

/** 200 routes over 60 minutes, a tenth of the spans in a slow mode: what a cache in front of a database looks like. */
const SOURCE = `
  CREATE TABLE spans ENGINE = MergeTree ORDER BY tuple() AS
  SELECT
    toUInt16(number % 200) AS route,
    toDateTime(1700000000) + toUInt32(intDiv(number * 3600, ${rows})) AS at,
    toUInt64(exp(if(rand(1) % 10 = 0, log(3e8), log(2e6)) + randNormal(0, 0.4))) AS d
  FROM numbers(${rows})`;

interface Sketch {
  name: string;
  create: string;
  rollUp: string;
  p99: string;
}

const SKETCHES: Sketch[] = [
  {
    name: 'explicit bins',
    create:
      'CREATE TABLE bins (route UInt16, minute DateTime, bins SimpleAggregateFunction(sumMap, Map(Int16, UInt64))) ENGINE = AggregatingMergeTree ORDER BY (route, minute)',
    rollUp: `
      INSERT INTO bins SELECT route, minute, CAST((groupArray(bin), groupArray(n)), 'Map(Int16, UInt64)') FROM (
        SELECT route, toStartOfMinute(at) AS minute, toInt16(ceil(log(d) / log(1.01 / 0.99))) AS bin, count() AS n FROM spans GROUP BY route, minute, bin
      ) GROUP BY route, minute`,
    p99: `
      WITH sumMap(bins) AS m, arrayCumSum(mapValues(m)) AS c
      SELECT 2 * pow(1.01 / 0.99, mapKeys(m)[arrayFirstIndex(x -> x >= ceil(0.99 * c[-1]), c)]) / (1.01 / 0.99 + 1) FROM bins`,
  },
  {
    name: 'quantilesDD(0.01)',
    create:
      'CREATE TABLE dd (route UInt16, minute DateTime, state AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), UInt64)) ENGINE = AggregatingMergeTree ORDER BY (route, minute)',
    rollUp:
      'INSERT INTO dd SELECT route, toStartOfMinute(at) AS minute, quantilesDDState(0.01, 0.5, 0.95, 0.99)(d) FROM spans GROUP BY route, minute',
    p99: 'SELECT quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(state)[3] FROM dd',
  },
];

const dir = mkdtempSync(join(tmpdir(), 'heliograph-bench-'));
const engine = await startEmbedded({ dataDir: dir, clock: systemClock, log: quietLog });
const store = createStore({ socketPath: engine.socketPath, log: quietLog });
const pid = engine.pid() ?? -1;

async function measure(run: () => Promise<unknown>): Promise<{ wallMs: number; cpuMs: number }> {
  const [cpuBefore, startedMs] = [cpuSeconds(pid), performance.now()];
  await run();
  return { wallMs: performance.now() - startedMs, cpuMs: (cpuSeconds(pid) - cpuBefore) * 1000 };
}

async function scalar(source: Store, sql: string): Promise<number> {
  return Number((await source.query({ sql })).rows[0]?.[0]);
}

await store.command({ sql: SOURCE });
const exact = await scalar(store, 'SELECT quantileExactLow(0.99)(d) FROM spans');
const table: (string | number)[][] = [];
for (const sketch of SKETCHES) {
  await store.command({ sql: sketch.create });
  const rollUp = await measure(() => store.command({ sql: sketch.rollUp }));
  await store.query({ sql: sketch.p99 });
  const merge = await measure(() => store.query({ sql: sketch.p99 }));
  const p99 = await scalar(store, sketch.p99);
  const bytes = await scalar(
    store,
    `SELECT sum(data_compressed_bytes) FROM system.parts WHERE active AND table = '${sketch.name === 'explicit bins' ? 'bins' : 'dd'}'`,
  );
  table.push([
    sketch.name,
    rollUp.wallMs,
    rollUp.cpuMs,
    merge.wallMs,
    bytes / 12_000,
    p99 / 1e6,
    `${(((p99 - exact) / exact) * 100).toFixed(2)} %`,
  ]);
}
printTable(['', 'roll up ms', 'roll up CPU ms', 'merge + p99 ms', 'B per row', 'p99 ms', 'error'], table);
process.stdout.write(
  `\n${rows.toLocaleString('en-US')} spans, 200 routes x 60 minutes; exact p99 ${(exact / 1e6).toFixed(3)} ms\n`,
);
await store.close();
await engine.stop(5000);
rmSync(dir, { recursive: true, force: true });

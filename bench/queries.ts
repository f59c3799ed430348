/**
 * Reading a day of spans: every panel of the service latency board, a trace by its id, searches by attribute and duration. For each
 * the time, and the rows and bytes the engine read for it; then disk bytes per span by table and column.
 * `npm run bench -- queries [millions=50]`
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assetPath } from '../core/paths.ts';
import { BOARDS_FOLDER } from '../dashboards/export.ts';
import { allValuesOf, expandPanel, expandVariable } from '../dashboards/query/expand.ts';
import { type Board, dataPanels } from '../dashboards/shared/model.ts';
import { boundParameters } from '../store/face/bounds.ts';
import { columnBytes, tableBytes, untilQuiet } from './support/disk.ts';
import { ask, type BenchEngine, openEngine } from './support/engine-use.ts';
import { fillWindow } from './support/fill.ts';
import { cpuSeconds, residentMiB } from './support/process-stats.ts';
import { printTable } from './support/table.ts';

const spans = Number(process.argv[2] ?? 50) * 1e6;
const RUNS = 7;
const DAY_NS = 86_400_000_000_000n;
const BYTES_PER_SPAN = 120; // a merge holds old and new parts for a while
const NEEDLES = Array.from({ length: 10 }, (_, index) => `needle-${index}`);
const SERVICE = 'checkout';

interface Question {
  name: string;
  sql: string;
  settings: Record<string, string>;
}

interface Cost {
  ms: number;
  rows: number;
  bytes: number;
}

const toMs = Math.floor(Date.now() / 60_000) * 60_000;
const fromMs = toMs - Number(DAY_NS / 1_000_000n);
const WINDOW = `Timestamp >= toDateTime(${fromMs / 1000}) AND Timestamp < toDateTime(${toMs / 1000})`;

/** The board's own statements over the day, at the width of a wide screen. */
function panelQuestions(): Question[] {
  const path = assetPath(`${BOARDS_FOLDER}/heliograph-service-latency.json`);
  const board = JSON.parse(readFileSync(path, 'utf8')) as Board;
  const values = new Map([
    ['service', [SERVICE]],
    ['route', ['$__all']],
  ]);
  const request = { range: { fromMs, toMs }, values, allValues: allValuesOf(board) };
  const variables = board.templating.list.flatMap((variable) => {
    const sql = expandVariable(variable, request);
    return sql === undefined ? [] : [{ name: `variable: ${variable.name}`, sql, settings: {} }];
  });
  const panels = dataPanels(board).flatMap((panel) =>
    expandPanel(panel, { ...request, maxDataPoints: 600 })
      .targets.filter(({ hidden }) => !hidden)
      .map(({ sql }) => ({ name: `panel: ${panel.title}`, sql, settings: {} })),
  );
  return [...variables, ...panels];
}

/** What the read-only face adds to a reader's statement. */
const FACE_SETTINGS = Object.fromEntries(boundParameters(new URLSearchParams()));

function searchQuestions(traceId: string): Question[] {
  const trace = (name: string, id: string): Question => ({
    name,
    sql: `SELECT * FROM boards.trace_spans(trace_id = '${id}')`,
    settings: FACE_SETTINGS,
  });
  const search = (name: string, condition: string): Question => ({
    name,
    sql: `SELECT Timestamp, TraceId, ServiceName, SpanName, Duration FROM boards.otel_traces WHERE ${WINDOW} AND ${condition} ORDER BY Timestamp DESC LIMIT 20`,
    settings: FACE_SETTINGS,
  });
  return [
    trace('trace by id, 8 spans', traceId),
    trace('trace by id, unknown', 'ffffffffffffffffffffffffffffffff'),
    search('attribute, 1 span has the value', `SpanAttributes['order.id'] = 'needle-5'`),
    search('attribute, no span has the value', `SpanAttributes['order.id'] = 'needle-none'`),
    search('attribute, 10 spans have the key', `mapContains(SpanAttributes, 'order.id')`),
    search('attribute, 0.25 % have the value', `SpanAttributes['http.response.status_code'] = '500'`),
    search('attribute, 0.35 % have the value', `SpanAttributes['network.peer.address'] = '10.1.0.7'`),
    search('attribute, 88 % have the value', `SpanAttributes['server.address'] = 'cart'`),
    search('the same, of one service', `ServiceName = '${SERVICE}' AND SpanAttributes['server.address'] = 'cart'`),
    search('duration, slower than 100 ms', 'Duration >= 100000000'),
    search('the same, of one service', `ServiceName = '${SERVICE}' AND Duration >= 100000000`),
    search('duration, slower than 60 s: none', 'Duration >= 60000000000'),
  ];
}

/** Runs a statement once; rows and bytes are those the engine took from its tables. */
async function measure({ engine }: BenchEngine, { sql, settings }: Omit<Question, 'name'>): Promise<Cost> {
  const [rowsBefore, bytesBefore] = await selected(engine);
  const startedMs = performance.now();
  await ask(engine, `${sql} FORMAT JSONCompact`, settings);
  const ms = performance.now() - startedMs;
  const [rows, bytes] = await selected(engine);
  return { ms, rows: rows - rowsBefore, bytes: bytes - bytesBefore };
}

async function selected(engine: BenchEngine['engine']): Promise<[number, number]> {
  const text = await ask(
    engine,
    `SELECT sumIf(value, event = 'SelectedRows'), sumIf(value, event = 'SelectedBytes') FROM system.events`,
  );
  const [rows = 0, bytes = 0] = text.trim().split('\t').map(Number);
  return [rows, bytes];
}

const ENGINE_CACHES = ['MARK', 'UNCOMPRESSED', 'PRIMARY INDEX', 'INDEX MARK', 'INDEX UNCOMPRESSED', 'QUERY CONDITION'];

/** The engine's caches, and the kernel's pages of its files, which GNU dd can ask it to let go of. */
async function dropCaches({ engine }: BenchEngine, dir: string): Promise<void> {
  for (const cache of ENGINE_CACHES) await ask(engine, `SYSTEM DROP ${cache} CACHE`);
  // Parts that a merge has replaced are deleted meanwhile; that dd finds them gone is no failure.
  const command = `sync -f '${dir}'; find '${dir}' -type f -size +0 -print0 | xargs -0 -I{} dd if={} iflag=nocache count=0 status=none 2>&1 | grep -v 'No such file'`;
  const { stdout } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  if (stdout !== '')
    throw new Error(`pages could not be dropped, which takes dd of GNU coreutils: ${stdout.slice(0, 200)}`);
}

async function row(bench: BenchEngine, dir: string, question: Question): Promise<(string | number)[]> {
  await dropCaches(bench, dir);
  const cold = await measure(bench, question);
  // Reading the counters counts as well: what a statement without a table costs is taken off.
  const nothing = await measure(bench, { sql: 'SELECT 1', settings: {} });
  const runs: Cost[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await measure(bench, question));
  const ms = runs.map((run) => run.ms).toSorted((a, b) => a - b);
  const last = runs.at(-1) ?? cold;
  return [
    question.name,
    ms[Math.floor(RUNS / 2)] ?? 0,
    ms.at(-1) ?? 0,
    cold.ms,
    Math.max(0, last.rows - nothing.rows),
    Math.max(0, last.bytes - nothing.bytes) / 1e6,
  ];
}

function printDisk(tables: Awaited<ReturnType<typeof tableBytes>>, columns: Awaited<ReturnType<typeof columnBytes>>) {
  const per = (bytes: number): number => bytes / spans;
  printTable(
    ['table', 'rows', 'parts', 'B/span', 'columns', 'skip indexes', 'marks', 'rows in compact parts'],
    tables.map((t) => [
      t.table,
      t.rows,
      t.parts,
      per(t.bytes),
      per(t.columnBytes),
      per(t.indexBytes),
      per(t.markBytes),
      t.compactRows,
    ]),
  );
  const all = tables.reduce((sum, { bytes }) => sum + bytes, 0);
  process.stdout.write(`\nall tables: ${per(all).toFixed(1)} B/span\n\n`);
  printTable(
    ['column', 'B/row in wide parts'],
    columns.filter(({ bytes, rows }) => bytes / rows >= 0.05).map((c) => [`${c.table} ${c.column}`, c.bytes / c.rows]),
  );
}

const dir = mkdtempSync(join(tmpdir(), 'heliograph-bench-'));
const { bavail, bsize } = statfsSync(dir);
if (bavail * bsize < spans * BYTES_PER_SPAN)
  throw new Error(`${tmpdir()} has no room for ${spans} spans: give a smaller number of millions`);
const bench = await openEngine(dir);
try {
  const startedMs = performance.now();
  const toNs = BigInt(toMs) * 1_000_000n;
  const window = { fromNs: toNs - DAY_NS, toNs };
  const { spans: sent } = await fillWindow({
    store: bench.store,
    dir,
    spans,
    ...window,
    needles: NEEDLES,
    loadsAtOnce: 2,
  });
  const fillS = (performance.now() - startedMs) / 1000;
  await untilQuiet(() => cpuSeconds(bench.pid()), 60_000);
  const quietS = (performance.now() - startedMs) / 1000;
  const stored = Number(await ask(bench.engine, 'SELECT count() FROM otel.otel_traces'));
  if (stored !== sent) throw new Error(`sent ${sent} spans, stored ${stored}`);
  process.stdout.write(
    `${stored.toLocaleString('en-US')} spans loaded in ${fillS.toFixed(0)} s, merged after ${quietS.toFixed(0)} s; ${((cpuSeconds(bench.pid()) * 1e6) / stored).toFixed(1)} µs of engine CPU per span\n\n`,
  );
  const traceId = await ask(
    bench.engine,
    `SELECT TraceId FROM otel.otel_traces WHERE Timestamp >= toDateTime(${fromMs / 1000 + 43_200}) LIMIT 1`,
  );
  const rows: (string | number)[][] = [];
  for (const question of [...panelQuestions(), ...searchQuestions(traceId.trim())])
    rows.push(await row(bench, join(dir, 'engine'), question));
  printTable(['', 'median ms', 'max ms', 'cold ms', 'rows read', 'MB read'], rows);
  process.stdout.write(`\n${RUNS} warm runs each; engine ${residentMiB(bench.pid()).toFixed(0)} MiB resident\n\n`);
  printDisk(await tableBytes(bench), await columnBytes(bench));
} finally {
  await bench.stop();
  rmSync(dir, { recursive: true, force: true });
}

/**
 * Heliograph beside the OpenTelemetry Collector, built from its Go modules, in one run: the same sender, the same kind of bytes, the
 * same connections. First how much each takes and what it costs, then what is left of what it acked after a `kill -9`.
 * `npm run bench -- peers [seconds=30] [spansPerBody=512] [connections=8]`
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnHeliograph } from '../test/support/heliograph-process.ts';
import { buildCollector, type CollectorKind, readSpanIds, setAside, startCollector } from './support/collector.ts';
import { inScratch, runCollector } from './support/collector-run.ts';
import { ask, openEngine } from './support/engine-use.ts';
import { runHeliograph, spanCount } from './support/heliograph-run.ts';
import { childrenOf } from './support/process-stats.ts';
import { runSender } from './support/run-sender.ts';
import type { Sent } from './support/sender-plan.ts';
import { printTable } from './support/table.ts';

const [seconds = 30, spansPerBody = 512, connections = 8] = process.argv.slice(2).map(Number);
const LOAD = { form: 'protobuf', seconds, connections, spansPerBody, spansPerSecond: 0 } as const;
/** The kill comes in the middle. */
const KILL_LOAD = { ...LOAD, seconds: Math.min(10, seconds) };

const NAMES: Record<CollectorKind, string> = {
  nop: 'Collector → nop',
  file: 'Collector → persistent queue → file',
  'file+fsync': 'the same, fsync: true',
};
const PROMISES: Record<CollectorKind, string> = {
  nop: 'nothing is kept',
  file: 'handed to the kernel',
  'file+fsync': 'on disk',
};

/** What became of the spans that were acked before a kill. */
interface Kept {
  acked: number;
  lost: number;
  twice: number;
}

function costRow(name: string, promise: string, sent: Sent, cpuS: number, wallS: number, peakMiB: number) {
  return [
    name,
    promise,
    sent.spans / sent.elapsedS,
    sent.spans / wallS,
    (cpuS / sent.spans) * 1e6,
    sent.ackP50Ms,
    sent.ackP99Ms,
    peakMiB,
    sent.refused + sent.failed,
  ];
}

const keptCells = ({ acked, lost, twice }: Kept): (string | number)[] => [acked, lost, twice];

async function measureCollector(program: string, kind: CollectorKind): Promise<(string | number)[]> {
  const { sent, cpuS, wallS, peakMiB } = await runCollector(program, kind, LOAD);
  return costRow(NAMES[kind], PROMISES[kind], sent, cpuS, wallS, peakMiB);
}

async function measureHeliograph(): Promise<(string | number)[][]> {
  const run = await runHeliograph(LOAD, false);
  if (run === undefined) throw new Error('there is no HTTP door');
  const { sent, wallS, mainCpuS, engineCpuS, mergeCpuS, peakMiB } = run;
  const all = mainCpuS + engineCpuS + mergeCpuS;
  return [
    costRow('Heliograph, queryable', 'on disk', sent, all, wallS, peakMiB),
    ['of which its main process: door and journal', '', '', '', (mainCpuS / sent.spans) * 1e6, '', '', '', ''],
  ];
}

/** Sends, and in the middle runs `kill`; then says what of the acked bodies is among what `read` finds. */
async function killed(
  dir: string,
  origin: string,
  kill: () => Promise<unknown>,
  read: () => Promise<{ total: number; ids: Set<string> }>,
): Promise<Kept> {
  const ledger = join(dir, 'acked');
  const sending = runSender({ ...KILL_LOAD, origin, ledger }, () => {
    setTimeout(() => void kill(), (KILL_LOAD.seconds * 1000) / 2);
  });
  const sent = await sending;
  const { total, ids } = await read();
  const marks = readFileSync(ledger, 'utf8').split('\n').filter(Boolean);
  const lost = marks.filter((mark) => !ids.has(mark)).length * spansPerBody;
  return { acked: sent.spans, lost, twice: total - ids.size };
}

async function killCollector(program: string, kind: CollectorKind): Promise<Kept> {
  return inScratch(async (dir) => {
    const first = await startCollector(program, kind, dir);
    return killed(
      dir,
      first.httpUrl,
      () => first.kill('SIGKILL'),
      async () => {
        setAside(dir);
        const second = await startCollector(program, kind, dir);
        await second.drained();
        await second.kill('SIGTERM');
        return readSpanIds(dir);
      },
    );
  });
}

/** Both processes are killed; the journal and the engine's directory are what the next start finds. */
async function killHeliograph(): Promise<Kept> {
  return inScratch(async (dir) => {
    const dataDir = join(dir, 'data');
    const first = await spawnHeliograph(dataDir);
    const pids = [...childrenOf(first.pid), first.pid];
    return killed(
      dir,
      first.otlpUrl,
      async () => pids.forEach((pid) => void process.kill(pid, 'SIGKILL')),
      async () => {
        const second = await spawnHeliograph(dataDir);
        await untilLoaded(second.pageUrl);
        second.child.kill('SIGTERM');
        await second.exited;
        return storedSpanIds(dataDir);
      },
    );
  });
}

/** Waits until the journal is empty, as far as a reader can tell: no new spans for five seconds. */
async function untilLoaded(pageUrl: string): Promise<void> {
  for (let [count, still] = [-1, 0]; still < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const now = await spanCount(pageUrl);
    still = now === count ? still + 1 : 0;
    count = now;
  }
}

async function storedSpanIds(dataDir: string): Promise<{ total: number; ids: Set<string> }> {
  const bench = await openEngine(dataDir);
  try {
    const text = await ask(
      bench.engine,
      "SELECT SpanId FROM otel.otel_traces WHERE ServiceName != 'heliograph' FORMAT TabSeparated",
    );
    const lines = text.split('\n').filter(Boolean);
    return { total: lines.length, ids: new Set(lines) };
  } finally {
    await bench.stop();
  }
}

const program = buildCollector();
if (program === undefined) process.stdout.write('Go is not on PATH: Heliograph alone\n\n');
const kinds: CollectorKind[] = program === undefined ? [] : ['nop', 'file', 'file+fsync'];

const costs = await measureHeliograph();
for (const kind of kinds) costs.push(await measureCollector(program ?? '', kind));
const ACK = 'ack means';
printTable(
  ['', ACK, 'spans/s acked', 'until processed', 'CPU µs/span', 'ack p50 ms', 'ack p99 ms', 'peak MiB', 'refused'],
  costs,
);
process.stdout.write('\n');
const kept: (string | number)[][] = [['Heliograph', ...keptCells(await killHeliograph())]];
for (const kind of kinds)
  if (kind !== 'nop') kept.push([NAMES[kind], ...keptCells(await killCollector(program ?? '', kind))]);
printTable(['after kill -9 and a new start', 'spans acked', 'of them lost', 'kept twice'], kept);

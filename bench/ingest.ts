/**
 * Spans per second and CPU per span, end to end (sent -> durable -> queryable with rollup), beside the engine alone on bytes of
 * the same kind. `npm run bench -- ingest [seconds=60] [spansPerBody=512] [connections=8] [spansPerSecond=0, as many as are acked]`
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../core/clock.ts';
import { builtPath } from '../core/paths.ts';
import { createStore } from '../store/client.ts';
import { startEmbedded } from '../store/embedded/supervisor.ts';
import { PINNED_BLOCK_SETTINGS } from '../store/load.ts';
import { migrate, readMigrations } from '../store/migrate.ts';
import { eventually, spawnHeliograph } from '../test/support/heliograph-process.ts';
import { quietLog } from '../test/support/quiet-log.ts';
import { typicalBody } from '../test/support/otlp-typical.ts';
import { childrenOf, cpuSeconds, residentMiB } from './support/process-stats.ts';
import { printTable } from './support/table.ts';

const [secondsText = '60', spansPerBody = '512', connections = '8', spansPerSecond = '0'] = process.argv.slice(2);

interface Sent {
  bodies: number;
  spans: number;
  bytes: number;
  refused: number;
  failed: number;
  elapsedS: number;
  cpuS: number;
  ackP50Ms: number;
  ackP99Ms: number;
}

interface Run {
  name: string;
  spans: number;
  bytes: number;
  wallS: number;
  mainCpuS: number;
  engineCpuS: number;
  peakMiB: number;
}

/** Starts the sender, waits until its bodies are made, runs `before` and lets it go. */
async function runSender(url: string, before: () => void): Promise<Sent> {
  const child = spawn(
    process.execPath,
    [builtPath('bench/support/sender.ts'), url, secondsText, connections, spansPerBody, spansPerSecond],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  before();
  child.stdin.write('go\n');
  const { value } = (await lines.next()) as { value: string };
  return JSON.parse(value) as Sent;
}

async function endToEnd(): Promise<{ run: Run; sent: Sent; freshness: string[] }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'heliograph-bench-'));
  const heliograph = await spawnHeliograph(dataDir);
  const [enginePid = -1] = childrenOf(heliograph.pid);
  const cpu = (): [number, number] => [cpuSeconds(heliograph.pid), cpuSeconds(enginePid)];
  let before: [number, number] = [0, 0];
  let startedMs = 0;
  let peakMiB = 0;
  const watch = setInterval(() => {
    peakMiB = Math.max(peakMiB, residentMiB(heliograph.pid) + residentMiB(enginePid));
  }, 500);
  const sent = await runSender(`${heliograph.otlpUrl}/v1/traces`, () => {
    before = cpu();
    startedMs = performance.now();
  });
  const stored = await eventually(async () => {
    const count = await spanCount(heliograph.pageUrl);
    return count >= sent.spans ? count : undefined;
  }, 120_000);
  const wallS = (performance.now() - startedMs) / 1000;
  const after = cpu();
  clearInterval(watch);
  if (stored !== sent.spans) throw new Error(`acked ${sent.spans} spans, stored ${stored}`);
  const metrics = await (await fetch(`${heliograph.pageUrl}/metrics`)).text();
  heliograph.child.kill('SIGTERM');
  await heliograph.exited;
  rmSync(dataDir, { recursive: true, force: true });
  const run = {
    name: 'Heliograph, end to end',
    spans: sent.spans,
    bytes: sent.bytes,
    wallS,
    mainCpuS: after[0] - before[0],
    engineCpuS: after[1] - before[1],
    peakMiB,
  };
  return {
    run,
    sent,
    freshness: metrics.split('\n').filter((line) => line.startsWith('heliograph_freshness_seconds')),
  };
}

/** Spans stored from the senders, which name themselves otherwise than Heliograph does. */
async function spanCount(pageUrl: string): Promise<number> {
  const response = await fetch(`${pageUrl}/api/query/services?from=now-6h&to=now%2B1h`);
  const { rows } = (await response.json()) as { rows: { service: string; span_count: number }[] };
  return rows.filter((row) => row.service !== 'heliograph').reduce((sum, row) => sum + Number(row.span_count), 0);
}

/** The same kind of bytes, loaded by the engine from ready-made 16 MiB segments with nothing else running. */
async function engineAlone(segments: number): Promise<Run> {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-bench-'));
  const engine = await startEmbedded({ dataDir: dir, clock: systemClock, log: quietLog });
  const store = createStore({ socketPath: engine.socketPath, log: quietLog });
  await migrate(store, { kind: 'embedded', definer: 'default' }, quietLog, await readMigrations());
  const spans = Number(spansPerBody);
  const run: Run = {
    name: 'engine alone, same bytes',
    spans: 0,
    bytes: 0,
    wallS: 0,
    mainCpuS: 0,
    engineCpuS: 0,
    peakMiB: 0,
  };
  const pid = engine.pid() ?? -1;
  for (let segment = 0; segment < segments; segment++) {
    const bodies: Buffer[] = [];
    const nowNs = BigInt(Date.now()) * 1_000_000n;
    for (let bytes = 0, seed = segment * 1000 + 1; ; seed++) {
      const body = typicalBody({ seed, spans, nowNs });
      if (bytes + body.length > 16 * 1024 * 1024) break;
      bodies.push(body);
      bytes += body.length;
    }
    const path = join(dir, `${segment}.seg`);
    writeFileSync(path, Buffer.concat(bodies));
    const [cpuBefore, startedMs] = [cpuSeconds(pid), performance.now()];
    await store.load({
      token: `bench-${segment}`,
      signal: 'otlp_traces',
      team: '',
      path,
      loNs: 0n,
      hiNs: 2n ** 63n - 1n,
      settings: { ...PINNED_BLOCK_SETTINGS },
    });
    run.wallS += (performance.now() - startedMs) / 1000;
    run.engineCpuS += cpuSeconds(pid) - cpuBefore;
    run.spans += bodies.length * spans;
    run.bytes += Buffer.concat(bodies).length;
    run.peakMiB = Math.max(run.peakMiB, residentMiB(pid));
    rmSync(path);
  }
  await store.close();
  await engine.stop(5000);
  rmSync(dir, { recursive: true, force: true });
  return run;
}

function row(run: Run): (string | number)[] {
  const perSpan = (cpuS: number): number => (cpuS / run.spans) * 1e6;
  return [
    run.name,
    run.spans / run.wallS,
    run.bytes / run.wallS / 1e6,
    run.bytes / run.spans,
    perSpan(run.mainCpuS),
    perSpan(run.engineCpuS),
    perSpan(run.mainCpuS + run.engineCpuS),
    run.peakMiB,
  ];
}

const alone = await engineAlone(12);
const { run, sent, freshness } = await endToEnd();
printTable(
  ['', 'spans/s', 'MB/s', 'B/span', 'main us/span', 'engine us/span', 'CPU us/span', 'peak MiB'],
  [row(run), row(alone)],
);
const ratio = (run.mainCpuS + run.engineCpuS) / run.spans / (alone.engineCpuS / alone.spans);
process.stdout.write(`\nCPU per span, end to end / engine alone: ${ratio.toFixed(2)}\n`);
process.stdout.write(
  `acked ${sent.spans} spans in ${sent.bodies} bodies over ${sent.elapsedS.toFixed(1)} s, all stored once; refused ${sent.refused}, failed ${sent.failed}; `,
);
process.stdout.write(
  `ack p50 ${sent.ackP50Ms.toFixed(1)} ms, p99 ${sent.ackP99Ms.toFixed(1)} ms; sender CPU ${(sent.cpuS / sent.elapsedS).toFixed(2)} cores\n`,
);
process.stdout.write(`freshness (first ack of a segment until queryable):\n${freshness.join('\n')}\n`);

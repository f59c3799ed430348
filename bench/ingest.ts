/**
 * Spans per second and CPU per span, end to end (sent -> durable -> queryable with rollup), beside the engine alone on bytes of
 * the same kind; merges are counted until the engine is quiet, on both sides.
 * `npm run bench -- ingest [seconds=60] [spansPerBody=512] [connections=8] [spansPerSecond=0, as many as are acked]`
 */
import { engineAlone, type EngineRun } from './support/engine-alone.ts';
import { nearestRank } from './support/freshness.ts';
import { type HeliographRun, runHeliograph } from './support/heliograph-run.ts';
import { printTable } from './support/table.ts';

const [seconds = 60, spansPerBody = 512, connections = 8, spansPerSecond = 0] = process.argv.slice(2).map(Number);
/** The engine alone gets what it can load in some twenty seconds, or as much as was sent if that is less. */
const ALONE_SPANS = 4_000_000;

function endToEndRow({ sent, wallS, mainCpuS, engineCpuS, mergeCpuS, peakMiB }: HeliographRun): (string | number)[] {
  const us = (cpuS: number): number => (cpuS / sent.spans) * 1e6;
  return [
    'Heliograph, end to end',
    sent.spans / wallS,
    sent.bytes / wallS / 1e6,
    us(mainCpuS),
    us(engineCpuS),
    us(mergeCpuS),
    us(mainCpuS + engineCpuS + mergeCpuS),
    peakMiB,
  ];
}

function aloneRow(name: string, { spans, wallS, engineCpuS, mergeCpuS, peakMiB }: EngineRun, bytesPerSpan: number) {
  const us = (cpuS: number): number => (cpuS / spans) * 1e6;
  return [
    name,
    spans / wallS,
    (spans * bytesPerSpan) / wallS / 1e6,
    '–',
    us(engineCpuS),
    us(mergeCpuS),
    us(engineCpuS + mergeCpuS),
    peakMiB,
  ];
}

const run = await runHeliograph({ form: 'protobuf', seconds, connections, spansPerBody, spansPerSecond }, true);
if (run === undefined) throw new Error('there is no HTTP door');
const { sent, freshnessMs, unseenProbes } = run;
const aloneSpans = Math.min(ALONE_SPANS, sent.spans);
const one = await engineAlone(aloneSpans, 1);
const two = await engineAlone(aloneSpans, 2);
const bytesPerSpan = sent.bytes / sent.spans;
printTable(
  ['', 'spans/s', 'MB/s', 'main µs/span', 'engine µs/span', 'merges after', 'CPU µs/span', 'peak MiB'],
  [
    endToEndRow(run),
    aloneRow('engine alone, one load at a time', one, bytesPerSpan),
    aloneRow('engine alone, two loads at once, as above', two, bytesPerSpan),
  ],
);
const all = (run.mainCpuS + run.engineCpuS + run.mergeCpuS) / sent.spans;
const ratio = (alone: EngineRun): string => (all / ((alone.engineCpuS + alone.mergeCpuS) / alone.spans)).toFixed(2);
const at = (q: number): string => `${(nearestRank(freshnessMs, q) / 1000).toFixed(2)} s`;
process.stdout.write(`
CPU per span, merges included, end to end / engine alone: ${ratio(one)}; / with two loads at once: ${ratio(two)}
acked ${sent.spans} spans in ${sent.bodies} bodies over ${sent.elapsedS.toFixed(1)} s, all stored once, the last queryable after ${run.wallS.toFixed(1)} s; refused ${sent.refused}, failed ${sent.failed}
ack p50 ${sent.ackP50Ms.toFixed(1)} ms, p99 ${sent.ackP99Ms.toFixed(1)} ms; sender ${(sent.cpuS / sent.elapsedS).toFixed(2)} cores
freshness, ack until a reader finds it, ${freshnessMs.length} probes: p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${at(1)}; never seen ${unseenProbes}
`);

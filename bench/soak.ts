/**
 * Memory under a steady load: RSS and PSS of both processes every five seconds, and the slope of the second half, by which time
 * heaps and caches have grown to their size. `npm run bench -- soak [seconds=600] [spansPerSecond=50000]`
 */
import { linearFit } from './support/linear-fit.ts';
import { originFor, spanCount, startFresh } from './support/heliograph-run.ts';
import { nearestRank, startFreshness } from './support/freshness.ts';
import { proportionalMiB, residentMiB } from './support/process-stats.ts';
import { runSender } from './support/run-sender.ts';
import { printTable } from './support/table.ts';
import { eventually } from '../test/support/heliograph-process.ts';

const [seconds = 600, spansPerSecond = 50_000] = process.argv.slice(2).map(Number);
const EVERY_MS = 5000;

interface Sample {
  minute: number;
  mainRss: number;
  mainPss: number;
  engineRss: number;
  enginePss: number;
}

type Measure = Exclude<keyof Sample, 'minute'>;
const MEASURES: Record<Measure, string> = {
  mainRss: 'main, RSS',
  mainPss: 'main, PSS',
  engineRss: 'engine, RSS',
  enginePss: 'engine, PSS',
};

const running = await startFresh();
const { heliograph, enginePid, end } = running;
const samples: Sample[] = [];
const startedMs = performance.now();
const timer = setInterval(() => {
  samples.push({
    minute: (performance.now() - startedMs) / 60_000,
    mainRss: residentMiB(heliograph.pid),
    mainPss: proportionalMiB(heliograph.pid),
    engineRss: residentMiB(enginePid),
    enginePss: proportionalMiB(enginePid),
  });
}, EVERY_MS);
try {
  const origin = originFor('protobuf', heliograph) ?? '';
  const probe = startFreshness(heliograph.otlpUrl, heliograph.pageUrl);
  const plan = { origin, form: 'protobuf', seconds, connections: 8, spansPerBody: 512, spansPerSecond } as const;
  const sent = await runSender(plan);
  clearInterval(timer);
  const { sortedMs, unseen } = await probe.stop(60_000);
  const stored = await eventually(async () => {
    const count = await spanCount(heliograph.pageUrl);
    return count >= sent.spans ? count : undefined;
  }, 240_000);
  if (stored !== sent.spans) throw new Error(`acked ${sent.spans} spans, stored ${stored}`);
  const half = samples.slice(Math.floor(samples.length / 2));
  printTable(
    ['MiB', 'first', 'at half', 'last', 'highest', 'slope of 2nd half, MiB/min', '± standard error'],
    (Object.keys(MEASURES) as Measure[]).map((key) => {
      const { slope, error } = linearFit(half.map((sample) => [sample.minute, sample[key]] as const));
      const value = (sample: Sample | undefined): number => sample?.[key] ?? Number.NaN;
      const highest = Math.max(...samples.map(value));
      return [MEASURES[key], value(samples[0]), value(half[0]), value(samples.at(-1)), highest, slope, error];
    }),
  );
  const at = (q: number): string => `${(nearestRank(sortedMs, q) / 1000).toFixed(2)} s`;
  process.stdout.write(`
${sent.spans} spans over ${sent.elapsedS.toFixed(0)} s, all stored once; ack p50 ${sent.ackP50Ms.toFixed(1)} ms, p99 ${sent.ackP99Ms.toFixed(1)} ms; refused ${sent.refused}, failed ${sent.failed}
freshness, ${sortedMs.length} probes: p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${at(1)}; never seen ${unseen}
`);
} finally {
  clearInterval(timer);
  await end();
}

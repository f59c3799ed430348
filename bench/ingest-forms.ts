/**
 * What the form of a body costs, end to end: protobuf, gzip, JSON, gRPC. Beside it a Collector that throws away what it has read.
 * `npm run bench -- ingest-forms [seconds=15] [spansPerBody=512]`
 */
import { buildCollector } from './support/collector.ts';
import { runCollector } from './support/collector-run.ts';
import { costRow, COST_COLUMNS } from './support/cost-row.ts';
import { runHeliograph } from './support/heliograph-run.ts';
import { FORMS, type Form } from './support/sender-plan.ts';
import { printTable } from './support/table.ts';

const [seconds = 15, spansPerBody = 512] = process.argv.slice(2).map(Number);
const NAMES: Record<Form, string> = {
  protobuf: 'HTTP, protobuf',
  gzip: 'HTTP, protobuf, gzip',
  json: 'HTTP, JSON',
  grpc: 'gRPC',
};

const load = { seconds, connections: 8, spansPerBody, spansPerSecond: 0 };
const rows: (string | number)[][] = [];
for (const form of FORMS) {
  const run = await runHeliograph({ form, ...load }, false);
  if (run === undefined || run.sent.spans === 0) process.stdout.write(`${NAMES[form]}: this build does not take it\n`);
  else rows.push(costRow(NAMES[form], run));
}
printTable(COST_COLUMNS, rows);
process.stdout.write(`\nbodies of ${spansPerBody} spans on 8 connections, each sending as soon as it is answered\n\n`);

const program = buildCollector();
if (program === undefined) process.stdout.write('Go is not on PATH: no Collector beside it\n');
else {
  const beside: (string | number)[][] = [];
  for (const form of FORMS) {
    const { sent, cpuS, peakMiB } = await runCollector(program, 'nop', { form, ...load });
    const cpuUs = (cpuS / sent.spans) * 1e6;
    beside.push([NAMES[form], sent.spans / sent.elapsedS, cpuUs, sent.ackP50Ms, sent.ackP99Ms, peakMiB, sent.refused]);
  }
  printTable(['Collector → nop', 'spans/s', 'CPU µs/span', 'ack p50 ms', 'ack p99 ms', 'peak MiB', 'refused'], beside);
}

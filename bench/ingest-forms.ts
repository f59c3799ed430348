/** What the form of a body costs, end to end: protobuf, gzip, JSON, gRPC. `npm run bench -- ingest-forms [seconds=15] [spansPerBody=512]` */
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

const rows: (string | number)[][] = [];
for (const form of FORMS) {
  const run = await runHeliograph({ form, seconds, connections: 8, spansPerBody, spansPerSecond: 0 }, false);
  if (run === undefined || run.sent.spans === 0) process.stdout.write(`${NAMES[form]}: this build does not take it\n`);
  else rows.push(costRow(NAMES[form], run));
}
printTable(COST_COLUMNS, rows);
process.stdout.write(`\nbodies of ${spansPerBody} spans on 8 connections, each sending as soon as it is answered\n`);

/** What the size of a body costs, end to end. `npm run bench -- ingest-sizes [seconds=15]` each */
import { runHeliograph } from './support/heliograph-run.ts';
import { costRow, COST_COLUMNS } from './support/cost-row.ts';
import { printTable } from './support/table.ts';

const seconds = Number(process.argv[2] ?? 15);
const SIZES = [1, 50, 512, 5000];

const rows: (string | number)[][] = [];
for (const spansPerBody of SIZES) {
  const run = await runHeliograph(
    { form: 'protobuf', seconds, connections: 8, spansPerBody, spansPerSecond: 0 },
    false,
  );
  if (run !== undefined) rows.push(costRow(`${spansPerBody} spans a body`, run));
}
printTable(COST_COLUMNS, rows);
process.stdout.write('\nOTLP/HTTP protobuf on 8 connections, each sending as soon as it is answered\n');

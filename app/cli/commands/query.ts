import { loadConfig } from '../../config/load.ts';
import { type CommandCall, type CommandSpec, hasFlag, textOption, UsageError } from '../command.ts';
import { askOrThrow, instanceUrl } from '../instance.ts';
import { type Align, cellText, csvText, textTable } from '../table.ts';

interface ColumnInfo {
  name: string;
  type: string;
  unit?: string;
}

interface ViewInfo {
  name: string;
  question?: string;
  parameters: { name: string; type: string }[];
  columns: ColumnInfo[];
}

interface QueryAnswer {
  columns: ColumnInfo[];
  rows: Record<string, unknown>[];
  meta: { n: number; coverage: number | null; asOf: string | null; truncated?: boolean };
}

export const queryCommand: CommandSpec = {
  name: 'query',
  summary: 'Ask the running instance for a view; without one, list the views.',
  args: ['[view]'],
  options: [
    { flags: '--from <time>', description: 'ISO time, Unix ms or now-6h (now-1h)' },
    { flags: '--to <time>', description: 'ISO time, Unix ms or now (now)' },
    { flags: '--step <seconds>', description: 'seconds a row, for views over time (60)' },
    { flags: '--param <name=value>', description: 'another parameter of the view; may be repeated', repeatable: true },
    { flags: '--json', description: 'the answer as it came' },
    { flags: '--csv', description: 'comma-separated values' },
  ],
  help: 'Example: heliograph query latency_by_route --from now-6h --step 300 --param service=checkout',
  run: query,
};

async function query(call: CommandCall): Promise<number> {
  if (hasFlag(call, 'json') && hasFlag(call, 'csv')) throw new UsageError('--json and --csv exclude each other');
  const path = pathOf(call);
  const { config } = loadConfig(call.configInput);
  const baseUrl = instanceUrl(config, call.io.readFile);
  if (baseUrl === undefined)
    throw new UsageError('port is 0 and no running instance left its address in the data directory');
  const answer = await askOrThrow(baseUrl, path, config.token);
  if (hasFlag(call, 'json')) call.io.out(`${JSON.stringify(answer, null, 2)}\n`);
  else if (call.args[0] === undefined) printViews(call, answer as { views: ViewInfo[] });
  else printRows(call, answer as QueryAnswer);
  return 0;
}

/** Only what was given is sent: a view refuses parameters it does not have. */
function pathOf(call: CommandCall): string {
  const [view] = call.args;
  const search = new URLSearchParams();
  for (const name of ['from', 'to', 'step']) {
    const value = textOption(call, name);
    if (value !== undefined) search.set(name, value);
  }
  for (const pair of (call.options['param'] ?? []) as string[]) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--param ${pair}: must be name=value`);
    search.append(pair.slice(0, at), pair.slice(at + 1));
  }
  if (view === undefined) return '/api/query';
  const query = search.toString();
  return `/api/query/${encodeURIComponent(view)}${query === '' ? '' : `?${query}`}`;
}

function printViews({ io, options }: CommandCall, { views }: { views: ViewInfo[] }): void {
  const rows = views.map((view) => [
    view.name,
    view.parameters.map(({ name }) => name).join(' '),
    view.columns.map(titleOf).join(', '),
  ]);
  const header = ['view', 'parameters', 'columns'];
  io.out(options['csv'] === true ? csvText(header, rows) : textTable(header, rows));
}

function printRows({ io, options }: CommandCall, { columns, rows, meta }: QueryAnswer): void {
  const names = columns.map(({ name }) => name);
  if (options['csv'] === true) {
    io.out(
      csvText(
        names,
        rows.map((row) => names.map((name) => row[name])),
      ),
    );
    return;
  }
  const align = columns.map(({ type }): Align => (/^(Nullable\()?(U?Int|Float|Decimal)/.test(type) ? 'right' : 'left'));
  io.out(
    textTable(
      columns.map(titleOf),
      rows.map((row) => names.map((name) => cellText(row[name]))),
      align,
    ),
  );
  const coverage = meta.coverage === null ? 'unknown' : `${Math.round(meta.coverage * 100)} %`;
  const more = meta.truncated === true ? ' (cut off; narrow the time range or raise the step)' : '';
  io.out(`\n${rows.length} rows${more}, n = ${meta.n}, coverage ${coverage}, as of ${meta.asOf ?? 'unknown'}\n`);
}

/** `rate (1/s)`; a name that ends in its unit (`p95_ms`) needs none. */
function titleOf({ name, unit = '' }: ColumnInfo): string {
  return unit === '' || name.endsWith(`_${unit}`) ? name : `${name} (${unit})`;
}

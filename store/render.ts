/**
 * Renders the engine tokens of a `.sql` file. One file serves three layouts: the embedded engine, a single server, and a
 * cluster, where `x` becomes a replicated table `x_local` on every node with a Distributed table `x` in front.
 */
import { splitStatements, stringLiteral, withoutComments } from './sql.ts';

/** `cluster` is the name in the server's `remote_servers`; `definer` is the user whose rights the views run with. */
export type Layout =
  | { kind: 'embedded' | 'server'; definer: string }
  | { kind: 'cluster'; cluster: string; definer: string };

/** What the team has set and the views must hold to, whoever asks. */
export interface ViewSettings {
  /** Counts of people below this are hidden: `people.floor`. */
  peopleFloor: number;
}

/** The least that `people.floor` may be. */
const DEFAULT_VIEW_SETTINGS: ViewSettings = { peopleFloor: 5 };

/** Blocks remembered per table. One load writes a block per touched partition, so this outlasts every reload by days. */
const DEDUPLICATION_BLOCKS = 10_000;
/** An outage may last a week before a segment that was loaded but not deleted could be counted twice. */
const DEDUPLICATION_SECONDS = 7 * 86_400;

/** The statements of a file for a layout, in order. Throws on an unknown token, so that a typo never reaches the engine. */
export function renderSql(text: string, layout: Layout, settings = DEFAULT_VIEW_SETTINGS): string[] {
  return splitStatements(text)
    .filter((statement) => appliesTo(statement, layout))
    .map((statement) => withoutComments(renderTokens(statement, layout, settings)))
    .filter((statement) => statement !== '');
}

/** `-- on: server, cluster` in front of a statement keeps it from the layouts that are not named. */
function appliesTo(statement: string, layout: Layout): boolean {
  const directive = /^--\s*on:\s*(.+)$/m.exec(statement)?.[1];
  return directive === undefined || directive.split(',').some((kind) => kind.trim() === layout.kind);
}

function renderTokens(statement: string, layout: Layout, settings: ViewSettings): string {
  return statement.replace(/\{\{(\w+)(?: ([^}]*))?\}\}/g, (token, name: string, argument = '') => {
    const render = TOKENS[name];
    if (render === undefined) throw new Error(`unknown token ${token}`);
    return render(argument, layout, settings);
  });
}

const TOKENS: Record<string, (argument: string, layout: Layout, settings: ViewSettings) => string> = {
  on_cluster: (_, layout) => onCluster(layout),
  local: (table, layout) => localTable(table, layout),
  engine: (engine, layout) => (layout.kind === 'cluster' ? replicated(engine) : engine),
  deduplication: (_, layout) =>
    layout.kind === 'cluster'
      ? `replicated_deduplication_window = ${DEDUPLICATION_BLOCKS}, replicated_deduplication_window_seconds = ${DEDUPLICATION_SECONDS}`
      : `non_replicated_deduplication_window = ${DEDUPLICATION_BLOCKS}`,
  distributed: renderDistributed,
  people_floor: (_argument, _layout, { peopleFloor }) => String(Math.max(5, Math.trunc(peopleFloor))),
  definer: (_, layout) => `DEFINER = ${layout.definer} SQL SECURITY DEFINER`,
};

/** `ReplacingMergeTree(version)` keeps its own arguments behind those of the replication. */
function replicated(engine: string): string {
  const [, name, own] = /^(\w+)(?:\((.*)\))?$/.exec(engine) ?? [];
  if (name === undefined) throw new Error(`engine wants "<name>" or "<name>(<arguments>)", got "${engine}"`);
  const path = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'";
  return `Replicated${name}(${own === undefined ? path : `${path}, ${own}`})`;
}

function onCluster(layout: Layout): string {
  return layout.kind === 'cluster' ? `ON CLUSTER ${stringLiteral(layout.cluster)}` : '';
}

/** The table that materialized views read and write, and that ALTERs go to. */
export function localTable(table: string, layout: Layout): string {
  return layout.kind === 'cluster' ? `${table}_local` : table;
}

function renderDistributed(argument: string, layout: Layout): string {
  if (layout.kind !== 'cluster') return '';
  const [, table, key] = /^(\S+) by (.+)$/.exec(argument) ?? [];
  if (table === undefined || key === undefined)
    throw new Error(`distributed wants "<table> by <key>", got "${argument}"`);
  const [database, name] = table.split('.');
  return (
    `CREATE TABLE IF NOT EXISTS ${table} ${onCluster(layout)} AS ${table}_local ` +
    `ENGINE = Distributed(${stringLiteral(layout.cluster)}, ${database}, ${name}_local, ${key})`
  );
}

/** Queries of boards: one view of the registry, called with the board's time range, and nothing computed beside it. */
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import { findView } from '../../analyzers/index.ts';
import type { Target, TargetFormat } from '../shared/model.ts';

export const DATASOURCE_TYPE = 'grafana-clickhouse-datasource';
/** Every query goes to the data source chosen on the board. */
// oxlint-disable-next-line no-template-curly-in-string -- Grafana's syntax
export const DATASOURCE = { type: DATASOURCE_TYPE, uid: '${datasource}' };

/** Oldest plugin whose query model these targets follow. */
const PLUGIN_VERSION = '4.20.0';

/** A step longer than any range: one row for the whole window. It still fits a DateTime, which ends in 2106. */
const WHOLE_RANGE_SECONDS = 4_000_000_000;

export interface ViewQuery {
  view: string;
  /** `interval`: the panel's bucket width; `whole`: one row for the window; absent for views without a step. */
  step?: 'interval' | 'whole';
  /** SQL of further parameters, by name; those with a default may be left out. */
  args?: Readonly<Record<string, string>>;
  select: readonly string[];
  where?: readonly string[];
  groupBy?: readonly string[];
  having?: string;
  orderBy?: readonly string[];
  limit?: number;
}

/**
 * `boards.x(from=…, to=…, step=…)` with the data source's macros: each parameter of the registry once. Throws for an unknown view, and
 * for a parameter without value.
 */
export function viewCall(
  name: string,
  step?: 'interval' | 'whole',
  args: Readonly<Record<string, string>> = {},
): string {
  const view = findView(name);
  if (view === undefined) throw new Error(`there is no view ${name}`);
  const known: Record<string, string> = {
    from: '$__fromTime',
    to: '$__toTime',
    ...(step === undefined ? {} : { step: step === 'whole' ? String(WHOLE_RANGE_SECONDS) : '$__interval_s' }),
    ...args,
  };
  const bound = view.parameters.map(({ name: parameter, type, default: fallback }) => {
    const value = known[parameter] ?? (fallback === undefined ? undefined : literal(fallback));
    if (value === undefined) throw new Error(`${name}: parameter ${parameter} (${type}) has no value`);
    return `${parameter}=${value}`;
  });
  return `boards.${name}${bound.length === 0 ? '' : `(${bound.join(', ')})`}`;
}

function literal(value: string | number): string {
  return typeof value === 'number' ? String(value) : `'${value.replace(/[\\']/g, '\\$&')}'`;
}

/** The statement, clause per line, as a person reads it in Grafana's editor. */
export function sqlOf(query: ViewQuery): string {
  const clauses: (string | undefined)[] = [
    `SELECT ${query.select.join(', ')}`,
    `FROM ${viewCall(query.view, query.step, query.args)}`,
    list('WHERE', query.where, '\n  AND '),
    list('GROUP BY', query.groupBy, ', '),
    query.having === undefined ? undefined : `HAVING ${query.having}`,
    list('ORDER BY', query.orderBy, ', '),
    query.limit === undefined ? undefined : `LIMIT ${query.limit}`,
  ];
  return clauses.filter((clause) => clause !== undefined).join('\n');
}

function list(keyword: string, items: readonly string[] | undefined, separator: string): string | undefined {
  return items === undefined || items.length === 0 ? undefined : `${keyword} ${items.join(separator)}`;
}

const QUERY_TYPE: Record<TargetFormat, string> = { 0: 'timeseries', 1: 'table', 4: 'timeseries' };

/** The panel's targets: its query and, where the view counts items, the hidden count of what it was computed from. */
export function targetsOf(query: ViewQuery, format: TargetFormat): Builder<Dataquery>[] {
  const main = target('A', sqlOf(query), format);
  const countColumn = findView(query.view)?.countColumn;
  if (countColumn === undefined) return [main];
  const count: ViewQuery = {
    view: query.view,
    ...(query.step === undefined ? {} : { step: 'whole' as const }),
    ...(query.args === undefined ? {} : { args: query.args }),
    select: [`sum(${countColumn}) AS n`],
    where: query.where ?? [],
  };
  return [main, target('n', sqlOf(count), 1, true)];
}

/** A query in table format that stands on no panel. */
export function tableTarget(refId: string, query: ViewQuery): Builder<Dataquery> {
  return target(refId, sqlOf(query), 1);
}

function target(refId: string, rawSql: string, format: TargetFormat, hide = false): Builder<Dataquery> {
  const built: Target = {
    refId,
    datasource: DATASOURCE,
    editorType: 'sql',
    queryType: QUERY_TYPE[format],
    rawSql,
    format,
    pluginVersion: PLUGIN_VERSION,
    ...(hide ? { hide } : {}),
  };
  return { build: () => ({ ...built, _implementsDataqueryVariant: () => undefined }) as unknown as Dataquery };
}

/** `/api/query`: every view of the registry as JSON, its parameters bound. */
import type { FastifyInstance } from 'fastify';
import { findView, VIEWS } from '../../analyzers/index.ts';
import type { View, ViewParameter } from '../../analyzers/types.ts';
import { HeliographError } from '../../core/errors.ts';
import type { Clock, Store } from '../../core/ports.ts';
import { parseRange, type TimeRange } from '../../dashboards/query/range.ts';
import { integer, type QueryString, single } from './parameters.ts';
import { capRows, READ_SETTINGS } from './read-settings.ts';
import { sourceStatusReader } from './source-status.ts';

export interface QueryDeps {
  store: Store;
  clock: Clock;
}

const DEFAULT_FROM = 'now-1h';
const DEFAULT_TO = 'now';
const DEFAULT_STEP_SECONDS = 60;
/** The step that makes one row of any window; it still fits a DateTime. */
const MAX_STEP_SECONDS = 4_000_000_000;
const MAX_TEXT_LENGTH = 1_024;

/** Adds the routes. Errors are thrown as HeliographError for the app's error handler. */
export function registerQuery(app: FastifyInstance, deps: QueryDeps): void {
  const readStatus = sourceStatusReader(deps.store, deps.clock);

  app.get('/api/query', async () => ({ views: VIEWS }));

  app.get<{ Params: { view: string }; Querystring: QueryString }>('/api/query/:view', async ({ params, query }) => {
    const view = findView(params.view);
    if (view === undefined) {
      throw new HeliographError('not_found', `there is no view ${params.view.slice(0, 80)}; /api/query lists them`);
    }
    refuseUnknown(view, query);
    const range = parseRange(
      single(query, 'from') ?? DEFAULT_FROM,
      single(query, 'to') ?? DEFAULT_TO,
      deps.clock.nowMs(),
    );
    const bound = Object.fromEntries(
      view.parameters.map((parameter) => [parameter.name, valueOf(parameter, query, range)]),
    );
    const [result, status] = await Promise.all([
      deps.store.query({ sql: statementOf(view), params: bound, settings: READ_SETTINGS }),
      readStatus(view.source, range),
    ]);
    const { rows, truncated } = capRows(result);
    return {
      columns: result.columns,
      rows: rows.map((row) => Object.fromEntries(result.columns.map((column, index) => [column.name, row[index]]))),
      meta: { n: countOf(view, result.columns, rows), ...status, truncated },
    };
  });
}

function refuseUnknown(view: View, query: QueryString): void {
  const known = view.parameters.map((parameter) => parameter.name);
  const unknown = Object.keys(query).find((field) => !known.includes(field));
  if (unknown !== undefined) {
    throw new HeliographError(
      'bad_request',
      `${unknown.slice(0, 64)}: ${view.name} has no such parameter; it takes ${known.join(', ')}`,
    );
  }
}

/** The value to bind: seconds for times, an integer, or the text itself. Throws `bad_request` naming the field. */
function valueOf(
  { name, type, default: fallback }: ViewParameter,
  query: QueryString,
  range: TimeRange,
): string | number {
  const text = single(query, name);
  if (name === 'from') return Math.floor(range.fromMs / 1000);
  if (name === 'to') return Math.floor(range.toMs / 1000);
  if (name === 'step') return text === undefined ? DEFAULT_STEP_SECONDS : integer(name, text, 1, MAX_STEP_SECONDS);
  if (text === undefined && fallback !== undefined) return fallback;
  if (text === undefined) throw new HeliographError('bad_request', `${name} is required (${type})`);
  if (text.length > MAX_TEXT_LENGTH) {
    throw new HeliographError('bad_request', `${name} is longer than ${MAX_TEXT_LENGTH} characters`);
  }
  if (type === 'UInt32') return integer(name, text, 0, 4_294_967_295);
  return text;
}

/** Names come from the registry, values are bound. Views over time are sorted; the others bring their own order. */
function statementOf(view: View): string {
  const args = view.parameters.map(({ name, type }) => `${name}={${name}:${type}}`);
  const from = `boards.${view.name}${args.length === 0 ? '' : `(${args.join(', ')})`}`;
  const order = view.orderBy ?? (view.parameters.some(({ name }) => name === 'step') ? stepOrder(view) : []);
  return `SELECT * FROM ${from}${order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`}`;
}

const STEP_KEYS = ['time', 'repository', 'workflow', 'service', 'target', 'route', 'le_ms', 'name', 'stack'];

function stepOrder(view: View): string[] {
  return STEP_KEYS.filter((key) => view.columns.some(({ name }) => name === key));
}

/** Items the rows stand for: the sum of the view's count column, or the number of rows. */
function countOf(view: View, columns: readonly { name: string }[], rows: readonly unknown[][]): number {
  const index = columns.findIndex(({ name }) => name === view.countColumn);
  return index < 0 ? rows.length : rows.reduce((sum, row) => sum + Number(row[index] ?? 0), 0);
}

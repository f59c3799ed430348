/**
 * The macros of grafana-clickhouse-datasource, expanded as its backend expands them, so that a stored panel query means the
 * same here and in Grafana. Unknown macros stay as they are, as they do there; the boards' lint forbids them.
 */
import { HeliographError } from '../../core/errors.ts';
import { readArguments, stripComments } from './scan.ts';

/** What macros read: the range in Unix milliseconds and the interval in milliseconds. */
export interface MacroContext {
  fromMs: number;
  toMs: number;
  intervalMs: number;
}

type Macro = (args: readonly string[], context: MacroContext) => string;

const seconds = (ms: number) => Math.floor(ms / 1000);
const dateTime = (ms: number) => `toDateTime(${seconds(ms)})`;
const dateTimeMs = (ms: number) => `fromUnixTimestamp64Milli(${Math.floor(ms)})`;
const date = (ms: number) => `toDate('${new Date(ms).toISOString().slice(0, 10)}')`;
const intervalSeconds = (ms: number) => Math.max(1, seconds(ms));

function between(column: string, literal: (ms: number) => string, { fromMs, toMs }: MacroContext): string {
  return `${column} >= ${literal(fromMs)} AND ${column} <= ${literal(toMs)}`;
}

const dateAndTime: Macro = ([day, time], context) =>
  `(${between(day ?? '', date, context)}) AND (${between(time ?? '', dateTime, context)})`;

/** Name -> number of arguments and expansion. */
const MACROS: Readonly<Record<string, { arity: number; expand: Macro }>> = {
  fromTime: { arity: 0, expand: (_, { fromMs }) => dateTime(fromMs) },
  toTime: { arity: 0, expand: (_, { toMs }) => dateTime(toMs) },
  fromTime_ms: { arity: 0, expand: (_, { fromMs }) => dateTimeMs(fromMs) },
  toTime_ms: { arity: 0, expand: (_, { toMs }) => dateTimeMs(toMs) },
  timeFilter: { arity: 1, expand: ([column = ''], context) => between(column, dateTime, context) },
  timeFilter_ms: { arity: 1, expand: ([column = ''], context) => between(column, dateTimeMs, context) },
  dateFilter: { arity: 1, expand: ([column = ''], context) => between(column, date, context) },
  dateTimeFilter: { arity: 2, expand: dateAndTime },
  dt: { arity: 2, expand: dateAndTime },
  timeFrom: { arity: 1, expand: ([column = ''], { fromMs }) => `${column} >= ${dateTime(fromMs)}` },
  timeTo: { arity: 1, expand: ([column = ''], { toMs }) => `${column} <= ${dateTime(toMs)}` },
  timeInterval: {
    arity: 1,
    expand: ([column = ''], { intervalMs }) =>
      `toStartOfInterval(toDateTime(${column}), INTERVAL ${intervalSeconds(intervalMs)} second)`,
  },
  timeInterval_ms: {
    arity: 1,
    expand: ([column = ''], { intervalMs }) =>
      `toStartOfInterval(toDateTime64(${column}, 3), INTERVAL ${Math.max(1, Math.floor(intervalMs))} millisecond)`,
  },
  timeGroup: {
    arity: 2,
    expand: ([column = '', every = '']) =>
      `toStartOfInterval(toDateTime(${column}), INTERVAL ${goDurationSeconds(every)} second)`,
  },
  interval_s: { arity: 0, expand: (_, { intervalMs }) => String(intervalSeconds(intervalMs)) },
  interval_ms: { arity: 0, expand: (_, { intervalMs }) => String(Math.floor(intervalMs)) },
  interval: { arity: 0, expand: (_, { intervalMs }) => `${intervalSeconds(intervalMs)}s` },
};

/** Names of the macros known here, without `$__`; `conditionalAll` is expanded with the variables. */
export const MACRO_NAMES: readonly string[] = [...Object.keys(MACROS), 'conditionalAll'];

/** Strips comments and expands the macros. Throws `bad_request` on a wrong number of arguments. */
export function expandMacros(sql: string, context: MacroContext): string {
  return replaceMacros(stripComments(sql), (name, args) => {
    const macro = Object.hasOwn(MACROS, name) ? MACROS[name] : undefined;
    if (macro === undefined) return undefined;
    if (macro.arity > 0 && args.length !== macro.arity) {
      throw new HeliographError('bad_request', `$__${name} takes ${macro.arity} argument(s), not ${args.length}`);
    }
    return macro.expand(args, context);
  });
}

/** Walks `$__name` and `$__name(args)`; `replace` returns the new text, or undefined to leave it as it stands. */
export function replaceMacros(
  sql: string,
  replace: (name: string, args: readonly string[]) => string | undefined,
): string {
  const pattern = /\$__(\w+)/g;
  let out = '';
  let from = 0;
  for (let match = pattern.exec(sql); match !== null; match = pattern.exec(sql)) {
    const nameEnd = match.index + match[0].length;
    const call = sql[nameEnd] === '(' ? readArguments(sql, nameEnd) : undefined;
    const replacement = replace(match[1] ?? '', call?.args ?? []);
    if (replacement === undefined) continue;
    out += sql.slice(from, match.index) + replacement;
    from = call?.end ?? nameEnd;
    pattern.lastIndex = from;
  }
  return out + sql.slice(from);
}

/** Go's time.ParseDuration for whole seconds and above: `90s`, `5m`, `1h30m`. There is no `d`. */
function goDurationSeconds(text: string): number {
  const bare = text.replace(/^['"]|['"]$/g, '');
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(bare)) {
    throw new HeliographError('bad_request', `$__timeGroup: '${text}' is not a Go duration such as 5m`);
  }
  const unitSeconds: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };
  let total = 0;
  for (const [, amount, unit] of bare.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (unitSeconds[unit ?? ''] ?? 0);
  }
  return Math.max(1, Math.floor(total));
}

/**
 * Wall 2: what a reader's statement may cost and change. Of what a request asks, a few numbers and switches are taken,
 * each within its cap; everything else is dropped, because drivers send settings of their own with every statement.
 */
import { EngineException } from '../embedded/exception.ts';
import { denied, notServed } from './refusal.ts';

/** Setting -> what applies where none is asked for, and the most that may be asked for. */
const NUMBERS: Readonly<Record<string, { default: number; max: number } | { max: number }>> = {
  max_execution_time: { default: 30, max: 60 },
  max_result_rows: { default: 1_000_000, max: 1_000_000 },
  max_result_bytes: { default: 256 * 1024 * 1024, max: 256 * 1024 * 1024 },
  max_block_size: { max: 65_409 },
  limit: { max: 1_000_000 },
  offset: { max: 1_000_000 },
};

/** How numbers and times are written, and how NULL is made: harmless, and what clients rely on. */
const SWITCHES: Readonly<Record<string, readonly string[]>> = {
  output_format_json_quote_64bit_integers: ['0', '1'],
  output_format_json_quote_denormals: ['0', '1'],
  output_format_json_named_tuples_as_objects: ['0', '1'],
  date_time_output_format: ['simple', 'iso', 'unix_timestamp'],
  join_use_nulls: ['0', '1'],
};

/** Never a reader's to choose. */
const FIXED: Readonly<Record<string, string>> = {
  result_overflow_mode: 'throw',
  timeout_overflow_mode: 'throw',
  // A third of what the embedded engine may have by default; grouping and sorting that need more spill to disk.
  max_memory_usage: String(512 * 1024 * 1024),
  max_temporary_data_on_disk_size_for_query: String(1024 * 1024 * 1024),
  max_query_size: String(1024 * 1024),
  allow_introspection_functions: '0',
  // A failure behind the first rows gets a status of its own, up to a result of this size.
  wait_end_of_query: '1',
  buffer_size: String(4 * 1024 * 1024),
  // Through a view the engine would read a map's key as a subcolumn and then not see that a skip index covers the map: a search
  // by attribute would read every span there is.
  optimize_functions_to_subcolumns: '0',
  readonly: '1',
};

/** Parameters that would change what the bytes mean. */
const UNSERVED = ['compress', 'decompress'];
const PARAMETER = /^param_[A-Za-z_]\w{0,63}$/;
const MAX_PARAMETERS = 200;

/** Parameters of the engine's URL for a reader's statement. Throws `EngineException` for what is not served. */
export function boundParameters(asked: URLSearchParams): URLSearchParams {
  for (const name of UNSERVED) if (!['0', '', null].includes(asked.get(name))) throw notServed(`Parameter ${name}`);
  const out = new URLSearchParams({ ...FIXED, database: 'boards' });
  for (const [name, rule] of Object.entries(NUMBERS)) {
    const value = boundedNumber(asked.get(name), rule.max) ?? ('default' in rule ? rule.default : undefined);
    if (value !== undefined) out.set(name, String(value));
  }
  for (const [name, values] of Object.entries(SWITCHES)) {
    const value = asked.get(name);
    if (value !== null && values.includes(value)) out.set(name, value);
  }
  const parameters = [...asked].filter(([name]) => PARAMETER.test(name));
  if (parameters.length > MAX_PARAMETERS) throw denied(`A statement may have ${MAX_PARAMETERS} parameters`);
  for (const [name, value] of parameters) out.set(name, value);
  return out;
}

/** The number where one is asked for that says something: 0 means "no bound" to the engine, so it asks for nothing here. */
function boundedNumber(text: string | null, max: number): number | undefined {
  if (text === null || !/^\d{1,15}(\.\d{1,6})?$/.test(text) || Number(text) === 0) return undefined;
  return Math.min(Number(text), max);
}

/** What drivers name where nobody chose a database; the face has one. */
const OWN_DATABASES = ['', 'default', 'boards', null, undefined];

/** Throws `UNKNOWN_DATABASE` unless it is the one database there is. */
export function checkDatabase(name: string | null | undefined): void {
  if (OWN_DATABASES.includes(name)) return;
  throw new EngineException(81, 'UNKNOWN_DATABASE', 'The read-only face has one database: boards');
}

/** How a journal segment becomes rows: one recipe per signal, one INSERT … SELECT per segment. */
import { readFileSync } from 'node:fs';
import { HeliographError } from '../core/errors.ts';
import { assetPath } from '../core/paths.ts';
import type { SegmentLoad } from '../core/ports.ts';
import { ROW_RECIPES, type RowRecipe } from './loads/rows.ts';
import { stringLiteral } from './sql.ts';

/** What `Store.load` sends. With `body: 'bytes'` the segment's bytes are the request body, with `'path'` there is none. */
export interface RenderedLoad {
  sql: string;
  params: Record<string, unknown>;
  settings: Record<string, string | number>;
  body: 'path' | 'bytes';
}

interface Recipe {
  into: string;
  select: string;
  format: string;
  /** Columns of the bytes, always written out, never inferred. */
  structure: string;
  settings: Record<string, string | number>;
}

const ATTRIBUTES = 'Array(Tuple(key String, value String))';

/** The type of `heliograph.otlp_traces_in.resource_spans`; a test holds it equal to the table's. */
export const RESOURCE_SPANS_TYPE =
  `Array(Tuple(resource Tuple(attributes ${ATTRIBUTES}), scope_spans Array(Tuple(scope Tuple(name String, version String), ` +
  'spans Array(Tuple(trace_id String, span_id String, trace_state String, parent_span_id String, name String, kind Int64, ' +
  `start_time_unix_nano UInt64, end_time_unix_nano UInt64, attributes ${ATTRIBUTES}, ` +
  `events Array(Tuple(time_unix_nano UInt64, name String, attributes ${ATTRIBUTES})), ` +
  `links Array(Tuple(trace_id String, span_id String, trace_state String, attributes ${ATTRIBUTES})), ` +
  'status Tuple(message String, code Int64)))))))';

const RECIPES: Record<string, Recipe> = {
  otlp_traces: {
    into: 'heliograph.otlp_traces_in (resource_spans, team, lo_ns, hi_ns)',
    select: 'resource_spans, {team:String}, {lo_ns:UInt64}, {hi_ns:UInt64}',
    format: 'ProtobufSingle',
    structure: `resource_spans ${RESOURCE_SPANS_TYPE}`,
    settings: {
      format_schema_source: 'string',
      format_schema: readFileSync(assetPath('store/loads/otlp_traces.proto'), 'utf8').replace(/^\/\/.*\n/gm, ''),
      format_schema_message_name: 'ExportTraceServiceRequest',
      // Merges build it, and most spans are merged within seconds; until then a search reads them.
      exclude_materialize_skip_indexes_on_insert: 'idx_span_attr_value',
    },
  },
  source_minutes: {
    into: 'heliograph.source_minutes (source, team, minute)',
    select: 'source, {team:String}, toDateTime(minute)',
    format: 'JSONEachRow',
    structure: 'source String, minute UInt32',
    settings: { input_format_skip_unknown_fields: 0 },
  },
  ...Object.fromEntries(Object.entries(ROW_RECIPES).map(([signal, recipe]) => [signal, fromRows(recipe)])),
};

function fromRows({ table, columns }: RowRecipe): Recipe {
  return {
    into: `${table} (${columns.map(({ key, as }) => as?.column ?? key).join(', ')})`,
    select: columns.map(({ key, as }) => as?.expression ?? key).join(', '),
    format: 'JSONEachRow',
    structure: columns.map(({ key, type }) => `${key} ${type}`).join(', '),
    settings: { input_format_skip_unknown_fields: 0 },
  };
}

/**
 * Block settings that are recorded with a segment when it is opened. The deduplication token counts per block, so a segment
 * must be cut into the same blocks each time it is loaded; with one thread and these sizes it always is.
 */
export const PINNED_BLOCK_SETTINGS: Readonly<Record<string, string | number>> = {
  max_threads: 1,
  max_insert_threads: 1,
  max_block_size: 65_409,
  max_insert_block_size: 1_048_449,
  min_insert_block_size_rows: 1_048_449,
  min_insert_block_size_bytes: 268_402_944,
  parallel_view_processing: 0,
};

/** Settings of every load: exactly once through the chained views, and no cap on days per segment (the door bounds times). */
const LOAD_SETTINGS = {
  insert_deduplicate: 1,
  deduplicate_insert: 'enable',
  deduplicate_insert_select: 'force_enable',
  deduplicate_blocks_in_dependent_materialized_views: 1,
  max_partitions_per_insert_block: 0,
  async_insert: 0,
} as const;

/** Signals that can be loaded. */
export const LOADABLE_SIGNALS = Object.keys(RECIPES);

/** The statement that reads a file as a load would, and stores nothing: fails where the load would. Embedded engine only. Throws `internal` for a signal without a recipe. */
export function renderTrial(signal: string, path: string): { sql: string; settings: Record<string, string | number> } {
  const { format, structure, settings } = recipeOf(signal);
  const source = `file(${stringLiteral(path)}, '${format}', ${stringLiteral(structure)})`;
  return { sql: `SELECT sum(ignore(*)) FROM ${source}`, settings };
}

function recipeOf(signal: string): Recipe {
  const recipe = RECIPES[signal];
  if (recipe === undefined) throw new HeliographError('internal', `no load recipe for signal ${signal}`);
  return recipe;
}

/** The statement that loads `segment`. Throws `internal` for a signal without a recipe. */
export function renderLoad(segment: SegmentLoad, engine: 'embedded' | 'server'): RenderedLoad {
  const recipe = recipeOf(segment.signal);
  const structure = stringLiteral(recipe.structure);
  const source =
    engine === 'embedded'
      ? `file(${stringLiteral(segment.path)}, '${recipe.format}', ${structure})`
      : `input(${structure}) FORMAT ${recipe.format}`;
  return {
    sql: `INSERT INTO ${recipe.into} SELECT ${recipe.select} FROM ${source}`,
    params: { team: segment.team, lo_ns: segment.loNs.toString(), hi_ns: segment.hiNs.toString() },
    settings: { ...recipe.settings, ...LOAD_SETTINGS, ...segment.settings, insert_deduplication_token: segment.token },
    body: engine === 'embedded' ? 'path' : 'bytes',
  };
}

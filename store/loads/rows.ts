/** How each kind of NDJSON row becomes columns. Keys are the rows' own (core/rows.ts); `as` is written where the column differs. */
import type { RowSignal } from '../../core/rows.ts';

interface RowColumn {
  /** Key of the JSON object. */
  key: string;
  /** Type it is read as; always written out, never inferred. */
  type: string;
  /** Column of the table and what it is made of, where that is not the key itself. */
  as?: { column: string; expression: string };
}

/** Table and columns of one signal. */
export interface RowRecipe {
  table: string;
  columns: readonly RowColumn[];
}

const text = (...keys: string[]): RowColumn[] => keys.map((key) => ({ key, type: 'String' }));
const typed = (type: string, ...keys: string[]): RowColumn[] => keys.map((key) => ({ key, type }));

/** `x_ms` -> column `x`, DateTime64(3). */
const times = (type: 'Int64' | 'Nullable(Int64)', ...keys: string[]): RowColumn[] =>
  keys.map((key) => ({
    key,
    type,
    as: { column: key.replace(/_ms$/, ''), expression: `fromUnixTimestamp64Milli(${key})` },
  }));

/** `x_s` -> column `x`, DateTime64(0): years before 1970 and after 2106 included. */
const gitTimes = (...keys: string[]): RowColumn[] =>
  keys.map((key) => ({
    key,
    type: 'Int64',
    as: { column: key.replace(/_s$/, ''), expression: `toDateTime64(${key}, 0, 'UTC')` },
  }));

const version: RowColumn = { key: 'version_ms', type: 'UInt64', as: { column: 'version', expression: 'version_ms' } };

const ciHead = [
  ...text('provider', 'repository'),
  ...typed('UInt64', 'run_id'),
  ...typed('UInt32', 'attempt'),
  ...text('delivery', 'workflow', 'branch', 'sha', 'status'),
  ...typed('Nullable(String)', 'conclusion'),
  ...times('Nullable(Int64)', 'created_at_ms', 'started_at_ms'),
  ...times('Int64', 'received_at_ms'),
];

export const ROW_RECIPES: Readonly<Record<Exclude<RowSignal, 'source_minutes'>, RowRecipe>> = {
  pipeline_minutes: {
    table: 'heliograph.pipeline_minutes',
    columns: [
      { key: 'minute', type: 'UInt32', as: { column: 'minute', expression: 'toDateTime(minute)' } },
      ...text('instance', 'signal', 'form', 'team', 'key'),
      ...typed('UInt64', 'acked_bodies', 'duplicate_bodies', 'slow_lane_bodies', 'bytes'),
      ...typed('UInt64', 'acked_spans', 'duplicate_spans', 'clock_skew_spans'),
      ...typed('Map(String, UInt64)', 'rejected_spans', 'refused_bodies'),
      ...typed('Nullable(UInt64)', 'backlog_bytes_max', 'backlog_bytes_last'),
      ...typed('Nullable(UInt64)', 'backlog_segments_max', 'backlog_segments_last'),
      ...typed('Nullable(UInt64)', 'oldest_age_max_ms', 'oldest_age_last_ms'),
      ...typed('UInt64', 'loaded_segments', 'loaded_spans', 'loaded_bytes', 'load_ms', 'quarantined_bodies'),
      ...typed('Map(Int16, UInt64)', 'freshness_bins'),
    ],
  },
  ci_runs: {
    table: 'heliograph.ci_runs',
    columns: [...ciHead, ...text('event'), ...times('Nullable(Int64)', 'updated_at_ms')],
  },
  ci_jobs: {
    table: 'heliograph.ci_jobs',
    columns: [
      ...ciHead,
      ...typed('UInt64', 'job_id'),
      ...text('name'),
      ...typed('Array(String)', 'labels'),
      ...times('Nullable(Int64)', 'completed_at_ms'),
    ],
  },
  deployments: {
    table: 'heliograph.deployments',
    columns: [
      ...text('id', 'service', 'environment', 'version', 'sha', 'repository', 'status'),
      ...typed('Nullable(String)', 'kind'),
      ...times('Nullable(Int64)', 'started_at_ms', 'finished_at_ms'),
      ...times('Int64', 'received_at_ms'),
    ],
  },
  commits: {
    table: 'heliograph.commits',
    columns: [
      ...text('repository', 'sha', 'author', 'committer', 'bot_rule', 'time_quality'),
      ...typed('Array(String)', 'parents', 'co_authors'),
      ...typed('Bool', 'agent_assisted', 'gone'),
      ...gitTimes('author_time_s', 'commit_time_s'),
      ...typed('Int16', 'author_offset_min', 'commit_offset_min'),
      ...typed('UInt64', 'additions', 'deletions'),
      ...typed('UInt32', 'files', 'binary_files', 'renames'),
      version,
    ],
  },
  commit_files: {
    table: 'heliograph.commit_files',
    columns: [
      ...text('repository', 'sha', 'path', 'old_path', 'status'),
      ...gitTimes('commit_time_s'),
      ...typed('Nullable(UInt32)', 'additions', 'deletions'),
      version,
    ],
  },
  git_tips: {
    table: 'heliograph.git_tips',
    columns: [...text('repository', 'branch', 'tip'), ...times('Int64', 'collected_at_ms')],
  },
  commit_ci: {
    table: 'heliograph.commit_ci',
    columns: [...text('repository', 'sha'), ...typed('Bool', 'successful'), version],
  },
  identities: {
    table: 'people.identities',
    columns: [...text('pseudonym', 'sealed'), ...times('Int64', 'last_seen_ms')],
  },
  target_polls: {
    table: 'heliograph.target_polls',
    columns: [
      ...times('Int64', 'time_ms'),
      ...text('service', 'target', 'kind', 'outcome', 'reason'),
      ...typed('Float64', 'duration_ms'),
      ...typed('UInt64', 'bytes'),
      ...typed('Nullable(Int64)', 'total'),
    ],
  },
  stacks: {
    table: 'heliograph.stacks',
    columns: [
      ...text('service', 'stack'),
      ...typed('Array(String)', 'functions', 'locations'),
      {
        key: 'seen_at_ms',
        type: 'Int64',
        as: { column: 'seen_at', expression: 'toDateTime(intDiv(seen_at_ms, 1000))' },
      },
    ],
  },
  profile_samples: {
    table: 'heliograph.profile_samples',
    columns: [
      ...times('Int64', 'time_ms'),
      ...text('service', 'target', 'profile', 'sample_type', 'unit', 'stack'),
      ...typed('Int64', 'value'),
    ],
  },
  go_runtime: {
    table: 'heliograph.go_runtime',
    columns: [
      ...times('Int64', 'time_ms'),
      ...text('service', 'target'),
      ...typed('Nullable(UInt64)', 'heap_alloc_bytes', 'heap_sys_bytes', 'heap_idle_bytes', 'heap_inuse_bytes'),
      ...typed('Nullable(UInt64)', 'heap_released_bytes', 'heap_objects', 'stack_inuse_bytes', 'sys_bytes'),
      ...typed('Nullable(UInt64)', 'next_gc_bytes', 'total_alloc_bytes', 'mallocs', 'frees', 'gc_cycles'),
      ...typed('Nullable(UInt64)', 'gc_forced_cycles', 'gc_pause_total_ns'),
      ...typed('Nullable(Float64)', 'gc_cpu_fraction'),
      {
        key: 'last_gc_ns',
        type: 'Nullable(Int64)',
        as: { column: 'last_gc', expression: 'fromUnixTimestamp64Nano(last_gc_ns)' },
      },
      ...typed('Array(UInt64)', 'pauses_ns'),
      ...typed('Map(String, Float64)', 'vars'),
    ],
  },
  alerts: {
    table: 'heliograph.alerts',
    columns: [
      ...text('fingerprint', 'rule', 'status', 'summary', 'evidence'),
      ...typed('Map(String, String)', 'labels'),
      ...times('Int64', 'starts_at_ms', 'changed_at_ms'),
      ...times('Nullable(Int64)', 'ends_at_ms'),
    ],
  },
  alert_deliveries: {
    table: 'heliograph.alert_deliveries',
    columns: [
      ...times('Int64', 'time_ms', 'starts_at_ms'),
      ...text('receiver', 'idempotency_key', 'fingerprint', 'status', 'outcome'),
      ...typed('UInt32', 'attempt'),
      ...typed('Nullable(UInt16)', 'http_status'),
    ],
  },
  disk_drops: {
    table: 'heliograph.disk_drops',
    columns: [
      ...times('Int64', 'time_ms'),
      ...text('kind', 'table', 'partition'),
      ...typed('Date', 'first_day', 'last_day'),
      ...typed('UInt64', 'rows', 'bytes', 'used_bytes', 'cap_bytes'),
    ],
  },
};

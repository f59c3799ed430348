/**
 * The rows of low-volume sources, as their decoders make them and as they travel: one JSON object a line. Names carry their units;
 * times are Unix milliseconds, or what their names say; 64-bit figures that may pass 2^53 are decimal strings. Columns of the
 * same meaning, with their definitions, stand in store/migrations.
 */

/** heliograph.ci_runs: one delivery about a run. */
export interface CiRunRow {
  provider: string;
  repository: string;
  run_id: number;
  attempt: number;
  delivery: string;
  workflow: string;
  event: string;
  branch: string;
  sha: string;
  status: string;
  conclusion: string | null;
  created_at_ms: number | null;
  started_at_ms: number | null;
  updated_at_ms: number | null;
  received_at_ms: number;
}

/** heliograph.ci_jobs: one delivery about a job. */
export interface CiJobRow {
  provider: string;
  repository: string;
  run_id: number;
  attempt: number;
  job_id: number;
  delivery: string;
  workflow: string;
  name: string;
  branch: string;
  sha: string;
  labels: readonly string[];
  status: string;
  conclusion: string | null;
  created_at_ms: number | null;
  started_at_ms: number | null;
  completed_at_ms: number | null;
  received_at_ms: number;
}

/** heliograph.deployments: one deploy event. */
export interface DeploymentRow {
  id: string;
  service: string;
  environment: string;
  version: string;
  sha: string;
  repository: string;
  status: string;
  kind: string | null;
  started_at_ms: number | null;
  finished_at_ms: number | null;
  received_at_ms: number;
}

/** heliograph.commits. People are pseudonyms. */
export interface CommitRow {
  repository: string;
  sha: string;
  parents: readonly string[];
  author: string;
  committer: string;
  co_authors: readonly string[];
  bot_rule: string;
  agent_assisted: boolean;
  /** Unix seconds, as git has them. */
  author_time_s: number;
  author_offset_min: number;
  /** Unix seconds. */
  commit_time_s: number;
  commit_offset_min: number;
  time_quality: 'author' | 'merge_click';
  additions: number;
  deletions: number;
  files: number;
  binary_files: number;
  renames: number;
  gone: boolean;
  /** When it was collected. */
  version_ms: number;
}

/** heliograph.commit_files: one changed file of one commit. */
export interface CommitFileRow {
  repository: string;
  sha: string;
  /** Unix seconds. */
  commit_time_s: number;
  path: string;
  old_path: string;
  status: string;
  additions: number | null;
  deletions: number | null;
  version_ms: number;
}

/** heliograph.git_tips. */
export interface GitTipRow {
  repository: string;
  branch: string;
  tip: string;
  collected_at_ms: number;
}

/** heliograph.commit_ci. */
export interface CommitCiRow {
  repository: string;
  sha: string;
  successful: boolean;
  version_ms: number;
}

/** people.identities. */
export interface IdentityRow {
  pseudonym: string;
  sealed: string;
  last_seen_ms: number;
}

/** What a poll of a target came to; `not_mounted` (404) is an answer, not a failure. */
export type PollOutcome =
  | 'ok'
  | 'not_mounted'
  | 'unreachable'
  | 'timeout'
  | 'tls'
  | 'redirected'
  | 'refused'
  | 'too_large'
  | 'broken_off'
  | 'not_a_profile'
  | 'internal';

/** heliograph.target_polls. */
export interface TargetPollRow {
  time_ms: number;
  service: string;
  target: string;
  kind: string;
  outcome: PollOutcome;
  reason: string;
  duration_ms: number;
  bytes: number;
  total: number | null;
}

/** heliograph.stacks. */
export interface StackRow {
  service: string;
  /** 32 lower hex digits. */
  stack: string;
  /** Root first. */
  functions: readonly string[];
  locations: readonly string[];
  seen_at_ms: number;
}

/** heliograph.profile_samples. */
export interface ProfileSampleRow {
  time_ms: number;
  service: string;
  target: string;
  profile: string;
  sample_type: string;
  unit: string;
  stack: string;
  /** Decimal text where it may pass 2^53. */
  value: number | string;
}

/** heliograph.go_runtime; every figure is null where the target does not publish it. */
export interface GoRuntimeRow {
  time_ms: number;
  service: string;
  target: string;
  heap_alloc_bytes: number | null;
  heap_sys_bytes: number | null;
  heap_idle_bytes: number | null;
  heap_inuse_bytes: number | null;
  heap_released_bytes: number | null;
  heap_objects: number | null;
  stack_inuse_bytes: number | null;
  sys_bytes: number | null;
  next_gc_bytes: number | null;
  total_alloc_bytes: number | null;
  mallocs: number | null;
  frees: number | null;
  gc_cycles: number | null;
  gc_forced_cycles: number | null;
  gc_pause_total_ns: number | null;
  gc_cpu_fraction: number | null;
  /** Unix nanoseconds as decimal text. */
  last_gc_ns: string | null;
  pauses_ns: readonly number[];
  vars: Readonly<Record<string, number>>;
}

/** heliograph.alerts: one transition. */
export interface AlertRow {
  fingerprint: string;
  rule: string;
  status: 'pending' | 'firing' | 'resolved';
  labels: Readonly<Record<string, string>>;
  summary: string;
  starts_at_ms: number;
  ends_at_ms: number | null;
  changed_at_ms: number;
  /** JSON text. */
  evidence: string;
}

/** heliograph.alert_deliveries: one attempt to tell a receiver. */
export interface AlertDeliveryRow {
  time_ms: number;
  receiver: string;
  idempotency_key: string;
  fingerprint: string;
  starts_at_ms: number;
  status: string;
  attempt: number;
  outcome: 'delivered' | 'refused' | 'unreachable' | 'timeout' | 'redirected' | 'no_secret' | 'gave_up';
  http_status: number | null;
}

/** heliograph.source_minutes: a minute in which a source was received or collected. */
export interface SourceMinuteRow {
  source: string;
  /** Unix seconds of the minute's start. */
  minute: number;
}

/** heliograph.disk_drops: a partition that was dropped because the disk may hold no more. */
export interface DiskDropRow {
  time_ms: number;
  kind: 'spans' | 'profiles' | 'rollups' | 'records';
  table: string;
  partition: string;
  /** Days that it held, `2026-11-03`. */
  first_day: string;
  last_day: string;
  rows: number;
  /** Compressed, on disk. */
  bytes: number;
  /** Tables and journal before the drop. */
  used_bytes: number;
  cap_bytes: number;
}

/**
 * heliograph.pipeline_minutes: what the OTLP doors of one process took in from one sender in one minute. The row without signal, form,
 * team and key is the process's own: its queue and its loads, and what it refused without knowing whose it was. Figures that a row
 * does not tell of are 0, or null where 0 would be a figure.
 */
export interface PipelineMinuteRow {
  /** Unix seconds of the minute's start. */
  minute: number;
  /** Drawn at each start, so that two processes of one minute add up. */
  instance: string;
  signal: string;
  /** Protocol and format, as OTEL_EXPORTER_OTLP_PROTOCOL spells them. */
  form: string;
  team: string;
  key: string;
  acked_bodies: number;
  /** Positive answers to bodies that were stored before; in none of the other counts but `bytes`. */
  duplicate_bodies: number;
  slow_lane_bodies: number;
  /** Of acked and duplicate bodies, decompressed, as they came. */
  bytes: number;
  acked_spans: number;
  duplicate_spans: number;
  clock_skew_spans: number;
  /** Spans by reason, of acked bodies. */
  rejected_spans: Readonly<Record<string, number>>;
  /** Bodies and requests by reason. */
  refused_bodies: Readonly<Record<string, number>>;
  backlog_bytes_max: number | null;
  backlog_bytes_last: number | null;
  backlog_segments_max: number | null;
  backlog_segments_last: number | null;
  /** Age of the oldest body that waits for the store; 0 where none waits. */
  oldest_age_max_ms: number | null;
  oldest_age_last_ms: number | null;
  loaded_segments: number;
  loaded_spans: number;
  loaded_bytes: number;
  load_ms: number;
  quarantined_bodies: number;
  /** Log bin of a duration in nanoseconds -> OTLP segments: from a segment's first ack until it could be queried. */
  freshness_bins: Readonly<Record<string, number>>;
}

/** Journal signal -> the row it carries. */
export interface Rows {
  pipeline_minutes: PipelineMinuteRow;
  source_minutes: SourceMinuteRow;
  ci_runs: CiRunRow;
  ci_jobs: CiJobRow;
  deployments: DeploymentRow;
  commits: CommitRow;
  commit_files: CommitFileRow;
  git_tips: GitTipRow;
  commit_ci: CommitCiRow;
  identities: IdentityRow;
  target_polls: TargetPollRow;
  stacks: StackRow;
  profile_samples: ProfileSampleRow;
  go_runtime: GoRuntimeRow;
  alerts: AlertRow;
  alert_deliveries: AlertDeliveryRow;
  disk_drops: DiskDropRow;
}

export type RowSignal = keyof Rows;

/** Where decoders hand their rows to: the journal, from whatever thread. */
export interface RowSink {
  /**
   * Resolves when the rows are durable. Rejects with `journal_full`, `journal_unavailable` or `shutting_down`; of many rows the
   * first part may then be durable, so what is appended must bear repeating.
   */
  append<S extends RowSignal>(signal: S, rows: readonly Rows[S][]): Promise<void>;
}

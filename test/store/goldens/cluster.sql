CREATE DATABASE IF NOT EXISTS otel ON CLUSTER 'team';

CREATE DATABASE IF NOT EXISTS heliograph ON CLUSTER 'team';

CREATE DATABASE IF NOT EXISTS people ON CLUSTER 'team';

CREATE DATABASE IF NOT EXISTS boards ON CLUSTER 'team';

CREATE TABLE IF NOT EXISTS otel.otel_traces_local ON CLUSTER 'team' (
  Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)), 
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  ParentSpanId String CODEC(ZSTD(1)), 
  TraceState String CODEC(ZSTD(1)),
  SpanName LowCardinality(String) CODEC(ZSTD(1)),
  SpanKind LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  Duration UInt64 CODEC(ZSTD(1)), 
  StatusCode LowCardinality(String) CODEC(ZSTD(1)),
  StatusMessage String CODEC(ZSTD(1)),
  Events Nested (
    Timestamp DateTime64(9),
    Name LowCardinality(String),
    Attributes Map(LowCardinality(String), String)
  ) CODEC(ZSTD(1)),
  Links Nested (
    TraceId String,
    SpanId String,
    TraceState String,
    Attributes Map(LowCardinality(String), String)
  ) CODEC(ZSTD(1)),
  Team LowCardinality(String) DEFAULT '' CODEC(ZSTD(1)),
  
  
  Route LowCardinality(String) MATERIALIZED multiIf(
    SpanAttributes['http.route'] != '', SpanAttributes['http.route'],
    SpanAttributes['rpc.service'] != '', concat(SpanAttributes['rpc.service'], '/', SpanAttributes['rpc.method']),
    replaceRegexpAll(
      replaceRegexpAll(
        SpanName,
        '(^|[/ :,;=#?&()\\[\\]])(?:[0-9]+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})([/ :,;=#?&()\\[\\]]|$)',
        '\\1{id}\\2'
      ),
      '(^|[/ :,;=#?&()\\[\\]])(?:[0-9]+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})([/ :,;=#?&()\\[\\]]|$)',
      '\\1{id}\\2'
    )
  ) CODEC(ZSTD(1)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_duration Duration TYPE minmax GRANULARITY 1
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1,
  min_bytes_for_wide_part = 134217728, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS otel.otel_traces ON CLUSTER 'team' AS otel.otel_traces_local ENGINE = Distributed('team', otel, otel_traces_local, cityHash64(TraceId));

CREATE TABLE IF NOT EXISTS otel.otel_traces_trace_id_ts_local ON CLUSTER 'team' (
  TraceId String CODEC(ZSTD(1)),
  Start DateTime CODEC(Delta, ZSTD(1)),
  End DateTime CODEC(Delta, ZSTD(1)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS otel.otel_traces_trace_id_ts ON CLUSTER 'team' AS otel.otel_traces_trace_id_ts_local ENGINE = Distributed('team', otel, otel_traces_trace_id_ts_local, cityHash64(TraceId));

CREATE MATERIALIZED VIEW IF NOT EXISTS otel.otel_traces_trace_id_ts_mv ON CLUSTER 'team'
TO otel.otel_traces_trace_id_ts_local AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM otel.otel_traces_local
WHERE TraceId != ''
GROUP BY TraceId;

CREATE TABLE IF NOT EXISTS heliograph.otlp_traces_in ON CLUSTER 'team' (
  resource_spans Array(Tuple(
    resource Tuple(attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64))))),
    scope_spans Array(Tuple(
      scope Tuple(name String, version String),
      spans Array(Tuple(
        trace_id String, span_id String, trace_state String, parent_span_id String, name String, kind Int64,
        start_time_unix_nano UInt64, end_time_unix_nano UInt64,
        attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64)))),
        events Array(Tuple(time_unix_nano UInt64, name String, attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64)))))),
        links Array(Tuple(trace_id String, span_id String, trace_state String, attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64)))))),
        status Tuple(message String, code Int64)
      ))
    ))
  )),
  team String,
  lo_ns UInt64,
  hi_ns UInt64
) ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS heliograph.otlp_traces_mv ON CLUSTER 'team'
TO otel.otel_traces_local AS
WITH attributes -> CAST(arrayMap(kv -> (kv.1, multiIf(
    isNotNull(kv.2.1), assumeNotNull(kv.2.1),
    isNotNull(kv.2.3), toString(assumeNotNull(kv.2.3)),
    isNotNull(kv.2.2), if(assumeNotNull(kv.2.2) = 0, 'false', 'true'),
    isNotNull(kv.2.4), toString(assumeNotNull(kv.2.4)),
    '')), attributes), 'Map(LowCardinality(String), String)') AS text_map
SELECT
  fromUnixTimestamp64Nano(toInt64(span.start_time_unix_nano)) AS Timestamp,
  lower(hex(span.trace_id)) AS TraceId,
  lower(hex(span.span_id)) AS SpanId,
  if(span.parent_span_id = unhex('0000000000000000'), '', lower(hex(span.parent_span_id))) AS ParentSpanId,
  span.trace_state AS TraceState,
  span.name AS SpanName,
  transform(span.kind, [1, 2, 3, 4, 5], ['Internal', 'Server', 'Client', 'Producer', 'Consumer'], 'Unspecified') AS SpanKind,
  ResourceAttributes['service.name'] AS ServiceName,
  ResourceAttributes,
  ScopeName,
  ScopeVersion,
  text_map(span.attributes) AS SpanAttributes,
  if(span.end_time_unix_nano > span.start_time_unix_nano, span.end_time_unix_nano - span.start_time_unix_nano, 0) AS Duration,
  transform(span.status.code, [1, 2], ['Ok', 'Error'], 'Unset') AS StatusCode,
  span.status.message AS StatusMessage,
  arrayMap(e -> fromUnixTimestamp64Nano(toInt64(e.1)), span.events) AS `Events.Timestamp`,
  span.events.name AS `Events.Name`,
  arrayMap(e -> text_map(e.3), span.events) AS `Events.Attributes`,
  arrayMap(l -> lower(hex(l.1)), span.links) AS `Links.TraceId`,
  arrayMap(l -> lower(hex(l.2)), span.links) AS `Links.SpanId`,
  span.links.trace_state AS `Links.TraceState`,
  arrayMap(l -> text_map(l.4), span.links) AS `Links.Attributes`,
  team AS Team
FROM (
  SELECT
    ResourceAttributes, team, lo_ns, hi_ns,
    scope_span.scope.name AS ScopeName, scope_span.scope.version AS ScopeVersion, arrayJoin(scope_span.spans) AS span
  FROM (
    SELECT
      text_map(resource_span.resource.attributes) AS ResourceAttributes, team, lo_ns, hi_ns,
      arrayJoin(resource_span.scope_spans) AS scope_span
    FROM (SELECT arrayJoin(resource_spans) AS resource_span, team, lo_ns, hi_ns FROM heliograph.otlp_traces_in)
  )
)
WHERE span.start_time_unix_nano >= lo_ns
  AND span.start_time_unix_nano <= hi_ns
  AND length(span.trace_id) = 16 AND span.trace_id != unhex('00000000000000000000000000000000')
  AND length(span.span_id) = 8 AND span.span_id != unhex('0000000000000000')
  AND length(span.parent_span_id) IN (0, 8);

CREATE TABLE IF NOT EXISTS heliograph.span_latency_1m_local ON CLUSTER 'team' (
  minute DateTime CODEC(Delta, ZSTD(1)), 
  service LowCardinality(String),
  route LowCardinality(String),
  kind LowCardinality(String),
  status LowCardinality(String),
  version LowCardinality(String), 
  region LowCardinality(String), 
  team LowCardinality(String),
  count SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  duration_sum_ns SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  bins SimpleAggregateFunction(sumMap, Map(Int16, UInt64)) CODEC(ZSTD(1)) 
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(minute)
ORDER BY (service, route, kind, status, version, region, team, minute)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.span_latency_1m ON CLUSTER 'team' AS heliograph.span_latency_1m_local ENGINE = Distributed('team', heliograph, span_latency_1m_local, cityHash64(service, route));

CREATE MATERIALIZED VIEW IF NOT EXISTS heliograph.span_latency_1m_mv ON CLUSTER 'team'
TO heliograph.span_latency_1m_local AS
SELECT
  minute, service, route, kind, status, version, region, team,
  sum(spans) AS count,
  sum(sum_ns) AS duration_sum_ns,
  CAST((groupArray(bin), groupArray(spans)), 'Map(Int16, UInt64)') AS bins
FROM (
  SELECT
    toStartOfMinute(toDateTime(Timestamp)) AS minute,
    ServiceName AS service, Route AS route, SpanKind AS kind, StatusCode AS status,
    ResourceAttributes['service.version'] AS version, ResourceAttributes['cloud.region'] AS region, Team AS team,
    if(Duration = 0, toInt16(-1), toInt16(ceil(log(Duration) / log(1.01 / 0.99)))) AS bin,
    count() AS spans,
    sum(Duration) AS sum_ns
  FROM otel.otel_traces_local
  GROUP BY minute, service, route, kind, status, version, region, team, bin
)
GROUP BY minute, service, route, kind, status, version, region, team;

CREATE TABLE IF NOT EXISTS heliograph.source_minutes_local ON CLUSTER 'team' (
  source LowCardinality(String), 
  team LowCardinality(String),
  minute DateTime
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(minute)
ORDER BY (source, team, minute)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.source_minutes ON CLUSTER 'team' AS heliograph.source_minutes_local ENGINE = Distributed('team', heliograph, source_minutes_local, cityHash64(source));

CREATE ROLE IF NOT EXISTS heliograph_face ON CLUSTER 'team';

GRANT ON CLUSTER 'team' SELECT, SHOW ON boards.* TO heliograph_face;

CREATE TABLE IF NOT EXISTS heliograph.ci_runs_local ON CLUSTER 'team' (
  provider LowCardinality(String), 
  repository LowCardinality(String), 
  run_id UInt64,
  attempt UInt32, 
  delivery String, 
  workflow LowCardinality(String), 
  event LowCardinality(String), 
  branch String,
  sha String, 
  status LowCardinality(String), 
  conclusion LowCardinality(Nullable(String)), 
  created_at Nullable(DateTime64(3)),
  started_at Nullable(DateTime64(3)), 
  updated_at Nullable(DateTime64(3)),
  received_at DateTime64(3)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(received_at)
ORDER BY (repository, run_id, attempt, delivery, received_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.ci_runs ON CLUSTER 'team' AS heliograph.ci_runs_local ENGINE = Distributed('team', heliograph, ci_runs_local, cityHash64(repository, run_id));

CREATE TABLE IF NOT EXISTS heliograph.ci_jobs_local ON CLUSTER 'team' (
  provider LowCardinality(String),
  repository LowCardinality(String),
  run_id UInt64,
  attempt UInt32,
  job_id UInt64,
  delivery String,
  workflow LowCardinality(String), 
  name LowCardinality(String),
  branch String,
  sha String,
  labels Array(LowCardinality(String)), 
  status LowCardinality(String),
  conclusion LowCardinality(Nullable(String)),
  created_at Nullable(DateTime64(3)),
  started_at Nullable(DateTime64(3)),
  completed_at Nullable(DateTime64(3)),
  received_at DateTime64(3)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(received_at)
ORDER BY (repository, run_id, attempt, job_id, delivery, received_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.ci_jobs ON CLUSTER 'team' AS heliograph.ci_jobs_local ENGINE = Distributed('team', heliograph, ci_jobs_local, cityHash64(repository, run_id));

CREATE TABLE IF NOT EXISTS heliograph.deployments_local ON CLUSTER 'team' (
  id String, 
  service LowCardinality(String),
  environment LowCardinality(String),
  version String, 
  sha String, 
  repository LowCardinality(String), 
  status LowCardinality(String), 
  kind LowCardinality(Nullable(String)), 
  started_at Nullable(DateTime64(3)),
  finished_at Nullable(DateTime64(3)),
  received_at DateTime64(3)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(received_at)
ORDER BY (service, environment, id, status, received_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.deployments ON CLUSTER 'team' AS heliograph.deployments_local ENGINE = Distributed('team', heliograph, deployments_local, cityHash64(service, environment, id));

CREATE TABLE IF NOT EXISTS heliograph.commits_local ON CLUSTER 'team' (
  repository LowCardinality(String), 
  sha String,
  parents Array(String),
  author String, 
  committer String, 
  co_authors Array(String), 
  bot_rule LowCardinality(String), 
  agent_assisted Bool, 
  author_time DateTime64(0, 'UTC') CODEC(Delta, ZSTD(1)),
  author_offset_min Int16, 
  commit_time DateTime64(0, 'UTC') CODEC(Delta, ZSTD(1)),
  commit_offset_min Int16,
  time_quality LowCardinality(String), 
  additions UInt64, 
  deletions UInt64,
  files UInt32,
  binary_files UInt32,
  renames UInt32,
  gone Bool, 
  version UInt64 
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
PARTITION BY toYear(commit_time)
ORDER BY (repository, sha)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.commits ON CLUSTER 'team' AS heliograph.commits_local ENGINE = Distributed('team', heliograph, commits_local, cityHash64(repository, sha));

CREATE TABLE IF NOT EXISTS heliograph.commit_files_local ON CLUSTER 'team' (
  repository LowCardinality(String),
  sha String,
  commit_time DateTime64(0, 'UTC') CODEC(Delta, ZSTD(1)),
  path String CODEC(ZSTD(1)), 
  old_path String CODEC(ZSTD(1)), 
  status LowCardinality(String), 
  additions Nullable(UInt32), 
  deletions Nullable(UInt32),
  version UInt64
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
PARTITION BY toYear(commit_time)
ORDER BY (repository, path, sha)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.commit_files ON CLUSTER 'team' AS heliograph.commit_files_local ENGINE = Distributed('team', heliograph, commit_files_local, cityHash64(repository, sha));

CREATE TABLE IF NOT EXISTS heliograph.git_tips_local ON CLUSTER 'team' (
  repository LowCardinality(String),
  branch String,
  tip String, 
  collected_at DateTime64(3)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', collected_at)
ORDER BY repository
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.git_tips ON CLUSTER 'team' AS heliograph.git_tips_local ENGINE = Distributed('team', heliograph, git_tips_local, cityHash64(repository));

CREATE TABLE IF NOT EXISTS heliograph.commit_ci_local ON CLUSTER 'team' (
  repository LowCardinality(String),
  sha String,
  successful Bool, 
  version UInt64 
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
ORDER BY (repository, sha)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.commit_ci ON CLUSTER 'team' AS heliograph.commit_ci_local ENGINE = Distributed('team', heliograph, commit_ci_local, cityHash64(repository, sha));

CREATE TABLE IF NOT EXISTS people.identities_local ON CLUSTER 'team' (
  pseudonym String,
  sealed String, 
  last_seen DateTime64(3)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', last_seen)
ORDER BY pseudonym
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS people.identities ON CLUSTER 'team' AS people.identities_local ENGINE = Distributed('team', people, identities_local, cityHash64(pseudonym));

CREATE TABLE IF NOT EXISTS heliograph.target_polls_local ON CLUSTER 'team' (
  time DateTime64(3) CODEC(Delta, ZSTD(1)), 
  service LowCardinality(String),
  target LowCardinality(String),
  kind LowCardinality(String), 
  outcome LowCardinality(String), 
  reason String CODEC(ZSTD(1)), 
  duration_ms Float64 CODEC(ZSTD(1)), 
  bytes UInt64 CODEC(T64, ZSTD(1)), 
  total Nullable(Int64) CODEC(ZSTD(1)) 
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(time)
ORDER BY (service, target, kind, time)
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.target_polls ON CLUSTER 'team' AS heliograph.target_polls_local ENGINE = Distributed('team', heliograph, target_polls_local, cityHash64(service, target));

CREATE TABLE IF NOT EXISTS heliograph.stacks_local ON CLUSTER 'team' (
  service LowCardinality(String),
  stack String, 
  functions Array(LowCardinality(String)) CODEC(ZSTD(1)), 
  locations Array(String) CODEC(ZSTD(1)), 
  seen_at DateTime
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', seen_at)
ORDER BY (service, stack)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.stacks ON CLUSTER 'team' AS heliograph.stacks_local ENGINE = Distributed('team', heliograph, stacks_local, cityHash64(service, stack));

CREATE TABLE IF NOT EXISTS heliograph.profile_samples_local ON CLUSTER 'team' (
  time DateTime64(3) CODEC(Delta, ZSTD(1)), 
  service LowCardinality(String),
  target LowCardinality(String),
  profile LowCardinality(String), 
  sample_type LowCardinality(String), 
  unit LowCardinality(String), 
  stack LowCardinality(String), 
  value Int64 CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(time)
ORDER BY (service, profile, sample_type, stack, target, time)
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.profile_samples ON CLUSTER 'team' AS heliograph.profile_samples_local ENGINE = Distributed('team', heliograph, profile_samples_local, cityHash64(service, stack));

CREATE TABLE IF NOT EXISTS heliograph.go_runtime_local ON CLUSTER 'team' (
  time DateTime64(3) CODEC(Delta, ZSTD(1)),
  service LowCardinality(String),
  target LowCardinality(String),
  heap_alloc_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  heap_sys_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  heap_idle_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  heap_inuse_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  heap_released_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  heap_objects Nullable(UInt64) CODEC(ZSTD(1)),
  stack_inuse_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  sys_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  next_gc_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  total_alloc_bytes Nullable(UInt64) CODEC(ZSTD(1)), 
  mallocs Nullable(UInt64) CODEC(ZSTD(1)),
  frees Nullable(UInt64) CODEC(ZSTD(1)),
  gc_cycles Nullable(UInt64) CODEC(ZSTD(1)),
  gc_forced_cycles Nullable(UInt64) CODEC(ZSTD(1)),
  gc_pause_total_ns Nullable(UInt64) CODEC(ZSTD(1)),
  gc_cpu_fraction Nullable(Float64) CODEC(ZSTD(1)), 
  last_gc Nullable(DateTime64(9)) CODEC(ZSTD(1)), 
  pauses_ns Array(UInt64) CODEC(ZSTD(1)), 
  vars Map(LowCardinality(String), Float64) CODEC(ZSTD(1)) 
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(time)
ORDER BY (service, target, time)
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.go_runtime ON CLUSTER 'team' AS heliograph.go_runtime_local ENGINE = Distributed('team', heliograph, go_runtime_local, cityHash64(service, target));

CREATE TABLE IF NOT EXISTS heliograph.alerts_local ON CLUSTER 'team' (
  fingerprint String, 
  rule LowCardinality(String),
  status LowCardinality(String), 
  labels Map(LowCardinality(String), String),
  summary String, 
  starts_at DateTime64(3), 
  ends_at Nullable(DateTime64(3)), 
  changed_at DateTime64(3), 
  evidence String 
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', changed_at)
PARTITION BY toYYYYMM(starts_at)
ORDER BY (rule, fingerprint, starts_at, status)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.alerts ON CLUSTER 'team' AS heliograph.alerts_local ENGINE = Distributed('team', heliograph, alerts_local, cityHash64(fingerprint));

CREATE TABLE IF NOT EXISTS heliograph.alert_deliveries_local ON CLUSTER 'team' (
  time DateTime64(3),
  receiver LowCardinality(String),
  idempotency_key String, 
  fingerprint String,
  starts_at DateTime64(3),
  status LowCardinality(String),
  attempt UInt32,
  outcome LowCardinality(String), 
  http_status Nullable(UInt16)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(time)
ORDER BY (receiver, idempotency_key, attempt)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.alert_deliveries ON CLUSTER 'team' AS heliograph.alert_deliveries_local ENGINE = Distributed('team', heliograph, alert_deliveries_local, cityHash64(fingerprint));

CREATE TABLE IF NOT EXISTS heliograph.pipeline_minutes_local ON CLUSTER 'team' (
  minute DateTime CODEC(Delta, ZSTD(1)),
  instance LowCardinality(String), 
  signal LowCardinality(String), 
  form LowCardinality(String), 
  team LowCardinality(String), 
  key LowCardinality(String), 
  acked_bodies UInt64 CODEC(T64, ZSTD(1)),
  duplicate_bodies UInt64 CODEC(T64, ZSTD(1)), 
  slow_lane_bodies UInt64 CODEC(T64, ZSTD(1)), 
  bytes UInt64 CODEC(T64, ZSTD(1)), 
  acked_spans UInt64 CODEC(T64, ZSTD(1)),
  duplicate_spans UInt64 CODEC(T64, ZSTD(1)),
  clock_skew_spans UInt64 CODEC(T64, ZSTD(1)), 
  rejected_spans Map(LowCardinality(String), UInt64) CODEC(ZSTD(1)), 
  refused_bodies Map(LowCardinality(String), UInt64) CODEC(ZSTD(1)), 
  backlog_bytes_max Nullable(UInt64) CODEC(ZSTD(1)), 
  backlog_bytes_last Nullable(UInt64) CODEC(ZSTD(1)),
  backlog_segments_max Nullable(UInt64) CODEC(ZSTD(1)),
  backlog_segments_last Nullable(UInt64) CODEC(ZSTD(1)),
  oldest_age_max_ms Nullable(UInt64) CODEC(ZSTD(1)), 
  oldest_age_last_ms Nullable(UInt64) CODEC(ZSTD(1)),
  loaded_segments UInt64 CODEC(T64, ZSTD(1)), 
  loaded_spans UInt64 CODEC(T64, ZSTD(1)),
  loaded_bytes UInt64 CODEC(T64, ZSTD(1)),
  load_ms UInt64 CODEC(T64, ZSTD(1)),
  quarantined_bodies UInt64 CODEC(T64, ZSTD(1)),
  freshness_bins Map(Int16, UInt64) CODEC(ZSTD(1)) 
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(minute)
ORDER BY (minute, instance, signal, form, team, key)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS heliograph.pipeline_minutes ON CLUSTER 'team' AS heliograph.pipeline_minutes_local ENGINE = Distributed('team', heliograph, pipeline_minutes_local, cityHash64(instance));

CREATE OR REPLACE VIEW boards.latency_by_route ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  1.01 / 0.99 AS gamma,
  60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds,
  least({to:DateTime}, now()) AS until,
  (keys, cumulative, spans, q) -> keys[arrayFirstIndex(c -> c >= ceil(q * spans), cumulative)] AS bin_at,
  bin -> if(bin < 0, 0., 2 * pow(gamma, bin) / (gamma + 1) / 1e6) AS bin_ms
SELECT
  time, service, route, count, error_count,
  count / greatest(1, dateDiff('second', greatest(time, toStartOfMinute({from:DateTime})), least(time + step_seconds, until))) AS rate,
  error_count / count AS error_ratio,
  bin_ms(bin_at(mapKeys(bins), arrayCumSum(mapValues(bins)), count, 0.50)) AS p50_ms,
  bin_ms(bin_at(mapKeys(bins), arrayCumSum(mapValues(bins)), count, 0.95)) AS p95_ms,
  bin_ms(bin_at(mapKeys(bins), arrayCumSum(mapValues(bins)), count, 0.99)) AS p99_ms,
  duration_sum_ns / count / 1e6 AS mean_ms,
  bins,
  0.01 AS relative_error
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time, service, route,
    sum(r.count) AS count,
    sumIf(r.count, status = 'Error') AS error_count,
    sum(r.duration_sum_ns) AS duration_sum_ns,
    sumMap(r.bins) AS bins
  FROM heliograph.span_latency_1m AS r
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime} AND kind IN ('Server', 'Consumer')
  GROUP BY time, service, route
);

CREATE OR REPLACE VIEW boards.latency_by_service ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  1.01 / 0.99 AS gamma,
  60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds,
  least({to:DateTime}, now()) AS until,
  (keys, cumulative, spans, q) -> keys[arrayFirstIndex(c -> c >= ceil(q * spans), cumulative)] AS bin_at,
  bin -> if(bin < 0, 0., 2 * pow(gamma, bin) / (gamma + 1) / 1e6) AS bin_ms
SELECT
  time, service, count, error_count,
  count / greatest(1, dateDiff('second', greatest(time, toStartOfMinute({from:DateTime})), least(time + step_seconds, until))) AS rate,
  error_count / count AS error_ratio,
  bin_ms(bin_at(mapKeys(bins), arrayCumSum(mapValues(bins)), count, 0.50)) AS p50_ms,
  bin_ms(bin_at(mapKeys(bins), arrayCumSum(mapValues(bins)), count, 0.95)) AS p95_ms,
  bin_ms(bin_at(mapKeys(bins), arrayCumSum(mapValues(bins)), count, 0.99)) AS p99_ms,
  duration_sum_ns / count / 1e6 AS mean_ms,
  bins,
  0.01 AS relative_error
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time, service,
    sum(r.count) AS count,
    sumIf(r.count, status = 'Error') AS error_count,
    sum(r.duration_sum_ns) AS duration_sum_ns,
    sumMap(r.bins) AS bins
  FROM heliograph.span_latency_1m AS r
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime} AND kind IN ('Server', 'Consumer')
  GROUP BY time, service
);

CREATE OR REPLACE VIEW boards.latency_jumps ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  1.01 / 0.99 AS gamma,
  60 * toUInt32(ceil(greatest({window:UInt32}, 1) / 60)) AS window_seconds,
  60 * toUInt32(ceil(greatest({baseline:UInt32}, 1) / 60)) AS baseline_seconds,
  toStartOfMinute({to:DateTime}) AS window_to,
  window_to - toIntervalSecond(window_seconds) AS window_from,
  window_from - toIntervalSecond(baseline_seconds) AS baseline_from,
  (keys, cumulative, spans, q) -> keys[arrayFirstIndex(c -> c >= ceil(q * spans), cumulative)] AS bin_at,
  bin -> if(bin < 0, 0., 2 * pow(gamma, bin) / (gamma + 1) / 1e6) AS bin_ms
SELECT
  service, route,
  if(n_before = 0, NULL, bin_ms(bin_at(mapKeys(bins_before), arrayCumSum(mapValues(bins_before)), n_before, 0.99))) AS before_p99_ms,
  if(n_after = 0, NULL, bin_ms(bin_at(mapKeys(bins_after), arrayCumSum(mapValues(bins_after)), n_after, 0.99))) AS after_p99_ms,
  n_before, n_after,
  0.01 AS relative_error,
  baseline_from, window_from, window_to
FROM (
  SELECT
    service, route,
    sumIf(r.count, minute < window_from) AS n_before,
    sumIf(r.count, minute >= window_from) AS n_after,
    sumMapIf(r.bins, minute < window_from) AS bins_before,
    sumMapIf(r.bins, minute >= window_from) AS bins_after
  FROM heliograph.span_latency_1m AS r
  WHERE minute >= baseline_from AND minute < window_to AND kind IN ('Server', 'Consumer')
  GROUP BY service, route
);

CREATE OR REPLACE VIEW boards.latency_histogram ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  1.01 / 0.99 AS gamma,
  60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds
SELECT
  time, service, route,
  if(bucket < 0, 0., pow(gamma, bucket * 23) / 1e6) AS le_ms,
  sum(spans) AS count
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time, service, route,
    arrayJoin(arrayZip(mapKeys(bins), mapValues(bins))) AS bin,
    if(bin.1 < 0, -1, ceil(bin.1 / 23)) AS bucket,
    bin.2 AS spans
  FROM heliograph.span_latency_1m
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime} AND kind IN ('Server', 'Consumer')
)
GROUP BY time, service, route, bucket;

CREATE OR REPLACE VIEW boards.latency_by_status ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  1.01 / 0.99 AS gamma,
  60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds,
  bin -> if(bin < 0, 0., pow(gamma, ceil(bin / 23) * 23) / 1e6) AS bucket_ms
SELECT
  time, service, route, status, count,
  duration_sum_ns / 1e6 AS duration_sum_ms,
  buckets.1 AS le_ms,
  buckets.2 AS counts
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time, service, route, status,
    sum(r.count) AS count,
    sum(r.duration_sum_ns) AS duration_sum_ns,
    sumMap(arrayMap(bin -> bucket_ms(bin), mapKeys(bins)), mapValues(bins)) AS buckets
  FROM heliograph.span_latency_1m AS r
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime} AND kind IN ('Server', 'Consumer')
  GROUP BY time, service, route, status
);

CREATE OR REPLACE VIEW boards.slowest_spans ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  1.01 / 0.99 AS gamma,
  floors AS (
    SELECT
      service, route,
      arrayReverse(mapKeys(sumMap(bins))) AS descending,
      arrayFirstIndex(c -> c >= 20, arrayCumSum(arrayReverse(mapValues(sumMap(bins))))) AS twentieth,
      
      if(twentieth = 0 OR descending[twentieth] < 2, 0, toUInt64(pow(gamma, descending[twentieth] - 2))) AS floor_ns
    FROM heliograph.span_latency_1m
    WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime} AND kind IN ('Server', 'Consumer')
    GROUP BY service, route
  )
SELECT
  Timestamp AS time, ServiceName AS service, Route AS route, SpanName AS name, SpanKind AS kind,
  Duration / 1e6 AS duration_ms, StatusCode AS status, StatusMessage AS status_message,
  TraceId AS trace_id, SpanId AS span_id
FROM otel.otel_traces
INNER JOIN floors ON ServiceName = floors.service AND Route = floors.route
WHERE Timestamp >= toStartOfMinute({from:DateTime})
  AND Timestamp < toStartOfMinute({to:DateTime} + INTERVAL 59 SECOND)
  AND SpanKind IN ('Server', 'Consumer')
  AND Duration >= floor_ns
ORDER BY Duration DESC, Timestamp, SpanId
LIMIT 20 BY ServiceName, Route;

CREATE OR REPLACE VIEW boards.services ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
  service,
  argMax(r.version, minute) AS version,
  argMax(r.region, minute) AS region,
  uniqExactIf(route, kind IN ('Server', 'Consumer')) AS route_count,
  sumIf(r.count, kind IN ('Server', 'Consumer')) AS count,
  sumIf(r.count, kind IN ('Server', 'Consumer') AND status = 'Error') AS error_count,
  sum(r.count) AS span_count,
  min(minute) AS first_seen,
  max(minute) AS last_seen
FROM heliograph.span_latency_1m AS r
WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
GROUP BY service;

CREATE OR REPLACE VIEW boards.routes ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT service, route, sum(r.count) AS count
FROM heliograph.span_latency_1m AS r
WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime} AND kind IN ('Server', 'Consumer')
GROUP BY service, route;

CREATE OR REPLACE VIEW boards.trace_spans ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  (SELECT min(Start) FROM otel.otel_traces_trace_id_ts WHERE TraceId = {trace_id:String}) AS first_start,
  (SELECT max(End) + 1 FROM otel.otel_traces_trace_id_ts WHERE TraceId = {trace_id:String}) AS last_start
SELECT
  Timestamp AS time, ServiceName AS service, Route AS route, SpanName AS name, SpanKind AS kind,
  Duration / 1e6 AS duration_ms, StatusCode AS status, StatusMessage AS status_message,
  TraceId AS trace_id, SpanId AS span_id, ParentSpanId AS parent_span_id,
  SpanAttributes AS attributes, ResourceAttributes AS resource_attributes
FROM otel.otel_traces
WHERE TraceId = {trace_id:String} AND Timestamp >= first_start AND Timestamp <= last_start
ORDER BY Timestamp, SpanId;

CREATE OR REPLACE VIEW boards.otel_traces ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
  Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
  ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage,
  Events.Timestamp, Events.Name, Events.Attributes,
  Links.TraceId, Links.SpanId, Links.TraceState, Links.Attributes
FROM otel.otel_traces;

CREATE OR REPLACE VIEW boards.otel_traces_trace_id_ts ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT TraceId, Start, End FROM otel.otel_traces_trace_id_ts;

CREATE OR REPLACE VIEW boards.alerts ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
  fingerprint,
  argMax(a.rule, order_of) AS rule,
  argMax(a.status, order_of) AS status,
  starts_at,
  argMax(tuple(a.ends_at), order_of).1 AS ends_at,
  max(a.changed_at) AS changed_at,
  argMax(a.labels, order_of) AS labels,
  argMax(a.summary, order_of) AS summary,
  argMax(a.evidence, order_of) AS evidence
FROM (
  SELECT *, (changed_at, indexOf(['pending', 'firing', 'resolved'], status)) AS order_of
  FROM heliograph.alerts
  WHERE starts_at < {to:DateTime} AND changed_at < {to:DateTime}
) AS a
GROUP BY fingerprint, starts_at
HAVING isNull(ends_at) OR ends_at >= {from:DateTime};

CREATE OR REPLACE VIEW boards.deploys ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  (SELECT min(minute) FROM heliograph.span_latency_1m) AS oldest_minute,
  
  oldest_minute > (SELECT min(applied_at) FROM heliograph.migrations) + INTERVAL 1 DAY AS history_is_cut,
  events AS (
    SELECT
      service, environment, id,
      argMaxIf(e.version, received_at, e.version != '') AS version,
      argMaxIf(e.sha, received_at, e.sha != '') AS sha,
      argMaxIf(e.repository, received_at, e.repository != '') AS repository,
      argMaxIf(toNullable(toString(e.kind)), received_at, e.kind IS NOT NULL) AS kind,
      argMaxIf(e.status, received_at, e.status != '') AS status,
      coalesce(
        argMaxIf(finished_at, received_at, finished_at IS NOT NULL),
        argMaxIf(started_at, received_at, started_at IS NOT NULL),
        min(received_at)
      ) AS time
    FROM heliograph.deployments AS e 
    GROUP BY service, environment, id
    HAVING time >= {from:DateTime} - INTERVAL 30 MINUTE AND time < {to:DateTime} + INTERVAL 30 MINUTE
  ),
  news AS (
    SELECT DISTINCT service
    FROM heliograph.span_latency_1m
    WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime} AND version != ''
      AND (service, version) GLOBAL NOT IN (
        SELECT service, version
        FROM heliograph.span_latency_1m
        WHERE minute >= toStartOfMinute({from:DateTime}) - INTERVAL 1 DAY AND minute < toStartOfMinute({from:DateTime})
      )
  ),
  seen AS (
    SELECT
      service, version, min(minute) AS first_minute,
      min(first_minute) OVER (PARTITION BY service) AS service_first_minute
    FROM heliograph.span_latency_1m
    WHERE service GLOBAL IN (SELECT service FROM news) AND version != ''
    GROUP BY service, version
  )
SELECT
  time, service, environment, version, sha, repository, kind, status, source, id,
  concat(
    service, ' ', multiIf(version != '', version, sha != '', left(sha, 7), id),
    if(empty(remarks), '', concat(' (', arrayStringConcat(remarks, ', '), ')'))
  ) AS text
FROM (
  SELECT
    time, service, environment, version, sha, repository, kind,
    if(e.status = '', 'unknown', e.status) AS status,
    'event' AS source,
    id,
    arrayFilter(
      remark -> remark != '',
      [
        if(environment = 'production', '', toString(environment)),
        if(ifNull(kind, 'planned') = 'planned', '', assumeNotNull(kind)),
        if(status IN ('success', 'unknown'), '', toString(status))
      ]
    ) AS remarks
  FROM events AS e
  WHERE time >= {from:DateTime} AND time < {to:DateTime}
  UNION ALL
  SELECT
    toDateTime64(first_minute, 3) AS time, service, '' AS environment, version, '' AS sha, '' AS repository,
    CAST(NULL, 'Nullable(String)') AS kind,
    'seen' AS status,
    'version seen' AS source,
    concat(service, '@', version) AS id,
    CAST([], 'Array(String)') AS remarks
  FROM seen
  LEFT JOIN (
    SELECT service, version, groupArray(time) AS times FROM events GROUP BY service, version
  ) AS reported ON seen.service = reported.service AND seen.version = reported.version
  WHERE first_minute >= {from:DateTime} AND first_minute < {to:DateTime}
    AND first_minute > service_first_minute
    
    AND NOT (history_is_cut AND first_minute < oldest_minute + INTERVAL 1 DAY)
    AND NOT arrayExists(at -> abs(dateDiff('second', at, toDateTime64(first_minute, 3))) <= 1800, times)
)
ORDER BY time, service, id;

CREATE OR REPLACE VIEW boards.target_status ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
  service, target, kind,
  argMax(p.outcome, time) AS outcome,
  argMax(p.reason, time) AS reason,
  max(time) AS last_poll,
  maxOrNullIf(time, p.outcome = 'ok') AS last_ok,
  count() AS polls,
  countIf(p.outcome = 'ok') AS ok_polls,
  quantileExactLowOrNullIf(0.5)(p.duration_ms, p.outcome = 'ok') AS duration_p50_ms,
  argMax(p.duration_ms, time) AS duration_last_ms
FROM heliograph.target_polls AS p
WHERE time >= {from:DateTime} AND time < {to:DateTime}
GROUP BY service, target, kind;

CREATE OR REPLACE VIEW boards.stacks ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
  service, stack,
  functions[naming] AS function,
  locations[naming] AS location,
  functions, locations, last_seen
FROM (
  SELECT
    service, stack,
    argMax(s.functions, s.seen_at) AS functions,
    argMax(s.locations, s.seen_at) AS locations,
    max(s.seen_at) AS last_seen,
    greatest(1, arrayLastIndex(
      f -> NOT match(f, '^(runtime|sync|internal/[a-z/]+)[./]|^time\\.Sleep$|\\.runtime_[A-Za-z]+$'), functions
    )) AS naming
  FROM heliograph.stacks AS s
  GROUP BY service, stack
);

CREATE OR REPLACE VIEW boards.profile_types ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
  service, target, profile, sample_type, unit,
  uniqExact(time) AS profiles,
  
  sum(value) / if(profile IN ('goroutine', 'heap'), profiles, 1) AS total
FROM heliograph.profile_samples
WHERE time >= {from:DateTime} AND time < {to:DateTime}
GROUP BY service, target, profile, sample_type, unit;

CREATE OR REPLACE VIEW boards.flame_graph ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  {profile:String} IN ('goroutine', 'heap') AS is_level,
  samples AS (
    SELECT target, stack, sum(value) AS value
    FROM heliograph.profile_samples
    WHERE service = {service:String} AND profile = {profile:String} AND sample_type = {sample_type:String}
      AND ({target:String} = '' OR target = {target:String}) AND time >= {from:DateTime} AND time < {to:DateTime}
    GROUP BY target, stack
  ),
  weights AS (
    SELECT target, uniqExact(time) AS profiles
    FROM heliograph.profile_samples
    WHERE is_level AND service = {service:String} AND profile = {profile:String} AND sample_type = {sample_type:String}
      AND ({target:String} = '' OR target = {target:String}) AND time >= {from:DateTime} AND time < {to:DateTime}
    GROUP BY target
  ),
  merged AS (
    SELECT stack, sum(samples.value / if(is_level, profiles, 1)) AS amount
    FROM samples LEFT JOIN weights USING (target)
    GROUP BY stack
    HAVING amount > 0
  ),
  numbered AS (
    SELECT
      functions, amount,
      arrayMap(f -> sipHash64(f), functions) AS names,
      row_number() OVER (ORDER BY functions) AS number,
      lagInFrame(names) OVER (ORDER BY functions) AS names_before,
      arrayFirstIndex((a, b) -> a != b, names, arrayResize(names_before, length(names))) AS parting,
      
      if(parting = 0, length(names), parting - 1) AS shared
    FROM merged INNER JOIN boards.stacks AS known ON merged.stack = known.stack
    WHERE known.service = {service:String}
  ),
  nodes AS (
    SELECT level, first_stack, sum(amount) AS value, sumIf(amount, level = depth) AS self, any(label) AS label
    FROM (
      SELECT
        amount, length(functions) AS depth, toUInt16(place - 1) AS level, label,
        
        max(if(shared < level, number, 0)) OVER (PARTITION BY level ORDER BY number) AS first_stack
      FROM numbered
      ARRAY JOIN arrayPushFront(functions, 'total') AS label, arrayEnumerate(arrayPushFront(functions, '')) AS place
    )
    GROUP BY level, first_stack
  )
SELECT level, value, self, label
FROM (SELECT *, max(value) OVER () AS whole FROM nodes)
WHERE value >= 0.001 * whole
ORDER BY first_stack, level;

CREATE OR REPLACE VIEW boards.goroutines ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
  toDateTime(toStartOfInterval(p.time, toIntervalSecond(greatest({step:UInt32}, 1)))) AS time,
  service, target,
  max(assumeNotNull(total)) AS goroutines,
  min(assumeNotNull(total)) AS goroutines_min,
  count() AS polls
FROM heliograph.target_polls AS p
WHERE kind = 'goroutine' AND outcome = 'ok' AND total IS NOT NULL
  AND p.time >= {from:DateTime} AND p.time < {to:DateTime}
GROUP BY time, service, target;

CREATE OR REPLACE VIEW boards.goroutine_stacks ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  samples AS (
    SELECT
      toDateTime(toStartOfInterval(s.time, toIntervalSecond(greatest({step:UInt32}, 1)))) AS time,
      service, target, stack,
      max(value) AS most, min(value) AS least, uniqExact(s.time) AS seen
    FROM heliograph.profile_samples AS s
    WHERE profile = 'goroutine' AND s.time >= {from:DateTime} AND s.time < {to:DateTime}
    GROUP BY time, service, target, stack
  ),
  polled AS (
    SELECT
      toDateTime(toStartOfInterval(p.time, toIntervalSecond(greatest({step:UInt32}, 1)))) AS time,
      service, target,
      uniqExact(p.time) AS polls
    FROM heliograph.target_polls AS p
    WHERE kind = 'goroutine' AND outcome = 'ok' AND p.time >= {from:DateTime} AND p.time < {to:DateTime}
      AND (service, target, p.time) GLOBAL IN (
        SELECT service, target, time FROM heliograph.profile_samples
        WHERE profile = 'goroutine' AND time >= {from:DateTime} AND time < {to:DateTime}
      )
    GROUP BY time, service, target
  )
SELECT
  samples.time AS time, samples.service AS service, samples.target AS target, samples.stack AS stack,
  known.function AS function,
  most AS goroutines,
  if(seen < polls, 0, least) AS goroutines_min
FROM samples
INNER JOIN polled ON samples.time = polled.time AND samples.service = polled.service AND samples.target = polled.target
LEFT JOIN (
  SELECT service, stack, function FROM boards.stacks WHERE (service, stack) GLOBAL IN (SELECT service, stack FROM samples)
) AS known
  ON samples.service = known.service AND samples.stack = known.stack;

CREATE OR REPLACE VIEW boards.runtime ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  scrapes AS (
    SELECT
      *,
      any(time) OVER before AS time_before,
      any(total_alloc_bytes) OVER before AS total_alloc_before,
      any(gc_cycles) OVER before AS gc_cycles_before,
      any(gc_forced_cycles) OVER before AS gc_forced_before,
      any(gc_pause_total_ns) OVER before AS gc_pause_before,
      row_number() OVER (PARTITION BY service, target ORDER BY time) > 1
        AND total_alloc_bytes >= total_alloc_before AND gc_cycles >= gc_cycles_before AS same_process,
      dateDiff('millisecond', time_before, time) / 1000 AS gap_seconds
    FROM heliograph.go_runtime
    
    WHERE time >= {from:DateTime} - INTERVAL 3 HOUR AND time < {to:DateTime}
    WINDOW before AS (PARTITION BY service, target ORDER BY time ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)
  ),
  pairs AS (
    SELECT
      *,
      quantileExactLowIf(0.5)(gap_seconds, same_process) OVER (PARTITION BY service, target) AS usual_seconds,
      same_process AND gap_seconds <= 3 * usual_seconds AS joined
    FROM scrapes
  )
SELECT
  toDateTime(toStartOfInterval(p.time, toIntervalSecond(greatest({step:UInt32}, 1)))) AS time,
  service, target,
  max(p.heap_alloc_bytes) AS heap_alloc_bytes,
  max(p.heap_inuse_bytes) AS heap_inuse_bytes,
  max(p.heap_sys_bytes) AS heap_sys_bytes,
  max(p.heap_objects) AS heap_objects,
  max(p.next_gc_bytes) AS next_gc_bytes,
  max(p.stack_inuse_bytes) AS stack_inuse_bytes,
  max(p.sys_bytes) AS sys_bytes,
  sum(if(joined, p.total_alloc_bytes - total_alloc_before, NULL)) / sum(if(joined, gap_seconds, NULL)) AS alloc_rate_bytes,
  sum(if(joined, p.gc_cycles - gc_cycles_before, NULL)) AS gc_cycles,
  sum(if(joined, p.gc_forced_cycles - gc_forced_before, NULL)) AS gc_forced_cycles,
  sum(if(joined, p.gc_pause_total_ns - gc_pause_before, NULL)) / 1e6 AS gc_pause_ms,
  maxOrNullIf(arrayMax(pauses_ns), notEmpty(pauses_ns)) / 1e6 AS gc_pause_max_ms,
  max(p.last_gc) AS last_gc,
  argMax(p.gc_cpu_fraction, p.time) AS gc_cpu_fraction,
  count() AS scrapes
FROM pairs AS p
WHERE p.time >= {from:DateTime}
GROUP BY time, service, target;

CREATE OR REPLACE VIEW boards.expvars ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
  toDateTime(toStartOfInterval(r.time, toIntervalSecond(greatest({step:UInt32}, 1)))) AS time,
  service, target,
  variable.1 AS name,
  argMax(variable.2, r.time) AS value
FROM heliograph.go_runtime AS r
ARRAY JOIN CAST(vars, 'Array(Tuple(String, Float64))') AS variable
WHERE r.time >= {from:DateTime} AND r.time < {to:DateTime}
GROUP BY time, service, target, name;

CREATE OR REPLACE VIEW boards.goroutine_suspects ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  toUInt32(greatest({window:UInt32}, 1)) AS seconds,
  toUInt32(greatest({windows:UInt32}, 2)) AS many,
  least({to:DateTime}, now()) AS until,
  until - toIntervalSecond(seconds * many) AS began,
  samples AS (
    SELECT
      service, target, stack,
      intDiv(toUnixTimestamp(time) - toUnixTimestamp(began), seconds) AS slot,
      min(value) AS least_value, uniqExact(time) AS seen
    FROM heliograph.profile_samples
    WHERE profile = 'goroutine' AND time >= began AND time < until
    GROUP BY service, target, stack, slot
  ),
  polled AS (
    SELECT service, target, intDiv(toUnixTimestamp(time) - toUnixTimestamp(began), seconds) AS slot, uniqExact(time) AS polls
    FROM heliograph.target_polls
    WHERE kind = 'goroutine' AND outcome = 'ok' AND time >= began AND time < until
      AND (service, target, time) GLOBAL IN (
        SELECT service, target, time FROM heliograph.profile_samples
        WHERE profile = 'goroutine' AND time >= began AND time < until
      )
    GROUP BY service, target, slot
  ),
  followed AS (
    SELECT service, target, sum(polled.polls) AS polls
    FROM polled
    GROUP BY service, target
    HAVING count() = many
  ),
  minima_of AS (
    SELECT
      samples.service AS service, samples.target AS target, samples.stack AS stack,
      CAST(groupArray((samples.slot, if(seen < polls, 0, least_value))), 'Map(Int64, Int64)') AS by_slot,
      arrayMap(slot -> by_slot[slot], range(many)) AS minima
    FROM samples
    INNER JOIN polled ON samples.service = polled.service AND samples.target = polled.target AND samples.slot = polled.slot
    GROUP BY service, target, stack
  ),
  rising AS (
    SELECT
      minima_of.service AS service, minima_of.target AS target, minima_of.stack AS stack, minima, followed.polls AS polls
    FROM minima_of
    INNER JOIN followed ON minima_of.service = followed.service AND minima_of.target = followed.target
    WHERE arrayAll((before, after) -> after > before, arrayPopBack(minima), arrayPopFront(minima)) AND minima[-1] > 0
  )
SELECT
  rising.service AS service, rising.target AS target, rising.stack AS stack,
  known.function AS function, known.location AS location, known.functions AS functions,
  minima,
  minima[1] AS first_minimum,
  minima[-1] AS last_minimum,
  last_minimum - first_minimum AS growth,
  began AS since,
  polls
FROM rising

LEFT JOIN (SELECT * FROM boards.stacks WHERE stack GLOBAL IN (SELECT stack FROM rising)) AS known
  ON rising.service = known.service AND rising.stack = known.stack;

CREATE OR REPLACE VIEW boards.ci_run_list ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  runs AS (
    SELECT
      repository, run_id, attempt,
      argMax(
        (workflow, branch, event, sha, status, conclusion),
        (
          status = 'completed',
          ifNull(r.updated_at, toDateTime64(0, 3)),
          multiIf(status = 'requested', 0, status = 'in_progress', 2, 1),
          received_at
        )
      ) AS latest,
      min(r.created_at) AS run_created_at,
      max(r.started_at) AS attempt_started_at, 
      minIf(r.updated_at, status = 'completed') AS attempt_ended_at,
      min(received_at) AS first_received_at,
      if(
        attempt > 1,
        coalesce(attempt_started_at, run_created_at, first_received_at),
        coalesce(run_created_at, attempt_started_at, first_received_at)
      ) AS time
    FROM heliograph.ci_runs AS r
    WHERE received_at >= {from:DateTime} - INTERVAL 1 DAY 
    GROUP BY repository, run_id, attempt
    HAVING time >= {from:DateTime} AND time < {to:DateTime}
  ),
  jobs AS (
    SELECT
      repository, run_id, attempt,
      groupArray((queued_at, begun_at, created_at, started_at, completed_at, skipped)) AS jobs
    FROM (
      SELECT
        repository, run_id, attempt, job_id,
        minOrNullIf(received_at, status = 'queued') AS queued_at,
        minOrNullIf(received_at, status = 'in_progress') AS begun_at,
        min(j.created_at) AS created_at,
        
        maxIf(j.started_at, status IN ('in_progress', 'completed')) AS started_at,
        max(j.completed_at) AS completed_at,
        countIf(conclusion = 'skipped') > 0 AS skipped
      FROM heliograph.ci_jobs AS j
      WHERE received_at >= {from:DateTime} - INTERVAL 1 DAY
      GROUP BY repository, run_id, attempt, job_id
    )
    GROUP BY repository, run_id, attempt
  ),
  
  (start, end) -> dateDiff('millisecond', start, end) / 1000 AS seconds_between,
  
  (message, end) -> if(ifNull(message > end, 0), NULL, message) AS witness
SELECT
  time, repository, latest.1 AS workflow, run_id, attempt, latest.2 AS branch, latest.3 AS event, latest.4 AS sha,
  latest.5 AS status, latest.6 AS conclusion,
  if(raw_duration_s < 0, NULL, raw_duration_s) AS duration_s,
  if(empty(queues_s), NULL, arrayMax(queues_s)) AS queue_s,
  multiIf(duration_s IS NULL, '', from_jobs, 'jobs', 'run') AS duration_source,
  length(own) AS jobs,
  arraySort(arrayMap(queue -> assumeNotNull(queue), arrayFilter(queue -> queue >= 0, raw_queues))) AS queues_s,
  arrayCount(queue -> ifNull(queue < 0, 0), raw_queues) AS queue_negative_count
FROM (
  SELECT
    time, repository, run_id, attempt, latest,
    
    arrayFilter(
      job -> NOT job.6
        AND NOT (attempt > 1 AND (ifNull(job.5 < attempt_started_at, 0) OR ifNull(job.5 < job.3, 0))),
      jobs.jobs
    ) AS own,
    notEmpty(own) AND arrayAll(job -> job.4 IS NOT NULL AND job.5 IS NOT NULL, own) AS from_jobs,
    multiIf(
      latest.5 != 'completed', NULL,
      from_jobs, seconds_between(arrayMin(job -> assumeNotNull(job.4), own), arrayMax(job -> assumeNotNull(job.5), own)),
      seconds_between(attempt_started_at, attempt_ended_at)
    ) AS raw_duration_s,
    arrayMap(
      job -> multiIf(
        witness(job.1, job.5) IS NOT NULL AND witness(job.2, job.5) IS NOT NULL, seconds_between(job.1, job.2),
        job.3 != job.4, seconds_between(job.3, job.4), 
        seconds_between(job.3, witness(job.2, job.5))
      ),
      own
    ) AS raw_queues
  FROM runs
  LEFT JOIN jobs USING (repository, run_id, attempt)
);

CREATE OR REPLACE VIEW boards.ci_workflows ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
  toDateTime(toStartOfInterval(r.time, toIntervalSecond(greatest({step:UInt32}, 1)))) AS time,
  repository, workflow,
  count() AS runs,
  countIf(status = 'completed' AND conclusion = 'success') AS success_count,
  countIf(status = 'completed' AND conclusion IN ('failure', 'timed_out')) AS failure_count,
  countIf(status = 'completed' AND ifNull(conclusion NOT IN ('success', 'failure', 'timed_out'), 1)) AS other_count,
  countIf(status != 'completed') AS running_count,
  if(success_count + failure_count = 0, NULL, success_count / (success_count + failure_count)) AS success_ratio,
  quantileExact(0.50)(duration_s) AS duration_p50_s,
  quantileExact(0.95)(duration_s) AS duration_p95_s,
  if(queue_count = 0, NULL, quantileExactArray(0.50)(queues_s)) AS queue_p50_s,
  if(queue_count = 0, NULL, quantileExactArray(0.95)(queues_s)) AS queue_p95_s,
  countIf(attempt > 1) AS rerun_count,
  count(duration_s) AS duration_count,
  sum(length(queues_s)) AS queue_count,
  sum(r.queue_negative_count) AS queue_negative_count
FROM boards.ci_run_list(from = {from:DateTime}, to = {to:DateTime}) AS r
GROUP BY time, repository, workflow;

CREATE OR REPLACE VIEW boards.contributions_by_week ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  
  greatest(toUInt32(5), {floor:UInt32}) AS floor_of_people,
  toDateTime64(toMonday({from:DateTime}, 'UTC'), 0, 'UTC') AS first_week,
  toDateTime64(toMonday(greatest({to:DateTime}, toDateTime(1)) - 1, 'UTC') + 7, 0, 'UTC') AS until
SELECT
  toDateTime(toUnixTimestamp(toDateTime(week, 'UTC'))) AS time, repository,
  human_commits, bot_commits, merge_commits, agent_assisted_commits,
  
  if(covered_commits = 0, NULL, successful_commits) AS effective_commits,
  if(people < floor_of_people, NULL, people) AS active_contributors,
  (people > 0 AND people < floor_of_people)::Bool AS hidden_contributors,
  additions, deletions
FROM (
  SELECT
    toMonday(commit_time, 'UTC') AS week, repository,
    countIf(is_human) AS human_commits,
    countIf(NOT is_merge AND bot_rule != '') AS bot_commits,
    countIf(is_merge) AS merge_commits,
    countIf(is_human AND agent_assisted) AS agent_assisted_commits,
    countIf(covered) AS covered_commits,
    countIf(is_human AND covered AND successful) AS successful_commits,
    
    length(arrayFilter(person -> person != '', groupUniqArrayArrayIf(arrayPushBack(co_authors, author), is_human))) AS people,
    sumIf(c.additions, is_human) AS additions,
    sumIf(c.deletions, is_human) AS deletions
  FROM (
    SELECT
      repository, sha, author, co_authors, bot_rule, agent_assisted, commit_time, additions, deletions,
      length(parents) > 1 AS is_merge, NOT is_merge AND bot_rule = '' AS is_human
    FROM heliograph.commits FINAL
    WHERE NOT gone AND commit_time >= first_week AND commit_time < until
  ) AS c
  LEFT JOIN (
    SELECT repository, sha, successful, true AS covered FROM heliograph.commit_ci FINAL
  ) AS ci ON c.repository = ci.repository AND c.sha = ci.sha
  GROUP BY week, repository
);

CREATE OR REPLACE VIEW boards.repositories ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT t.repository AS repository, c.commits AS commits, t.tip AS tip, t.branch AS branch, t.collected_at AS collected_at
FROM (SELECT repository, tip, branch, collected_at FROM heliograph.git_tips FINAL) AS t
LEFT JOIN (
  SELECT repository, uniqExact(sha) AS commits
  FROM heliograph.commits FINAL
  WHERE NOT gone AND commit_time >= {from:DateTime} AND commit_time < {to:DateTime}
  GROUP BY repository
) AS c ON t.repository = c.repository;

CREATE OR REPLACE VIEW boards.pipeline_over_time ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH 60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds
SELECT
  time, minutes,
  acked_bodies + duplicate_bodies + refused_bodies AS received_bodies,
  acked_bodies, duplicate_bodies, refused_bodies, slow_lane_bodies,
  bytes AS received_bytes,
  acked_spans + rejected_spans + duplicate_spans AS received_spans,
  acked_spans, rejected_spans, duplicate_spans, clock_skew_spans,
  loaded_segments, loaded_spans, loaded_bytes, load_seconds, quarantined_bodies,
  received_spans / (60 * minutes) AS received_rate,
  acked_spans / (60 * minutes) AS acked_rate,
  loaded_spans / (60 * minutes) AS loaded_rate,
  if(received_spans = 0, NULL, rejected_spans / received_spans) AS rejected_share,
  if(received_bodies = 0, NULL, duplicate_bodies / received_bodies) AS duplicate_share,
  if(received_bodies = 0, NULL, refused_bodies / received_bodies) AS refused_share,
  if(acked_bodies = 0, NULL, slow_lane_bodies / acked_bodies) AS slow_lane_share,
  backlog_bytes_max, backlog_segments_max, oldest_age_max_s
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time,
    uniqExact(minute) AS minutes,
    sum(m.acked_bodies) AS acked_bodies,
    sum(m.duplicate_bodies) AS duplicate_bodies,
    sum(arraySum(mapValues(m.refused_bodies))) AS refused_bodies,
    sum(m.slow_lane_bodies) AS slow_lane_bodies,
    sum(m.bytes) AS bytes,
    sum(m.acked_spans) AS acked_spans,
    sum(arraySum(mapValues(m.rejected_spans))) AS rejected_spans,
    sum(m.duplicate_spans) AS duplicate_spans,
    sum(m.clock_skew_spans) AS clock_skew_spans,
    sum(m.loaded_segments) AS loaded_segments,
    sum(m.loaded_spans) AS loaded_spans,
    sum(m.loaded_bytes) AS loaded_bytes,
    sum(m.load_ms) / 1000 AS load_seconds,
    sum(m.quarantined_bodies) AS quarantined_bodies,
    max(m.backlog_bytes_max) AS backlog_bytes_max,
    max(m.backlog_segments_max) AS backlog_segments_max,
    max(m.oldest_age_max_ms) / 1000 AS oldest_age_max_s
  FROM heliograph.pipeline_minutes AS m FINAL
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
  GROUP BY time
);

CREATE OR REPLACE VIEW boards.pipeline_now ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
  time, minutes, acked_spans,
  acked_spans / (60 * minutes) AS acked_rate,
  loaded_spans / (60 * minutes) AS loaded_rate,
  backlog_bytes, backlog_segments, oldest_age_s
FROM (
  SELECT
    max(minute) AS time,
    uniqExactIf(minute, minute > newest - INTERVAL 5 MINUTE) AS minutes,
    sumIf(m.acked_spans, minute > newest - INTERVAL 5 MINUTE) AS acked_spans,
    sumIf(m.loaded_spans, minute > newest - INTERVAL 5 MINUTE) AS loaded_spans,
    maxIf(m.backlog_bytes_last, minute = newest) AS backlog_bytes,
    maxIf(m.backlog_segments_last, minute = newest) AS backlog_segments,
    maxIf(m.oldest_age_last_ms, minute = newest) / 1000 AS oldest_age_s
  FROM (
    SELECT *, max(minute) OVER () AS newest
    FROM heliograph.pipeline_minutes FINAL
    WHERE minute >= {to:DateTime} - INTERVAL 10 MINUTE AND minute < {to:DateTime}
  ) AS m
  HAVING count() > 0
);

CREATE OR REPLACE VIEW boards.pipeline_rejects ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH 60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds
SELECT
  time, reason,
  rejected[reason] AS spans,
  if(received = 0, NULL, spans / received) AS share,
  if(spans = 0, NULL, toDateTime(newest[reason])) AS last_seen,
  transform(
    reason,
    ['invalid_trace_id', 'invalid_span_id', 'invalid_parent_span_id', 'start_time_out_of_range'],
    [
      'Trace ids are 16 bytes and not all zero: the SDK, or what rewrites ids on the way, is at fault.',
      'Span ids are 8 bytes and not all zero: the SDK, or what rewrites ids on the way, is at fault.',
      'Parent ids are 8 bytes, or absent for a root span.',
      'Spans start within the retention of spans and at most an hour from now: set the sender’s clock, or shorten its queue.'
    ],
    'The answer to the sender (partial_success) says what to change.'
  ) AS mend
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time,
    sumMap(m.rejected_spans) AS rejected,
    maxMap(mapFromArrays(mapKeys(m.rejected_spans), arrayMap(_ -> toUInt32(minute), mapKeys(m.rejected_spans)))) AS newest,
    sum(m.acked_spans + m.duplicate_spans + arraySum(mapValues(m.rejected_spans))) AS received
  FROM heliograph.pipeline_minutes AS m FINAL
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
  GROUP BY time
)
ARRAY JOIN (
  SELECT groupUniqArrayArray(mapKeys(rejected_spans)) FROM heliograph.pipeline_minutes
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
) AS reason;

CREATE OR REPLACE VIEW boards.pipeline_refusals ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH 60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds
SELECT
  time, reason,
  refused[reason] AS bodies,
  if(received = 0, NULL, bodies / received) AS share,
  if(bodies = 0, NULL, toDateTime(newest[reason])) AS last_seen,
  (reason IN ('too_busy', 'deadline_exceeded', 'journal_full', 'journal_unavailable', 'shutting_down')
    OR startsWith(reason, 'over_budget')) AS comes_again,
  transform(
    reason,
    [
      'bad_request', 'bad_framing', 'bad_encoding', 'bad_http', 'grpc_on_http_port', 'wrong_path', 'unauthenticated',
      'method_not_allowed', 'signal_not_supported', 'body_too_large', 'unsupported_media_type', 'unsupported_encoding',
      'too_busy', 'deadline_exceeded', 'journal_full', 'journal_unavailable', 'shutting_down', 'internal', 'forbidden',
      'bad_grpc'
    ],
    [
      'The request breaks a rule of OTLP; its answer names field and rule.',
      'Not a well-formed protobuf message: look for a proxy that cuts or changes bodies.',
      'The body is not compressed as its Content-Encoding says: look for a proxy that unpacks it.',
      'Not HTTP at all: TLS on a plain port, or a probe.',
      'gRPC on the HTTP port: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or the endpoint to the gRPC port.',
      'Nothing is at that path: set OTEL_EXPORTER_OTLP_ENDPOINT without a path, or the traces endpoint with /v1/traces.',
      'No token, or another: set OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20… at the sender.',
      'OTLP is sent by POST; a probe or a browser asks otherwise.',
      'This signal is not collected: set OTEL_METRICS_EXPORTER=none and OTEL_LOGS_EXPORTER=none.',
      'Over 16 MiB unpacked: lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE.',
      'Not a content type of OTLP: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.',
      'Compress with gzip or not at all: set OTEL_EXPORTER_OTLP_COMPRESSION=gzip.',
      'Too much at once, above all on the slow lane; the sender retries. Bad when it lasts: send flat protobuf, or less.',
      'The sender gave up before its body was durable, and retries: raise OTEL_EXPORTER_OTLP_TIMEOUT, or look at the disk.',
      'Disk or backlog is full; senders retry and nothing acked is lost. Free space, or look why the store is behind.',
      'The disk did not take the body in time; senders retry. Look at the disk.',
      'Heliograph was stopping; senders retry.',
      'A fault of Heliograph; the log has the details.',
      'Known, but not let in: the rules under auth name no team for it, or two.',
      'The call breaks the rules of gRPC: look for a proxy that does not speak HTTP/2 end to end.'
    ],
    multiIf(
      startsWith(reason, 'over_budget'),
      'The key has spent its budget; the sender retries. Bad when it lasts: raise the budget of the key, or sample.',
      match(reason, '^(jwt|key|certificate)_'),
      'What it showed to be let in was not accepted, for this very reason: issue it anew, or mend auth in heliograph.yaml.',
      'docs/ERRORS.md says what to change.'
    )
  ) AS mend
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time,
    sumMap(m.refused_bodies) AS refused,
    maxMap(mapFromArrays(mapKeys(m.refused_bodies), arrayMap(_ -> toUInt32(minute), mapKeys(m.refused_bodies)))) AS newest,
    sum(m.acked_bodies + m.duplicate_bodies + arraySum(mapValues(m.refused_bodies))) AS received
  FROM heliograph.pipeline_minutes AS m FINAL
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
  GROUP BY time
)
ARRAY JOIN (
  SELECT groupUniqArrayArray(mapKeys(refused_bodies)) FROM heliograph.pipeline_minutes
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
) AS reason;

CREATE OR REPLACE VIEW boards.pipeline_senders ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
  team, key, form, signals, spans,
  if(sum(spans) OVER () = 0, NULL, spans / sum(spans) OVER ()) AS share,
  bytes, bodies,
  if(bodies = 0, NULL, spans / bodies) AS spans_per_body,
  rejected_spans, refused_bodies, duplicate_bodies, slow_lane_bodies, clock_skew_spans, last_seen
FROM (
  SELECT
    team, key, form,
    arraySort(groupUniqArrayIf(toString(signal), signal != '')) AS signals,
    sum(m.acked_spans) AS spans,
    sum(m.bytes) AS bytes,
    sum(m.acked_bodies) AS bodies,
    sum(arraySum(mapValues(m.rejected_spans))) AS rejected_spans,
    sum(arraySum(mapValues(m.refused_bodies))) AS refused_bodies,
    sum(m.duplicate_bodies) AS duplicate_bodies,
    sum(m.slow_lane_bodies) AS slow_lane_bodies,
    sum(m.clock_skew_spans) AS clock_skew_spans,
    max(minute) AS last_seen
  FROM heliograph.pipeline_minutes AS m FINAL
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime} AND form != ''
  GROUP BY team, key, form
);

CREATE OR REPLACE VIEW boards.pipeline_freshness ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  1.01 / 0.99 AS gamma,
  60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds,
  (keys, cumulative, n, q) -> keys[arrayFirstIndex(c -> c >= ceil(q * n), cumulative)] AS bin_at,
  bin -> if(bin < 0, 0., 2 * pow(gamma, bin) / (gamma + 1) / 1e6) AS bin_ms
SELECT
  time, segments,
  bin_ms(bin_at(mapKeys(bins), arrayCumSum(mapValues(bins)), segments, 0.50)) AS p50_ms,
  bin_ms(bin_at(mapKeys(bins), arrayCumSum(mapValues(bins)), segments, 0.99)) AS p99_ms,
  bin_ms(arrayMax(mapKeys(bins))) AS max_ms,
  bins,
  0.01 AS relative_error
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time,
    sumMap(m.freshness_bins) AS bins,
    arraySum(mapValues(bins)) AS segments
  FROM heliograph.pipeline_minutes AS m FINAL
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
  GROUP BY time
)
WHERE segments > 0;

CREATE OR REPLACE VIEW boards.pipeline_slow_lane ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH 60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds
SELECT time, form, bodies, slow_lane_bodies, slow_lane_bodies / bodies AS share
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time, form,
    sum(m.acked_bodies) AS bodies,
    sum(m.slow_lane_bodies) AS slow_lane_bodies
  FROM heliograph.pipeline_minutes AS m FINAL
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime} AND form != ''
  GROUP BY time, form
)
WHERE bodies > 0;

CREATE OR REPLACE VIEW boards.storage_tables ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH table LIKE 'otel\\_traces%' OR table LIKE 'span\\_%' AS holds_spans
SELECT
  database, table, rows, parts, bytes, uncompressed_bytes,
  if(data_bytes = 0, NULL, uncompressed_bytes / data_bytes) AS ratio,
  bytes / rows AS bytes_per_row,
  index_bytes,
  if(holds_spans AND spans > 0, bytes / spans, NULL) AS bytes_per_span
FROM (
  SELECT
    p.database AS database,
    p.table AS table,
    sum(p.rows) AS rows,
    count() AS parts,
    sum(p.bytes_on_disk) AS bytes,
    sum(p.data_compressed_bytes) AS data_bytes,
    sum(p.data_uncompressed_bytes) AS uncompressed_bytes,
    sum(p.secondary_indices_compressed_bytes) AS index_bytes,
    sumIf(rows, database = 'otel' AND startsWith(table, 'otel_traces') AND table NOT LIKE '%\\_ts%') OVER () AS spans
  FROM system.parts AS p
  WHERE p.active AND p.database IN ('otel', 'heliograph') AND p.table != 'migrations'
  GROUP BY database, table
)
WHERE rows > 0;

CREATE OR REPLACE VIEW boards.storage_columns ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
  database, table, column, type, rows, bytes, uncompressed_bytes,
  uncompressed_bytes / bytes AS ratio,
  bytes / rows AS bytes_per_row,
  bytes / sum(bytes) OVER (PARTITION BY database, table) AS share
FROM (
  SELECT
    c.database AS database,
    c.table AS table,
    c.column AS column,
    any(c.type) AS type,
    sum(c.rows) AS rows,
    sum(c.column_data_compressed_bytes) AS bytes,
    sum(c.column_data_uncompressed_bytes) AS uncompressed_bytes
  FROM system.parts_columns AS c
  WHERE c.active AND c.part_type = 'Wide' AND c.database IN ('otel', 'heliograph')
    AND c.column NOT IN ('author', 'committer', 'co_authors')
  GROUP BY database, table, column
)
WHERE rows > 0 AND bytes > 0;

CREATE OR REPLACE VIEW boards.source_status ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  dateDiff('minute', toStartOfMinute({from:DateTime}), toStartOfMinute(least({to:DateTime}, now()) + INTERVAL 59 SECOND)) AS minutes
SELECT
  source,
  multiIf(
    recorded = 0, NULL,
    source = 'git', least(1., greatest(0, dateDiff('minute', toStartOfMinute({from:DateTime}), last) + 1) / greatest(1, minutes)),
    least(1., covered / greatest(1, minutes))
  ) AS coverage,
  if(newest = toDateTime64(0, 9), NULL, newest) AS as_of
FROM (
  SELECT 'otlp_traces' AS source, max(Timestamp) AS newest FROM otel.otel_traces
  UNION ALL SELECT 'targets', toDateTime64(max(time), 9) FROM heliograph.target_polls WHERE outcome = 'ok'
  UNION ALL SELECT 'git', toDateTime64(max(collected_at), 9) FROM heliograph.git_tips
  UNION ALL SELECT 'github', toDateTime64(max(ifNull(updated_at, received_at)), 9) FROM heliograph.ci_runs
  UNION ALL SELECT 'deployments', toDateTime64(max(received_at), 9) FROM heliograph.deployments
) AS newest_of
LEFT JOIN (
  SELECT
    source,
    count() AS recorded,
    max(minute) AS last,
    uniqExactIf(minute, minute >= toStartOfMinute({from:DateTime}) AND minute < least({to:DateTime}, now())) AS covered
  FROM heliograph.source_minutes
  GROUP BY source
) AS minutes_of USING (source);

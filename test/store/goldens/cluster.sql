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
ORDER BY (repository, run_id, attempt, delivery)
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
ORDER BY (repository, run_id, attempt, job_id, delivery)
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

CREATE OR REPLACE VIEW boards.source_status ON CLUSTER 'team' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
  dateDiff('minute', toStartOfMinute({from:DateTime}), toStartOfMinute(least({to:DateTime}, now()) + INTERVAL 59 SECOND)) AS minutes
SELECT
  source,
  if(recorded = 0, NULL, least(1., covered / greatest(1, minutes))) AS coverage,
  if(newest = toDateTime64(0, 9), NULL, newest) AS as_of
FROM (
  SELECT 'otlp_traces' AS source, max(Timestamp) AS newest FROM otel.otel_traces
  UNION ALL SELECT 'targets', toDateTime64(max(time), 9) FROM heliograph.target_polls WHERE outcome = 'ok'
  UNION ALL SELECT 'git', toDateTime64(max(collected_at), 9) FROM heliograph.git_tips
  UNION ALL SELECT 'github', toDateTime64(max(received_at), 9) FROM heliograph.ci_runs
  UNION ALL SELECT 'deployments', toDateTime64(max(received_at), 9) FROM heliograph.deployments
) AS newest_of
LEFT JOIN (
  SELECT
    source,
    count() AS recorded,
    uniqExactIf(minute, minute >= toStartOfMinute({from:DateTime}) AND minute < least({to:DateTime}, now())) AS covered
  FROM heliograph.source_minutes
  GROUP BY source
) AS minutes_of USING (source);

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

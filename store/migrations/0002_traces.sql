-- Traces: bytes -> Null table -> otel.otel_traces -> trace_id_ts.

-- Names and types are the OpenTelemetry ClickHouse exporter's. Two columns are ours: Route (computed once here, so that
-- rollup, search and boards agree) and Team (which API key sent it, '' until keys exist). The inserts are fsynced: a
-- segment leaves the journal as soon as it is loaded, so the parts must survive a power cut. An inserted part is one file
-- (compact) and not some sixty, of which each would be synced; merges make it wide.
CREATE TABLE IF NOT EXISTS {{local otel.otel_traces}} {{on_cluster}} (
  Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)), -- span start
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  ParentSpanId String CODEC(ZSTD(1)), -- '' for a root span
  TraceState String CODEC(ZSTD(1)),
  SpanName LowCardinality(String) CODEC(ZSTD(1)),
  SpanKind LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  Duration UInt64 CODEC(ZSTD(1)), -- nanoseconds; 0 where the span ends before it starts
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
  -- http.route, else rpc.service/rpc.method, else the span name with its ids taken out. The replacement runs twice because
  -- neighbouring ids share a separator and RE2 has no look-ahead; on a LowCardinality column it costs one run per name.
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
) ENGINE = {{engine MergeTree}}
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1,
  min_bytes_for_wide_part = 134217728, {{deduplication}};

{{distributed otel.otel_traces by cityHash64(TraceId)}};

CREATE TABLE IF NOT EXISTS {{local otel.otel_traces_trace_id_ts}} {{on_cluster}} (
  TraceId String CODEC(ZSTD(1)),
  Start DateTime CODEC(Delta, ZSTD(1)),
  End DateTime CODEC(Delta, ZSTD(1)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = {{engine MergeTree}}
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed otel.otel_traces_trace_id_ts by cityHash64(TraceId)}};

CREATE MATERIALIZED VIEW IF NOT EXISTS otel.otel_traces_trace_id_ts_mv {{on_cluster}}
TO {{local otel.otel_traces_trace_id_ts}} AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM {{local otel.otel_traces}}
WHERE TraceId != ''
GROUP BY TraceId;

-- What a segment of flat OTLP protobuf reads as. The structure is written out because inference cannot tell 0 and false
-- from absent; the members of AnyValue are Nullable for the same reason. lo_ns and hi_ns are the segment's own bounds.
CREATE TABLE IF NOT EXISTS heliograph.otlp_traces_in {{on_cluster}} (
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

-- The mapping. Resource attributes become a map before the spans are unfolded, so each is built once, not once a span.
-- The WHERE is the door's own predicate (collectors/otlp/walk.ts): what the door counted as rejected is dropped here.
CREATE MATERIALIZED VIEW IF NOT EXISTS heliograph.otlp_traces_mv {{on_cluster}}
TO {{local otel.otel_traces}} AS
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

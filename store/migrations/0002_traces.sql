-- Traces: bytes -> Null table -> otel.otel_traces -> trace_id_ts.

-- Names and types are the OpenTelemetry ClickHouse exporter's. Two columns are ours: Route (computed once here, so that
-- rollup, search and boards agree) and Team (which API key sent it, '' until keys exist). The inserts are fsynced: a
-- segment leaves the journal as soon as it is loaded, so the parts must survive a power cut. An inserted part is one file
-- (compact) and not some sixty, of which each would be synced; merges make it wide.
-- Codecs and indexes are what docs/ENGINE.md measured: LZ4 where values repeat, T64 where numbers lie close, ZSTD where it
-- halves hex ids. Merges wait for more parts than by default, so a span is rewritten less often. Of the exporter's indexes on attributes one is left, and merges build it, not inserts (store/load.ts).
CREATE TABLE IF NOT EXISTS {{local otel.otel_traces}} {{on_cluster}} (
  Timestamp DateTime64(9) CODEC(T64, LZ4), -- span start
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  ParentSpanId String CODEC(ZSTD(1)), -- '' for a root span
  TraceState String CODEC(LZ4),
  SpanName LowCardinality(String) CODEC(ZSTD(1)),
  SpanKind LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(LZ4),
  ScopeName String CODEC(LZ4),
  ScopeVersion String CODEC(LZ4),
  SpanAttributes Map(LowCardinality(String), String) CODEC(LZ4),
  Duration UInt64 CODEC(T64, LZ4), -- nanoseconds; 0 where the span ends before it starts
  StatusCode LowCardinality(String) CODEC(ZSTD(1)),
  StatusMessage String CODEC(LZ4),
  Events Nested (
    Timestamp DateTime64(9),
    Name LowCardinality(String),
    Attributes Map(LowCardinality(String), String)
  ) CODEC(LZ4),
  Links Nested (
    TraceId String,
    SpanId String,
    TraceState String,
    Attributes Map(LowCardinality(String), String)
  ) CODEC(LZ4),
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
  INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_duration Duration TYPE minmax GRANULARITY 1
) ENGINE = {{engine MergeTree}}
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1,
  min_bytes_for_wide_part = 134217728, merge_selector_base = 10, {{deduplication}};

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
-- from absent. An AnyValue is left as its own bytes: taking them apart below costs half of what a tuple of Nullable members
-- costs to read. The door lets an AnyValue through only as nothing or as one scalar in its shortest encoding, and rewrites
-- any other. lo_ns and hi_ns are the segment's own bounds.
CREATE TABLE IF NOT EXISTS heliograph.otlp_traces_in {{on_cluster}} (
  resource_spans Array(Tuple(
    resource Tuple(attributes Array(Tuple(key String, value String))),
    scope_spans Array(Tuple(
      scope Tuple(name String, version String),
      spans Array(Tuple(
        trace_id String, span_id String, trace_state String, parent_span_id String, name String, kind Int64,
        start_time_unix_nano UInt64, end_time_unix_nano UInt64,
        attributes Array(Tuple(key String, value String)),
        events Array(Tuple(time_unix_nano UInt64, name String, attributes Array(Tuple(key String, value String)))),
        links Array(Tuple(trace_id String, span_id String, trace_state String, attributes Array(Tuple(key String, value String)))),
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
WITH
  -- Eight bytes of a varint at once: bits 7, 15, … go, pairs of 7, 14 and 28 bits close up. Bytes nine and ten hold bits 56 to 63.
  x -> bitOr(bitAnd(x, 0x007f007f007f007f), bitShiftRight(bitAnd(x, 0x7f007f007f007f00), 1)) AS join_7,
  x -> bitOr(bitAnd(x, 0x00003fff00003fff), bitShiftRight(bitAnd(x, 0x3fff00003fff0000), 2)) AS join_14,
  x -> bitOr(bitAnd(x, 0x000000000fffffff), bitShiftRight(bitAnd(x, 0x0fffffff00000000), 4)) AS join_28,
  value -> reinterpretAsInt64(bitOr(
    join_28(join_14(join_7(reinterpretAsUInt64(substring(value, 2, 8))))),
    bitOr(
      bitShiftLeft(toUInt64(bitAnd(reinterpretAsUInt8(substring(value, 10, 1)), 0x7f)), 56),
      bitShiftLeft(toUInt64(bitAnd(reinterpretAsUInt8(substring(value, 11, 1)), 1)), 63)
    )
  )) AS int_of,
  -- The first byte is the member's tag: string_value, int_value, bool_value, double_value. A text's length takes one byte
  -- up to 127, two up to 16,383, three up to 2,097,151.
  value -> multiIf(
    startsWith(value, '\x0a'), if(
      length(value) < 130,
      substring(value, 3),
      substring(value, multiIf(length(value) < 16387, 4, length(value) < 2097156, 5, 6))
    ),
    startsWith(value, '\x18'), if(
      length(value) = 2, toString(reinterpretAsUInt8(substring(value, 2))), toString(int_of(value))
    ),
    startsWith(value, '\x10'), if(value = '\x10\x00', 'false', 'true'),
    startsWith(value, '\x21'), toString(reinterpretAsFloat64(substring(value, 2))),
    ''
  ) AS text_of,
  attributes -> CAST(arrayMap(kv -> (kv.1, text_of(kv.2)), attributes), 'Map(LowCardinality(String), String)') AS text_map
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

-- The one-minute rollup that every latency figure is read from. Its sketch is explicit log bins:
--   gamma = 1.01 / 0.99; bin(d) = ceil(ln(d) / ln(gamma)) for d >= 1 ns, -1 for a duration of 0;
--   value of a bin = 2 * gamma^bin / (gamma + 1), within 1 % of every duration in it.
-- Bins add up across minutes, routes and shards, so percentiles, histograms and comparisons come from the same counts.
CREATE TABLE IF NOT EXISTS {{local heliograph.span_latency_1m}} {{on_cluster}} (
  minute DateTime CODEC(Delta, ZSTD(1)), -- minute of the span's own start
  service LowCardinality(String),
  route LowCardinality(String),
  kind LowCardinality(String),
  status LowCardinality(String),
  version LowCardinality(String), -- service.version, '' where absent
  region LowCardinality(String), -- cloud.region, '' where absent
  team LowCardinality(String),
  count SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  duration_sum_ns SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  bins SimpleAggregateFunction(sumMap, Map(Int16, UInt64)) CODEC(ZSTD(1)) -- bin -> spans
) ENGINE = {{engine AggregatingMergeTree}}
PARTITION BY toDate(minute)
ORDER BY (service, route, kind, status, version, region, team, minute)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.span_latency_1m by cityHash64(service, route)}};

-- Groups by bin first and folds into a map after: a map per span row would cost several times as much.
CREATE MATERIALIZED VIEW IF NOT EXISTS heliograph.span_latency_1m_mv {{on_cluster}}
TO {{local heliograph.span_latency_1m}} AS
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
  FROM {{local otel.otel_traces}}
  GROUP BY minute, service, route, kind, status, version, region, team, bin
)
GROUP BY minute, service, route, kind, status, version, region, team;

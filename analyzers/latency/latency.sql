-- Latency, rate and errors of services and routes. Definitions, denominators and known bias: README.md beside this file.
-- Every window is whole minutes, from the minute that holds `from` to the last minute that starts before `to`.

-- One row per step, service and route; Server and Consumer spans. No row where nothing was received.
CREATE OR REPLACE VIEW boards.latency_by_route {{on_cluster}} {{definer}} AS
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

-- The same for whole services: merged from the routes' bins, never averaged from their percentiles.
CREATE OR REPLACE VIEW boards.latency_by_service {{on_cluster}} {{definer}} AS
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

-- Each route's p99 in a window beside its p99 in the time right before it. Both are whole minutes; the minute that holds `to` is
-- left out, as it is still filling. NULL where there were no spans.
CREATE OR REPLACE VIEW boards.latency_jumps {{on_cluster}} {{definer}} AS
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

-- Spans per step and latency bucket, for heatmaps and histograms. Bounds lie on bin edges, 23 bins (a factor of 1.58) apart,
-- so each count is exact; le_ms is the bucket's upper bound, inclusive. Durations of 0 stand in the lowest bucket, le_ms 0.
CREATE OR REPLACE VIEW boards.latency_histogram {{on_cluster}} {{definer}} AS
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

-- The same buckets with sum and count, by the status of the spans too: what a Prometheus histogram is made of. One row per
-- step, service, route and status; le_ms ascends, counts stand beside it.
CREATE OR REPLACE VIEW boards.latency_by_status {{on_cluster}} {{definer}} AS
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

-- The twenty slowest Server and Consumer spans of every service and route. The rollup first says above which duration the
-- twenty must lie, so that the spans themselves are neither sorted nor grouped by the million.
CREATE OR REPLACE VIEW boards.slowest_spans {{on_cluster}} {{definer}} AS
WITH
  1.01 / 0.99 AS gamma,
  floors AS (
    SELECT
      service, route,
      arrayReverse(mapKeys(sumMap(bins))) AS descending,
      arrayFirstIndex(c -> c >= 20, arrayCumSum(arrayReverse(mapValues(sumMap(bins))))) AS twentieth,
      -- one bin of slack for the logarithm's rounding at an edge
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

-- Who sent anything: all span kinds under span_count, RED's own under count.
CREATE OR REPLACE VIEW boards.services {{on_cluster}} {{definer}} AS
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

-- Routes that served in the window.
CREATE OR REPLACE VIEW boards.routes {{on_cluster}} {{definer}} AS
SELECT service, route, sum(r.count) AS count
FROM heliograph.span_latency_1m AS r
WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime} AND kind IN ('Server', 'Consumer')
GROUP BY service, route;

-- All spans of a trace, oldest first. The companion table bounds the read in time.
CREATE OR REPLACE VIEW boards.trace_spans {{on_cluster}} {{definer}} AS
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

-- The exporter's tables by their own names, for Grafana's trace features and stock OpenTelemetry boards.
CREATE OR REPLACE VIEW boards.otel_traces {{on_cluster}} {{definer}} AS
SELECT
  Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
  ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage,
  Events.Timestamp, Events.Name, Events.Attributes,
  Links.TraceId, Links.SpanId, Links.TraceState, Links.Attributes
FROM otel.otel_traces;

CREATE OR REPLACE VIEW boards.otel_traces_trace_id_ts {{on_cluster}} {{definer}} AS
SELECT TraceId, Start, End FROM otel.otel_traces_trace_id_ts;

-- Routes: raw URLs are templated, and a sender that makes up a route per request costs a row, not a table.

-- http.route, else rpc.service/rpc.method, else what the span name says:
--   a method alone (semconv, where a server knows no route): the method and the templated path of url.path, http.target, url.full or
--     http.url, whichever the span has;
--   anything else: the name with its ids taken out, as in 0002; of a raw URL or path only method and path are left.
-- Templated: what is a number, hex from eight digits on, a UUID, an ISO date, an e-mail address or a token of twenty characters or more
-- with a digit in it becomes {id}. A span with http.route pays for none of it: what stands in a lambda is not worked out for the rows
-- that an earlier condition took (subscripts of the map would be), and on the LowCardinality name it costs one run per name.
ALTER TABLE {{local otel.otel_traces}} {{on_cluster}} MODIFY COLUMN Route LowCardinality(String) MATERIALIZED multiIf(
  SpanAttributes['http.route'] != '', SpanAttributes['http.route'],
  SpanAttributes['rpc.service'] != '', concat(SpanAttributes['rpc.service'], '/', SpanAttributes['rpc.method']),
  SpanName IN ('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY', 'HTTP',
    'HTTP GET', 'HTTP HEAD', 'HTTP POST', 'HTTP PUT', 'HTTP DELETE', 'HTTP OPTIONS', 'HTTP PATCH'),
  trimRight(concat(SpanName, ' ', arrayStringConcat(arrayMap(
    segment -> if(
      match(segment, '^(?:[0-9]+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T_ ].*)?|.+(?:@|%40).+|[A-Za-z0-9_=+~%-]{20,})$')
      AND (length(segment) < 20 OR match(segment, '[0-9@%]')),
      '{id}', segment),
    splitByChar('/', extract(
      arrayFirst((value, key) -> key IN ('url.path', 'http.target', 'url.full', 'http.url'), mapValues(SpanAttributes), mapKeys(SpanAttributes)),
      '^(?:https?://[^/?#]*)?([^?#;]*)'))), '/'))),
  replaceRegexpAll(
    replaceRegexpAll(
      replaceRegexpOne(SpanName, '^([A-Z]+ )?(?:https?://[^/?#]*)?(/[^?#;]*).*$', '\\1\\2'),
      '(^|[/ :,;=#?&()\\[\\]])(?:[0-9]+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T_][0-9.:+Z-]*)?|[^/ @]+(?:@|%40)[^/ @]+|[A-Za-z_~-]{0,19}[0-9][A-Za-z0-9_~=-]{19,}|[A-Za-z0-9_~-]{9,}[0-9][A-Za-z0-9_~=-]{10,}|[A-Za-z0-9_~-]{19,}[0-9][A-Za-z0-9_~=-]*)([/ :,;=#?&()\\[\\]]|$)',
      '\\1{id}\\2'
    ),
    '(^|[/ :,;=#?&()\\[\\]])(?:[0-9]+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T_][0-9.:+Z-]*)?|[^/ @]+(?:@|%40)[^/ @]+|[A-Za-z_~-]{0,19}[0-9][A-Za-z0-9_~=-]{19,}|[A-Za-z0-9_~-]{9,}[0-9][A-Za-z0-9_~=-]{10,}|[A-Za-z0-9_~-]{19,}[0-9][A-Za-z0-9_~=-]*)([/ :,;=#?&()\\[\\]]|$)',
    '\\1{id}\\2'
  )
);

-- How many distinct routes a service of a team may have a day; the newest row counts.
CREATE TABLE IF NOT EXISTS {{local heliograph.route_limit}} {{on_cluster}} (
  set_at DateTime64(3) DEFAULT now64(3),
  routes UInt32
) ENGINE = {{engine MergeTree}}
ORDER BY set_at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

{{distributed heliograph.route_limit by cityHash64(routes)}};

-- The routes that have their own row in the rollup, by the day on which they were first loaded. Who comes first is kept; of those that
-- come in one segment, the busiest.
CREATE TABLE IF NOT EXISTS {{local heliograph.routes_kept}} {{on_cluster}} (
  day Date,
  team LowCardinality(String),
  service LowCardinality(String),
  route LowCardinality(String)
) ENGINE = {{engine ReplacingMergeTree}}
ORDER BY (day, team, service, route)
TTL day + INTERVAL 3 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.routes_kept by cityHash64(team, service)}};

-- What was folded into the route (other).
CREATE TABLE IF NOT EXISTS {{local heliograph.route_folds}} {{on_cluster}} (
  day Date,
  team LowCardinality(String),
  service LowCardinality(String),
  since SimpleAggregateFunction(min, DateTime),
  routes AggregateFunction(uniq, String),
  spans SimpleAggregateFunction(sum, UInt64),
  budget SimpleAggregateFunction(max, UInt32)
) ENGINE = {{engine AggregatingMergeTree}}
ORDER BY (day, team, service)
TTL day + INTERVAL 35 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.route_folds by cityHash64(team, service)}};

-- The minute's rows on their way into the rollup, before and after their routes were held against the budget.
CREATE TABLE IF NOT EXISTS heliograph.span_latency_in {{on_cluster}} (
  minute DateTime, service LowCardinality(String), route LowCardinality(String), kind LowCardinality(String),
  status LowCardinality(String), version LowCardinality(String), region LowCardinality(String), team LowCardinality(String),
  count UInt64, duration_sum_ns UInt64, bins Map(Int16, UInt64)
) ENGINE = Null;

CREATE TABLE IF NOT EXISTS heliograph.span_latency_judged {{on_cluster}} (
  minute DateTime, service LowCardinality(String), route LowCardinality(String), kind LowCardinality(String),
  status LowCardinality(String), version LowCardinality(String), region LowCardinality(String), team LowCardinality(String),
  count UInt64, duration_sum_ns UInt64, bins Map(Int16, UInt64),
  verdict Enum8('known' = 0, 'new' = 1, 'over' = 2), budget UInt32
) ENGINE = Null;

-- As in 0003, but for where it leads.
DROP VIEW IF EXISTS heliograph.span_latency_1m_mv {{on_cluster}};

CREATE MATERIALIZED VIEW IF NOT EXISTS heliograph.span_latency_in_mv {{on_cluster}}
TO heliograph.span_latency_in AS
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

-- The verdict on each row's route. A segment is one block, so what it brings that is new is ranked as a whole; the rank does not
-- depend on what has been written of the segment already, so that loading it again gives the same verdict or is dropped.
CREATE MATERIALIZED VIEW IF NOT EXISTS heliograph.span_latency_judged_mv {{on_cluster}}
TO heliograph.span_latency_judged AS
WITH
  (SELECT if(count() = 0, 2000, argMax(routes, set_at)) FROM heliograph.route_limit) AS budget
SELECT
  minute, service, route, kind, status, version, region, team, count, duration_sum_ns, bins,
  multiIf(
    (team, service, route) IN (SELECT team, service, route FROM heliograph.routes_kept WHERE day = today()), 'known',
    (team, service, route) IN (
      SELECT team, service, route
      FROM (
        SELECT team, service, route, row_number() OVER (PARTITION BY team, service ORDER BY spans DESC, route) AS place
        FROM (
          SELECT team, service, route, sum(count) AS spans
          FROM heliograph.span_latency_in
          WHERE (team, service, route) NOT IN (SELECT team, service, route FROM heliograph.routes_kept WHERE day = today())
          GROUP BY team, service, route
        )
      ) AS ranked
      LEFT JOIN (
        SELECT team, service, uniqExact(route) AS taken FROM heliograph.routes_kept WHERE day = today() GROUP BY team, service
      ) AS kept USING (team, service)
      WHERE place + taken <= (SELECT if(count() = 0, 2000, argMax(routes, set_at)) FROM heliograph.route_limit)
    ), 'new',
    'over') AS verdict,
  budget
FROM heliograph.span_latency_in;

CREATE MATERIALIZED VIEW IF NOT EXISTS heliograph.routes_kept_mv {{on_cluster}}
TO {{local heliograph.routes_kept}} AS
SELECT today() AS day, team, service, route
FROM heliograph.span_latency_judged
WHERE verdict = 'new'
GROUP BY team, service, route;

CREATE MATERIALIZED VIEW IF NOT EXISTS heliograph.route_folds_mv {{on_cluster}}
TO {{local heliograph.route_folds}} AS
SELECT today() AS day, team, service, now() AS since, uniqState(toString(route)) AS routes, sum(count) AS spans, max(budget) AS budget
FROM heliograph.span_latency_judged
WHERE verdict = 'over'
GROUP BY team, service;

-- The rollup itself: its rows add up, so a folded route needs no grouping of its own.
CREATE MATERIALIZED VIEW IF NOT EXISTS heliograph.span_latency_1m_mv {{on_cluster}}
TO {{local heliograph.span_latency_1m}} AS
SELECT
  minute, service, if(verdict = 'over', '(other)', route) AS route, kind, status, version, region, team,
  sum(count) AS count, sum(duration_sum_ns) AS duration_sum_ns, sumMap(bins) AS bins
FROM heliograph.span_latency_judged
GROUP BY minute, service, route, kind, status, version, region, team;

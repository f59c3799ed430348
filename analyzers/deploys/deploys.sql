-- What was deployed. Definitions and known bias: README.md beside this file.

-- One row per deployment: those that were reported, and those that only the spans tell of. Of the rollup it reads the window and
-- the day before it; the whole history is read of those services alone that ran a version which was not seen on that day.
CREATE OR REPLACE VIEW boards.deploys {{on_cluster}} {{definer}} AS
WITH
  (SELECT min(minute) FROM heliograph.span_latency_1m) AS oldest_minute,
  -- whether there were older minutes that are no longer kept
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
    FROM heliograph.deployments AS e -- whole: few, and an old event may tell of a deployment that ends today
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
    -- at the cut, a version whose first stored span came a little later than the others' is no newer than they
    AND NOT (history_is_cut AND first_minute < oldest_minute + INTERVAL 1 DAY)
    AND NOT arrayExists(at -> abs(dateDiff('second', at, toDateTime64(first_minute, 3))) <= 1800, times)
)
ORDER BY time, service, id;

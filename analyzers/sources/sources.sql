-- How far a source's figures can be trusted in a window. Definitions: README.md beside this file.

-- coverage: minutes known to have been received or collected / minutes of the window that have begun; NULL while a source has
-- never been recorded. A git history that was collected holds all that came before, so there the minutes up to the last collection
-- count. as_of: time of the newest item stored, NULL where there is none.
CREATE OR REPLACE VIEW boards.source_status {{on_cluster}} {{definer}} AS
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

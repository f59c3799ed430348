-- How far a source's figures can be trusted in a window. Definitions: README.md beside this file.

-- coverage: minutes known to have been received / minutes of the window that have begun; NULL while a source has never been
-- recorded. as_of: start of the newest span stored, NULL where there is none.
CREATE OR REPLACE VIEW boards.source_status {{on_cluster}} {{definer}} AS
SELECT
  source,
  if(recorded = 0, NULL, least(1., covered / greatest(1, minutes))) AS coverage,
  if(newest = toDateTime64(0, 9), NULL, newest) AS as_of
FROM (
  SELECT
    'otlp_traces' AS source,
    (SELECT count() FROM heliograph.source_minutes WHERE source = 'otlp_traces') AS recorded,
    (
      SELECT uniqExact(minute) FROM heliograph.source_minutes
      WHERE source = 'otlp_traces' AND minute >= toStartOfMinute({from:DateTime}) AND minute < least({to:DateTime}, now())
    ) AS covered,
    dateDiff('minute', toStartOfMinute({from:DateTime}), toStartOfMinute(least({to:DateTime}, now()) + INTERVAL 59 SECOND)) AS minutes,
    (SELECT max(Timestamp) FROM otel.otel_traces) AS newest
);

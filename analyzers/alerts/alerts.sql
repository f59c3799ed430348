-- What the alerts did. Definitions and known bias: README.md beside this file.

-- One row per alert that was open at some time of the window: its latest status up to the end of the window. What the table
-- holds twice, or of several transitions of one instant, is told apart by the order of the statuses.
CREATE OR REPLACE VIEW boards.alerts {{on_cluster}} {{definer}} AS
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

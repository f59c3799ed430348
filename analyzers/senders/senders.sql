-- Which senders make up more routes than they may. Definitions: README.md beside this file.

-- One row per team and service that went over its budget of routes on a day that the window touches; nothing where nobody did.
CREATE OR REPLACE VIEW boards.route_budgets {{on_cluster}} {{definer}} AS
SELECT
  f.team AS team,
  f.service AS service,
  max(f.day_routes) AS routes,
  toUInt32(max(f.day_budget)) AS budget,
  sum(f.day_spans) AS folded_spans,
  toDateTime(min(f.day_since)) AS since
FROM (
  SELECT
    team, service,
    max(r.budget) AS day_budget,
    day_budget + uniqMerge(r.routes) AS day_routes,
    sum(r.spans) AS day_spans,
    min(r.since) AS day_since
  FROM heliograph.route_folds AS r
  WHERE day >= toDate({from:DateTime}) AND day <= toDate({to:DateTime})
  GROUP BY day, team, service
) AS f
GROUP BY team, service;

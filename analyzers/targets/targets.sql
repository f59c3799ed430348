-- What came of polling the targets. Definitions: README.md beside this file.

-- One row per target and kind of poll: the newest poll of the window, and how the others went.
CREATE OR REPLACE VIEW boards.target_status {{on_cluster}} {{definer}} AS
SELECT
  service, target, kind,
  argMax(p.outcome, time) AS outcome,
  argMax(p.reason, time) AS reason,
  max(time) AS last_poll,
  maxOrNullIf(time, p.outcome = 'ok') AS last_ok,
  count() AS polls,
  countIf(p.outcome = 'ok') AS ok_polls,
  quantileExactLowOrNullIf(0.5)(p.duration_ms, p.outcome = 'ok') AS duration_p50_ms,
  argMax(p.duration_ms, time) AS duration_last_ms
FROM heliograph.target_polls AS p
WHERE time >= {from:DateTime} AND time < {to:DateTime}
GROUP BY service, target, kind;

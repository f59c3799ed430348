-- Goroutines, memory and garbage collection of the targets. Definitions, gaps and known bias: README.md beside this file.

-- How many goroutines a target had, from the polls that read a goroutine profile.
CREATE OR REPLACE VIEW boards.goroutines {{on_cluster}} {{definer}} AS
SELECT
  toDateTime(toStartOfInterval(p.time, toIntervalSecond(greatest({step:UInt32}, 1)))) AS time,
  service, target,
  max(assumeNotNull(total)) AS goroutines,
  min(assumeNotNull(total)) AS goroutines_min,
  count() AS polls
FROM heliograph.target_polls AS p
WHERE kind = 'goroutine' AND outcome = 'ok' AND total IS NOT NULL
  AND p.time >= {from:DateTime} AND p.time < {to:DateTime}
GROUP BY time, service, target;

-- The same by stack. A stack that a poll did not show had no goroutine then: its minimum is 0. A poll whose profile is not
-- stored yet says nothing of any stack.
CREATE OR REPLACE VIEW boards.goroutine_stacks {{on_cluster}} {{definer}} AS
WITH
  samples AS (
    SELECT
      toDateTime(toStartOfInterval(s.time, toIntervalSecond(greatest({step:UInt32}, 1)))) AS time,
      service, target, stack,
      max(value) AS most, min(value) AS least, uniqExact(s.time) AS seen
    FROM heliograph.profile_samples AS s
    WHERE profile = 'goroutine' AND s.time >= {from:DateTime} AND s.time < {to:DateTime}
    GROUP BY time, service, target, stack
  ),
  polled AS (
    SELECT
      toDateTime(toStartOfInterval(p.time, toIntervalSecond(greatest({step:UInt32}, 1)))) AS time,
      service, target,
      uniqExact(p.time) AS polls
    FROM heliograph.target_polls AS p
    WHERE kind = 'goroutine' AND outcome = 'ok' AND p.time >= {from:DateTime} AND p.time < {to:DateTime}
      AND (service, target, p.time) GLOBAL IN (
        SELECT service, target, time FROM heliograph.profile_samples
        WHERE profile = 'goroutine' AND time >= {from:DateTime} AND time < {to:DateTime}
      )
    GROUP BY time, service, target
  )
SELECT
  samples.time AS time, samples.service AS service, samples.target AS target, samples.stack AS stack,
  known.function AS function,
  most AS goroutines,
  if(seen < polls, 0, least) AS goroutines_min
FROM samples
INNER JOIN polled ON samples.time = polled.time AND samples.service = polled.service AND samples.target = polled.target
LEFT JOIN (
  SELECT service, stack, function FROM boards.stacks WHERE (service, stack) GLOBAL IN (SELECT service, stack FROM samples)
) AS known
  ON samples.service = known.service AND samples.stack = known.stack;

-- Memory and garbage collection, from /debug/vars. Counters run since the process started: figures of a step are differences
-- between neighbouring scrapes, counted in the step of the later one. Where a counter went down (a restart), or the neighbours
-- lie further apart than three usual intervals, there is no difference.
CREATE OR REPLACE VIEW boards.runtime {{on_cluster}} {{definer}} AS
WITH
  scrapes AS (
    SELECT
      *,
      any(time) OVER before AS time_before,
      any(total_alloc_bytes) OVER before AS total_alloc_before,
      any(gc_cycles) OVER before AS gc_cycles_before,
      any(gc_forced_cycles) OVER before AS gc_forced_before,
      any(gc_pause_total_ns) OVER before AS gc_pause_before,
      row_number() OVER (PARTITION BY service, target ORDER BY time) > 1
        AND total_alloc_bytes >= total_alloc_before AND gc_cycles >= gc_cycles_before AS same_process,
      dateDiff('millisecond', time_before, time) / 1000 AS gap_seconds
    FROM heliograph.go_runtime
    -- the longest interval a target can have is an hour; the scrape before the window is needed for the first difference
    WHERE time >= {from:DateTime} - INTERVAL 3 HOUR AND time < {to:DateTime}
    WINDOW before AS (PARTITION BY service, target ORDER BY time ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)
  ),
  pairs AS (
    SELECT
      *,
      quantileExactLowIf(0.5)(gap_seconds, same_process) OVER (PARTITION BY service, target) AS usual_seconds,
      same_process AND gap_seconds <= 3 * usual_seconds AS joined
    FROM scrapes
  )
SELECT
  toDateTime(toStartOfInterval(p.time, toIntervalSecond(greatest({step:UInt32}, 1)))) AS time,
  service, target,
  max(p.heap_alloc_bytes) AS heap_alloc_bytes,
  max(p.heap_inuse_bytes) AS heap_inuse_bytes,
  max(p.heap_sys_bytes) AS heap_sys_bytes,
  max(p.heap_objects) AS heap_objects,
  max(p.next_gc_bytes) AS next_gc_bytes,
  max(p.stack_inuse_bytes) AS stack_inuse_bytes,
  max(p.sys_bytes) AS sys_bytes,
  sum(if(joined, p.total_alloc_bytes - total_alloc_before, NULL)) / sum(if(joined, gap_seconds, NULL)) AS alloc_rate_bytes,
  sum(if(joined, p.gc_cycles - gc_cycles_before, NULL)) AS gc_cycles,
  sum(if(joined, p.gc_forced_cycles - gc_forced_before, NULL)) AS gc_forced_cycles,
  sum(if(joined, p.gc_pause_total_ns - gc_pause_before, NULL)) / 1e6 AS gc_pause_ms,
  maxOrNullIf(arrayMax(pauses_ns), notEmpty(pauses_ns)) / 1e6 AS gc_pause_max_ms,
  max(p.last_gc) AS last_gc,
  argMax(p.gc_cpu_fraction, p.time) AS gc_cpu_fraction,
  count() AS scrapes
FROM pairs AS p
WHERE p.time >= {from:DateTime}
GROUP BY time, service, target;

-- Numeric variables of the targets' own: the last value of each step.
CREATE OR REPLACE VIEW boards.expvars {{on_cluster}} {{definer}} AS
SELECT
  toDateTime(toStartOfInterval(r.time, toIntervalSecond(greatest({step:UInt32}, 1)))) AS time,
  service, target,
  variable.1 AS name,
  argMax(variable.2, r.time) AS value
FROM heliograph.go_runtime AS r
ARRAY JOIN CAST(vars, 'Array(Tuple(String, Float64))') AS variable
WHERE r.time >= {from:DateTime} AND r.time < {to:DateTime}
GROUP BY time, service, target, name;

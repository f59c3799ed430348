-- How CI does. Definitions, denominators and known bias: README.md beside this file.

-- One row per attempt of a run, whatever the number and order of the messages about it. A message says when it was sent only by
-- what it holds (updated_at), and that the attempt is over only once: nothing that comes after opens it again.
CREATE OR REPLACE VIEW boards.ci_run_list {{on_cluster}} {{definer}} AS
WITH
  runs AS (
    SELECT
      repository, run_id, attempt,
      argMax(
        (workflow, branch, event, sha, status, conclusion),
        (
          status = 'completed',
          ifNull(r.updated_at, toDateTime64(0, 3)),
          multiIf(status = 'requested', 0, status = 'in_progress', 2, 1),
          received_at
        )
      ) AS latest,
      min(r.created_at) AS run_created_at,
      max(r.started_at) AS attempt_started_at, -- the first message of a re-run may still say when the run before it began
      minIf(r.updated_at, status = 'completed') AS attempt_ended_at,
      min(received_at) AS first_received_at,
      if(
        attempt > 1,
        coalesce(attempt_started_at, run_created_at, first_received_at),
        coalesce(run_created_at, attempt_started_at, first_received_at)
      ) AS time
    FROM heliograph.ci_runs AS r
    WHERE received_at >= {from:DateTime} - INTERVAL 1 DAY -- the decoder takes no time that lies further ahead
    GROUP BY repository, run_id, attempt
    HAVING time >= {from:DateTime} AND time < {to:DateTime}
  ),
  jobs AS (
    SELECT
      repository, run_id, attempt,
      groupArray((queued_at, begun_at, created_at, started_at, completed_at, skipped)) AS jobs
    FROM (
      SELECT
        repository, run_id, attempt, job_id,
        minOrNullIf(received_at, status = 'queued') AS queued_at,
        minOrNullIf(received_at, status = 'in_progress') AS begun_at,
        min(j.created_at) AS created_at,
        -- of a job that waits, GitHub's started_at is the time it was queued
        maxIf(j.started_at, status IN ('in_progress', 'completed')) AS started_at,
        max(j.completed_at) AS completed_at,
        countIf(conclusion = 'skipped') > 0 AS skipped
      FROM heliograph.ci_jobs AS j
      WHERE received_at >= {from:DateTime} - INTERVAL 1 DAY
      GROUP BY repository, run_id, attempt, job_id
    )
    GROUP BY repository, run_id, attempt
  ),
  -- seconds between two times, NULL where one is unknown
  (start, end) -> dateDiff('millisecond', start, end) / 1000 AS seconds_between,
  -- a message that came after the job's end is no witness of what came before
  (message, end) -> if(ifNull(message > end, 0), NULL, message) AS witness
SELECT
  time, repository, latest.1 AS workflow, run_id, attempt, latest.2 AS branch, latest.3 AS event, latest.4 AS sha,
  latest.5 AS status, latest.6 AS conclusion,
  if(raw_duration_s < 0, NULL, raw_duration_s) AS duration_s,
  if(empty(queues_s), NULL, arrayMax(queues_s)) AS queue_s,
  multiIf(duration_s IS NULL, '', from_jobs, 'jobs', 'run') AS duration_source,
  length(own) AS jobs,
  arraySort(arrayMap(queue -> assumeNotNull(queue), arrayFilter(queue -> queue >= 0, raw_queues))) AS queues_s,
  arrayCount(queue -> ifNull(queue < 0, 0), raw_queues) AS queue_negative_count
FROM (
  SELECT
    time, repository, run_id, attempt, latest,
    -- a re-run repeats the jobs of earlier attempts that it does not run again: they were over before it began
    arrayFilter(
      job -> NOT job.6
        AND NOT (attempt > 1 AND (ifNull(job.5 < attempt_started_at, 0) OR ifNull(job.5 < job.3, 0))),
      jobs.jobs
    ) AS own,
    notEmpty(own) AND arrayAll(job -> job.4 IS NOT NULL AND job.5 IS NOT NULL, own) AS from_jobs,
    multiIf(
      latest.5 != 'completed', NULL,
      from_jobs, seconds_between(arrayMin(job -> assumeNotNull(job.4), own), arrayMax(job -> assumeNotNull(job.5), own)),
      seconds_between(attempt_started_at, attempt_ended_at)
    ) AS raw_duration_s,
    arrayMap(
      job -> multiIf(
        witness(job.1, job.5) IS NOT NULL AND witness(job.2, job.5) IS NOT NULL, seconds_between(job.1, job.2),
        job.3 != job.4, seconds_between(job.3, job.4), -- equal: the time it was queued, said twice
        seconds_between(job.3, witness(job.2, job.5))
      ),
      own
    ) AS raw_queues
  FROM runs
  LEFT JOIN jobs USING (repository, run_id, attempt)
);

-- The same attempts, by workflow and step.
CREATE OR REPLACE VIEW boards.ci_workflows {{on_cluster}} {{definer}} AS
SELECT
  toDateTime(toStartOfInterval(r.time, toIntervalSecond(greatest({step:UInt32}, 1)))) AS time,
  repository, workflow,
  count() AS runs,
  countIf(status = 'completed' AND conclusion = 'success') AS success_count,
  countIf(status = 'completed' AND conclusion IN ('failure', 'timed_out')) AS failure_count,
  countIf(status = 'completed' AND ifNull(conclusion NOT IN ('success', 'failure', 'timed_out'), 1)) AS other_count,
  countIf(status != 'completed') AS running_count,
  if(success_count + failure_count = 0, NULL, success_count / (success_count + failure_count)) AS success_ratio,
  quantileExact(0.50)(duration_s) AS duration_p50_s,
  quantileExact(0.95)(duration_s) AS duration_p95_s,
  if(queue_count = 0, NULL, quantileExactArray(0.50)(queues_s)) AS queue_p50_s,
  if(queue_count = 0, NULL, quantileExactArray(0.95)(queues_s)) AS queue_p95_s,
  countIf(attempt > 1) AS rerun_count,
  count(duration_s) AS duration_count,
  sum(length(queues_s)) AS queue_count,
  sum(r.queue_negative_count) AS queue_negative_count
FROM boards.ci_run_list(from = {from:DateTime}, to = {to:DateTime}) AS r
GROUP BY time, repository, workflow;

-- What CI said and what was deployed. Rows are what a sender told us, one per message; a run, a job or a deployment is what its
-- messages come to (analyzers/ci, analyzers/deploys), so that a message told twice is still one run.

-- One row per delivery about a workflow run; one that is sent again keeps a row of its own, as the first of them tells the time and
-- must not be replaced. `received_at` of its first `queued` or `in_progress` delivery is the only honest
-- start of either: GitHub's own `started_at` of a queued job is the time it was queued.
CREATE TABLE IF NOT EXISTS {{local heliograph.ci_runs}} {{on_cluster}} (
  provider LowCardinality(String), -- 'github'
  repository LowCardinality(String), -- as the provider names it: 'owner/name'
  run_id UInt64,
  attempt UInt32, -- 1 for the first run, more for a re-run
  delivery String, -- the sender's idempotency key
  workflow LowCardinality(String), -- its name
  event LowCardinality(String), -- what started it: 'push', 'pull_request', …
  branch String,
  sha String, -- head commit, lower hex
  status LowCardinality(String), -- 'requested', 'queued', 'in_progress', 'completed', or what the provider says next year
  conclusion LowCardinality(Nullable(String)), -- NULL while it runs
  created_at Nullable(DateTime64(3)),
  started_at Nullable(DateTime64(3)), -- of this attempt
  updated_at Nullable(DateTime64(3)),
  received_at DateTime64(3)
) ENGINE = {{engine ReplacingMergeTree}}
PARTITION BY toYYYYMM(received_at)
ORDER BY (repository, run_id, attempt, delivery, received_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.ci_runs by cityHash64(repository, run_id)}};

-- One row per delivery about a job of a run.
CREATE TABLE IF NOT EXISTS {{local heliograph.ci_jobs}} {{on_cluster}} (
  provider LowCardinality(String),
  repository LowCardinality(String),
  run_id UInt64,
  attempt UInt32,
  job_id UInt64,
  delivery String,
  workflow LowCardinality(String), -- '' where the provider does not say
  name LowCardinality(String),
  branch String,
  sha String,
  labels Array(LowCardinality(String)), -- of the runner that is asked for
  status LowCardinality(String),
  conclusion LowCardinality(Nullable(String)),
  created_at Nullable(DateTime64(3)),
  started_at Nullable(DateTime64(3)),
  completed_at Nullable(DateTime64(3)),
  received_at DateTime64(3)
) ENGINE = {{engine ReplacingMergeTree}}
PARTITION BY toYYYYMM(received_at)
ORDER BY (repository, run_id, attempt, job_id, delivery, received_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.ci_jobs by cityHash64(repository, run_id)}};

-- One row per deploy event; a later event of the same id says how it went on.
CREATE TABLE IF NOT EXISTS {{local heliograph.deployments}} {{on_cluster}} (
  id String, -- the sender's
  service LowCardinality(String),
  environment LowCardinality(String),
  version String, -- '' where absent
  sha String, -- '' where absent
  repository LowCardinality(String), -- '' where absent
  status LowCardinality(String), -- '' where absent
  kind LowCardinality(Nullable(String)), -- 'planned', 'rollback', 'hotfix'; NULL where unknown
  started_at Nullable(DateTime64(3)),
  finished_at Nullable(DateTime64(3)),
  received_at DateTime64(3)
) ENGINE = {{engine ReplacingMergeTree}}
PARTITION BY toYYYYMM(received_at)
ORDER BY (service, environment, id, status, received_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.deployments by cityHash64(service, environment, id)}};

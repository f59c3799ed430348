-- What the pollers saw: every poll, every stack once, samples by the stack's hash, and the runtime's own figures.

-- One row per request to a target, whatever came of it. It is what coverage of a target, and the zeroes of a stack that was
-- absent from a poll, are computed from.
CREATE TABLE IF NOT EXISTS {{local heliograph.target_polls}} {{on_cluster}} (
  time DateTime64(3) CODEC(Delta, ZSTD(1)), -- when the request began
  service LowCardinality(String),
  target LowCardinality(String),
  kind LowCardinality(String), -- 'goroutine', 'cpu', 'expvar', …
  outcome LowCardinality(String), -- 'ok', 'not_mounted', or what went wrong in one word
  reason String CODEC(ZSTD(1)), -- the same for people, '' for ok
  duration_ms Float64 CODEC(ZSTD(1)), -- of the request
  bytes UInt64 CODEC(T64, ZSTD(1)), -- of the answer, as received
  total Nullable(Int64) CODEC(ZSTD(1)) -- sum of the profile's first sample type: goroutines, CPU samples; NULL where nothing was read
) ENGINE = {{engine MergeTree}}
PARTITION BY toDate(time)
ORDER BY (service, target, kind, time)
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.target_polls by cityHash64(service, target)}};

-- Each stack of a service once. It is written again each day it is seen, so that its TTL follows its samples.
CREATE TABLE IF NOT EXISTS {{local heliograph.stacks}} {{on_cluster}} (
  service LowCardinality(String),
  stack String, -- 128-bit hash over the functions from root to leaf, 32 lower hex digits
  functions Array(LowCardinality(String)) CODEC(ZSTD(1)), -- root first, inlined frames included
  locations Array(String) CODEC(ZSTD(1)), -- 'file:line' beside each function, as last seen
  seen_at DateTime
) ENGINE = {{engine ReplacingMergeTree(seen_at)}}
ORDER BY (service, stack)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.stacks by cityHash64(service, stack)}};

CREATE TABLE IF NOT EXISTS {{local heliograph.profile_samples}} {{on_cluster}} (
  time DateTime64(3) CODEC(Delta, ZSTD(1)), -- `time` of its row in target_polls
  service LowCardinality(String),
  target LowCardinality(String),
  profile LowCardinality(String), -- 'cpu', 'goroutine', …
  sample_type LowCardinality(String), -- 'samples', 'cpu', 'goroutine', …
  unit LowCardinality(String), -- 'count', 'nanoseconds', 'bytes'
  stack LowCardinality(String), -- of heliograph.stacks
  value Int64 CODEC(T64, ZSTD(1))
) ENGINE = {{engine MergeTree}}
PARTITION BY toDate(time)
ORDER BY (service, profile, sample_type, stack, target, time)
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.profile_samples by cityHash64(service, stack)}};

-- One row per scrape of /debug/vars. Every figure of memstats is NULL where the target has none. Names are runtime.MemStats'.
CREATE TABLE IF NOT EXISTS {{local heliograph.go_runtime}} {{on_cluster}} (
  time DateTime64(3) CODEC(Delta, ZSTD(1)),
  service LowCardinality(String),
  target LowCardinality(String),
  heap_alloc_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  heap_sys_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  heap_idle_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  heap_inuse_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  heap_released_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  heap_objects Nullable(UInt64) CODEC(ZSTD(1)),
  stack_inuse_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  sys_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  next_gc_bytes Nullable(UInt64) CODEC(ZSTD(1)),
  total_alloc_bytes Nullable(UInt64) CODEC(ZSTD(1)), -- since the process started, as mallocs, frees, GC cycles and pauses are
  mallocs Nullable(UInt64) CODEC(ZSTD(1)),
  frees Nullable(UInt64) CODEC(ZSTD(1)),
  gc_cycles Nullable(UInt64) CODEC(ZSTD(1)),
  gc_forced_cycles Nullable(UInt64) CODEC(ZSTD(1)),
  gc_pause_total_ns Nullable(UInt64) CODEC(ZSTD(1)),
  gc_cpu_fraction Nullable(Float64) CODEC(ZSTD(1)), -- since the process started
  last_gc Nullable(DateTime64(9)) CODEC(ZSTD(1)), -- NULL before the first cycle
  pauses_ns Array(UInt64) CODEC(ZSTD(1)), -- of the cycles since the scrape before, newest last, at most 256
  vars Map(LowCardinality(String), Float64) CODEC(ZSTD(1)) -- numeric variables of its own, nested names joined by '.'
) ENGINE = {{engine MergeTree}}
PARTITION BY toDate(time)
ORDER BY (service, target, time)
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.go_runtime by cityHash64(service, target)}};

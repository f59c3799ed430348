-- What came in, by whom and in which form, what was turned away and why, and how far behind the store was: a minute at a time.

-- One row per minute, process and sender; the row without signal, form, team and key is the process's own: its queue, its loads, and
-- what it refused without knowing whose it was. It is there for every minute in which the process ran, so a minute without it is
-- unknown and one with it in which nothing came is a true zero. Sender rows have NULL for the queue. A row told twice is the same row.
CREATE TABLE IF NOT EXISTS {{local heliograph.pipeline_minutes}} {{on_cluster}} (
  minute DateTime CODEC(Delta, ZSTD(1)),
  instance LowCardinality(String), -- drawn at each start of a process
  signal LowCardinality(String), -- 'otlp_traces'
  form LowCardinality(String), -- 'grpc', 'http/protobuf', 'http/json'
  team LowCardinality(String), -- '' where no key names one
  key LowCardinality(String), -- name of the API key, token subject or certificate; '(other)' beyond the first two hundred
  acked_bodies UInt64 CODEC(T64, ZSTD(1)),
  duplicate_bodies UInt64 CODEC(T64, ZSTD(1)), -- stored before; of the other counts only `bytes` holds them
  slow_lane_bodies UInt64 CODEC(T64, ZSTD(1)), -- of the acked ones, those that had to be rewritten
  bytes UInt64 CODEC(T64, ZSTD(1)), -- of acked and duplicate bodies, decompressed, before rewriting
  acked_spans UInt64 CODEC(T64, ZSTD(1)),
  duplicate_spans UInt64 CODEC(T64, ZSTD(1)),
  clock_skew_spans UInt64 CODEC(T64, ZSTD(1)), -- of the acked ones, those that end before they start
  rejected_spans Map(LowCardinality(String), UInt64) CODEC(ZSTD(1)), -- reason -> spans of acked bodies
  refused_bodies Map(LowCardinality(String), UInt64) CODEC(ZSTD(1)), -- reason -> bodies and requests
  backlog_bytes_max Nullable(UInt64) CODEC(ZSTD(1)), -- bodies that wait for the store
  backlog_bytes_last Nullable(UInt64) CODEC(ZSTD(1)),
  backlog_segments_max Nullable(UInt64) CODEC(ZSTD(1)),
  backlog_segments_last Nullable(UInt64) CODEC(ZSTD(1)),
  oldest_age_max_ms Nullable(UInt64) CODEC(ZSTD(1)), -- of the body that waits longest; 0 where none waits
  oldest_age_last_ms Nullable(UInt64) CODEC(ZSTD(1)),
  loaded_segments UInt64 CODEC(T64, ZSTD(1)), -- of every signal
  loaded_spans UInt64 CODEC(T64, ZSTD(1)),
  loaded_bytes UInt64 CODEC(T64, ZSTD(1)),
  load_ms UInt64 CODEC(T64, ZSTD(1)),
  quarantined_bodies UInt64 CODEC(T64, ZSTD(1)),
  freshness_bins Map(Int16, UInt64) CODEC(ZSTD(1)) -- bins of heliograph.span_latency_1m -> OTLP segments
) ENGINE = {{engine ReplacingMergeTree}}
PARTITION BY toDate(minute)
ORDER BY (minute, instance, signal, form, team, key)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.pipeline_minutes by cityHash64(instance)}};

-- What was dropped because the disk may hold no more (`disk.capGiB`), so that a gap on a board has a reason. Kept for good: a row a day.
CREATE TABLE IF NOT EXISTS {{local heliograph.disk_drops}} {{on_cluster}} (
  time DateTime64(3),
  kind LowCardinality(String), -- 'spans', 'profiles', 'rollups', 'records'
  table LowCardinality(String), -- 'otel.otel_traces'
  partition String, -- the engine's id of it: '20261103', '202611'
  first_day Date, -- days that it held
  last_day Date,
  rows UInt64,
  bytes UInt64, -- compressed, on disk
  used_bytes UInt64, -- tables and journal before the drop
  cap_bytes UInt64
) ENGINE = {{engine ReplacingMergeTree}}
PARTITION BY toYear(time)
ORDER BY (time, table, partition)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.disk_drops by cityHash64(table)}};

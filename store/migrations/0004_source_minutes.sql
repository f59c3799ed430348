-- In which minutes each source is known to have been received or collected. Coverage is the share of a window's minutes
-- that stand here: a minute without a row is unknown, not empty.
CREATE TABLE IF NOT EXISTS {{local heliograph.source_minutes}} {{on_cluster}} (
  source LowCardinality(String), -- 'otlp_traces', …
  team LowCardinality(String),
  minute DateTime
) ENGINE = {{engine ReplacingMergeTree}}
PARTITION BY toYYYYMM(minute)
ORDER BY (source, team, minute)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.source_minutes by cityHash64(source)}};

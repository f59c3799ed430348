-- What the alerts did. The state machine keeps its own state in the data directory; this is its record.

-- One row per transition of an alert.
CREATE TABLE IF NOT EXISTS {{local heliograph.alerts}} {{on_cluster}} (
  fingerprint String, -- hash over rule and labels
  rule LowCardinality(String),
  status LowCardinality(String), -- 'pending', 'firing', 'resolved'
  labels Map(LowCardinality(String), String),
  summary String, -- one sentence
  starts_at DateTime64(3), -- when it became pending; with the fingerprint it names one alert
  ends_at Nullable(DateTime64(3)), -- NULL until it is resolved
  changed_at DateTime64(3), -- when it took this status
  evidence String -- JSON: what the rule saw
) ENGINE = {{engine ReplacingMergeTree(changed_at)}}
PARTITION BY toYYYYMM(starts_at)
ORDER BY (rule, fingerprint, starts_at, status)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.alerts by cityHash64(fingerprint)}};

-- One row per attempt to tell a receiver.
CREATE TABLE IF NOT EXISTS {{local heliograph.alert_deliveries}} {{on_cluster}} (
  time DateTime64(3),
  receiver LowCardinality(String),
  idempotency_key String, -- the same for every attempt of one message
  fingerprint String,
  starts_at DateTime64(3),
  status LowCardinality(String),
  attempt UInt32,
  outcome LowCardinality(String), -- 'delivered', 'refused', 'unreachable', 'timeout', 'redirected', 'no_secret', 'gave_up'
  http_status Nullable(UInt16)
) ENGINE = {{engine ReplacingMergeTree}}
PARTITION BY toYYYYMM(time)
ORDER BY (receiver, idempotency_key, attempt)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.alert_deliveries by cityHash64(fingerprint)}};

-- Git history. It can be rebuilt from its source, so it has no TTL. Authors are keyed pseudonyms; names and addresses stand in
-- `people` alone, encrypted.

CREATE TABLE IF NOT EXISTS {{local heliograph.commits}} {{on_cluster}} (
  repository LowCardinality(String), -- its configured name
  sha String,
  parents Array(String),
  author String, -- pseudonym, after .mailmap
  committer String, -- pseudonym
  co_authors Array(String), -- pseudonyms, from Co-authored-by trailers, after .mailmap
  bot_rule LowCardinality(String), -- the rule by which the author is a bot; '' for a human
  agent_assisted Bool, -- a trailer names a coding agent; a lower bound
  author_time DateTime64(0, 'UTC') CODEC(Delta, ZSTD(1)),
  author_offset_min Int16, -- the author's UTC offset
  commit_time DateTime64(0, 'UTC') CODEC(Delta, ZSTD(1)),
  commit_offset_min Int16,
  time_quality LowCardinality(String), -- 'author', or 'merge_click' where a web merge set the author's time
  additions UInt64, -- lines, binary files not counted; merges against their first parent
  deletions UInt64,
  files UInt32,
  binary_files UInt32,
  renames UInt32,
  gone Bool, -- no longer reachable: its branch was rewritten
  version UInt64 -- when it was collected, Unix ms
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY toYear(commit_time)
ORDER BY (repository, sha)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.commits by cityHash64(repository, sha)}};

CREATE TABLE IF NOT EXISTS {{local heliograph.commit_files}} {{on_cluster}} (
  repository LowCardinality(String),
  sha String,
  commit_time DateTime64(0, 'UTC') CODEC(Delta, ZSTD(1)),
  path String CODEC(ZSTD(1)), -- as git prints it; quoted where it is not UTF-8
  old_path String CODEC(ZSTD(1)), -- of a rename or copy, '' otherwise
  status LowCardinality(String), -- A, M, D, R, C, T
  additions Nullable(UInt32), -- NULL for a binary file
  deletions Nullable(UInt32),
  version UInt64
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY toYear(commit_time)
ORDER BY (repository, path, sha)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.commit_files by cityHash64(repository, sha)}};

-- Up to which commit a repository has been collected.
CREATE TABLE IF NOT EXISTS {{local heliograph.git_tips}} {{on_cluster}} (
  repository LowCardinality(String),
  branch String,
  tip String, -- sha
  collected_at DateTime64(3)
) ENGINE = {{engine ReplacingMergeTree(collected_at)}}
ORDER BY repository
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.git_tips by cityHash64(repository)}};

-- Commits that are contained in the head of a completed CI run; a commit without a row is one of which no run is known.
CREATE TABLE IF NOT EXISTS {{local heliograph.commit_ci}} {{on_cluster}} (
  repository LowCardinality(String),
  sha String,
  successful Bool, -- contained in the head of at least one successful run
  version UInt64 -- when it was computed, Unix ms
) ENGINE = {{engine ReplacingMergeTree(version)}}
ORDER BY (repository, sha)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed heliograph.commit_ci by cityHash64(repository, sha)}};

-- The only place where a name or an address stands, and it stands there encrypted (AES-256-GCM, key in people.keyFile).
CREATE TABLE IF NOT EXISTS {{local people.identities}} {{on_cluster}} (
  pseudonym String,
  sealed String, -- base64 of nonce, ciphertext and tag over {"name", "email"}
  last_seen DateTime64(3)
) ENGINE = {{engine ReplacingMergeTree(last_seen)}}
ORDER BY pseudonym
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplication}};

{{distributed people.identities by cityHash64(pseudonym)}};

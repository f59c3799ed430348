-- What the tables take on disk now. Definitions and known bias: README.md beside this file.
-- Nothing of `people`, and no column that holds people: how many of them there are can be told from sizes.

-- One row per table of otel and heliograph that holds rows.
CREATE OR REPLACE VIEW boards.storage_tables {{on_cluster}} {{definer}} AS
WITH table LIKE 'otel\\_traces%' OR table LIKE 'span\\_%' AS holds_spans
SELECT
  database, table, rows, parts, bytes, uncompressed_bytes,
  if(data_bytes = 0, NULL, uncompressed_bytes / data_bytes) AS ratio,
  bytes / rows AS bytes_per_row,
  index_bytes,
  if(holds_spans AND spans > 0, bytes / spans, NULL) AS bytes_per_span
FROM (
  SELECT
    p.database AS database,
    p.table AS table,
    sum(p.rows) AS rows,
    count() AS parts,
    sum(p.bytes_on_disk) AS bytes,
    sum(p.data_compressed_bytes) AS data_bytes,
    sum(p.data_uncompressed_bytes) AS uncompressed_bytes,
    sum(p.secondary_indices_compressed_bytes) AS index_bytes,
    sumIf(rows, database = 'otel' AND startsWith(table, 'otel_traces') AND table NOT LIKE '%\\_ts%') OVER () AS spans
  FROM system.parts AS p
  WHERE p.active AND p.database IN ('otel', 'heliograph') AND p.table != 'migrations'
  GROUP BY database, table
)
WHERE rows > 0;

-- The same by column, from the parts of which the engine keeps columns apart (wide parts).
CREATE OR REPLACE VIEW boards.storage_columns {{on_cluster}} {{definer}} AS
SELECT
  database, table, column, type, rows, bytes, uncompressed_bytes,
  uncompressed_bytes / bytes AS ratio,
  bytes / rows AS bytes_per_row,
  bytes / sum(bytes) OVER (PARTITION BY database, table) AS share
FROM (
  SELECT
    c.database AS database,
    c.table AS table,
    c.column AS column,
    any(c.type) AS type,
    sum(c.rows) AS rows,
    sum(c.column_data_compressed_bytes) AS bytes,
    sum(c.column_data_uncompressed_bytes) AS uncompressed_bytes
  FROM system.parts_columns AS c
  WHERE c.active AND c.part_type = 'Wide' AND c.database IN ('otel', 'heliograph')
    AND c.column NOT IN ('author', 'committer', 'co_authors')
  GROUP BY database, table, column
)
WHERE rows > 0 AND bytes > 0;

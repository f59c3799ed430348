-- What was dropped to keep the disk under its cap. Definitions: README.md beside this file.
CREATE OR REPLACE VIEW boards.disk_drops {{on_cluster}} {{definer}} AS
SELECT
  time, kind, table, first_day, last_day, row_count, bytes, used_bytes, cap_bytes,
  concat(
    'dropped ', kind, ' of ', toString(first_day), if(first_day = last_day, '', concat(' to ', toString(last_day))),
    ' (', toString(row_count), ' rows, ', formatReadableSize(bytes), '): cap of ', formatReadableSize(cap_bytes)
  ) AS text
FROM (
  SELECT
    time, kind, table, any(disk_drops.first_day) AS first_day, any(disk_drops.last_day) AS last_day, any(disk_drops.rows) AS row_count,
    any(disk_drops.bytes) AS bytes, any(disk_drops.used_bytes) AS used_bytes, any(disk_drops.cap_bytes) AS cap_bytes
  FROM heliograph.disk_drops
  WHERE time >= {from:DateTime} AND time < {to:DateTime}
  GROUP BY time, kind, table, partition
);

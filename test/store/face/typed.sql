SELECT
  CAST('svc', 'LowCardinality(String)') AS low, 'text' AS text, toUInt8(1) AS u8, toUInt16(2) AS u16, toUInt32(3) AS u32,
  18446744073709551615::UInt64 AS u64, toInt8(-1) AS i8, toInt16(-2) AS i16, toInt32(-3) AS i32,
  toInt64('-9223372036854775808') AS i64, toFloat32(0.5) AS f32, 0.25 AS f64, toDateTime('2026-01-02 03:04:05') AS dt,
  toDateTime64('2026-01-02 03:04:05.123456789', 9) AS dt64, toDateTime64('2026-01-02 03:04:05.123', 3) AS dt3,
  toDate('2026-01-02') AS day, true AS yes, CAST(NULL, 'Nullable(Float64)') AS nothing,
  CAST(1.5, 'Nullable(Float64)') AS something, CAST('x', 'LowCardinality(Nullable(String))') AS low_or_null,
  ['a', 'b'] AS list, CAST(['x', 'y'], 'Array(LowCardinality(String))') AS lows, map('k', 'v') AS map,
  CAST(map('k', 'v'), 'Map(LowCardinality(String), String)') AS attributes, [map('k', 'v')] AS maps,
  map(toInt16(-1), toUInt64(7)) AS bins, ('a', 1, [2]) AS tuple,
  CAST(('a', 1), 'Tuple(name String, n UInt64)') AS named, [toDateTime64('2026-01-02 03:04:05.1', 9)] AS times,
  toUUID('11111111-2222-3333-4444-555555555555') AS id, CAST('b', 'Enum8(\'a\' = 1, \'b\' = 2)') AS enum,
  toFixedString('ab', 2) AS fixed, toDecimal64(1.25, 2) AS decimal

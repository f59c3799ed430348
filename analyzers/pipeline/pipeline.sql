-- What came in, what was turned away and why, how far behind the store was. Definitions, denominators and known bias: README.md beside
-- this file. Every window is whole minutes, from the minute that holds `from` to the last minute that starts before `to`. FINAL, as a
-- row may be told twice.

-- One row per step that has a minute of which anything is known; in it, what did not come is a true zero.
CREATE OR REPLACE VIEW boards.pipeline_over_time {{on_cluster}} {{definer}} AS
WITH 60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds
SELECT
  time, minutes,
  acked_bodies + duplicate_bodies + refused_bodies AS received_bodies,
  acked_bodies, duplicate_bodies, refused_bodies, slow_lane_bodies,
  bytes AS received_bytes,
  acked_spans + rejected_spans + duplicate_spans AS received_spans,
  acked_spans, rejected_spans, duplicate_spans, clock_skew_spans,
  loaded_segments, loaded_spans, loaded_bytes, load_seconds, quarantined_bodies,
  received_spans / (60 * minutes) AS received_rate,
  acked_spans / (60 * minutes) AS acked_rate,
  loaded_spans / (60 * minutes) AS loaded_rate,
  if(received_spans = 0, NULL, rejected_spans / received_spans) AS rejected_share,
  if(received_bodies = 0, NULL, duplicate_bodies / received_bodies) AS duplicate_share,
  if(received_bodies = 0, NULL, refused_bodies / received_bodies) AS refused_share,
  if(acked_bodies = 0, NULL, slow_lane_bodies / acked_bodies) AS slow_lane_share,
  backlog_bytes_max, backlog_segments_max, oldest_age_max_s
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time,
    uniqExact(minute) AS minutes,
    sum(m.acked_bodies) AS acked_bodies,
    sum(m.duplicate_bodies) AS duplicate_bodies,
    sum(arraySum(mapValues(m.refused_bodies))) AS refused_bodies,
    sum(m.slow_lane_bodies) AS slow_lane_bodies,
    sum(m.bytes) AS bytes,
    sum(m.acked_spans) AS acked_spans,
    sum(arraySum(mapValues(m.rejected_spans))) AS rejected_spans,
    sum(m.duplicate_spans) AS duplicate_spans,
    sum(m.clock_skew_spans) AS clock_skew_spans,
    sum(m.loaded_segments) AS loaded_segments,
    sum(m.loaded_spans) AS loaded_spans,
    sum(m.loaded_bytes) AS loaded_bytes,
    sum(m.load_ms) / 1000 AS load_seconds,
    sum(m.quarantined_bodies) AS quarantined_bodies,
    max(m.backlog_bytes_max) AS backlog_bytes_max,
    max(m.backlog_segments_max) AS backlog_segments_max,
    max(m.oldest_age_max_ms) / 1000 AS oldest_age_max_s
  FROM heliograph.pipeline_minutes AS m FINAL
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
  GROUP BY time
);

-- The queue at the end of the newest known minute, and what flowed in the five minutes up to it. No row where nothing is known of the
-- ten minutes before `to`.
CREATE OR REPLACE VIEW boards.pipeline_now {{on_cluster}} {{definer}} AS
SELECT
  time, minutes, acked_spans,
  acked_spans / (60 * minutes) AS acked_rate,
  loaded_spans / (60 * minutes) AS loaded_rate,
  backlog_bytes, backlog_segments, oldest_age_s
FROM (
  SELECT
    max(minute) AS time,
    uniqExactIf(minute, minute > newest - INTERVAL 5 MINUTE) AS minutes,
    sumIf(m.acked_spans, minute > newest - INTERVAL 5 MINUTE) AS acked_spans,
    sumIf(m.loaded_spans, minute > newest - INTERVAL 5 MINUTE) AS loaded_spans,
    maxIf(m.backlog_bytes_last, minute = newest) AS backlog_bytes,
    maxIf(m.backlog_segments_last, minute = newest) AS backlog_segments,
    maxIf(m.oldest_age_last_ms, minute = newest) / 1000 AS oldest_age_s
  FROM (
    SELECT *, max(minute) OVER () AS newest
    FROM heliograph.pipeline_minutes FINAL
    WHERE minute >= {to:DateTime} - INTERVAL 10 MINUTE AND minute < {to:DateTime}
  ) AS m
  HAVING count() > 0
);

-- Rejected spans by reason. A step of which anything is known has a row for every reason of the window.
CREATE OR REPLACE VIEW boards.pipeline_rejects {{on_cluster}} {{definer}} AS
WITH 60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds
SELECT
  time, reason,
  rejected[reason] AS spans,
  if(received = 0, NULL, spans / received) AS share,
  if(spans = 0, NULL, toDateTime(newest[reason])) AS last_seen,
  transform(
    reason,
    ['invalid_trace_id', 'invalid_span_id', 'invalid_parent_span_id', 'start_time_out_of_range'],
    [
      'Trace ids are 16 bytes and not all zero: the SDK, or what rewrites ids on the way, is at fault.',
      'Span ids are 8 bytes and not all zero: the SDK, or what rewrites ids on the way, is at fault.',
      'Parent ids are 8 bytes, or absent for a root span.',
      'Spans start within the retention of spans and at most an hour from now: set the sender’s clock, or shorten its queue.'
    ],
    'The answer to the sender (partial_success) says what to change.'
  ) AS mend
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time,
    sumMap(m.rejected_spans) AS rejected,
    maxMap(mapFromArrays(mapKeys(m.rejected_spans), arrayMap(_ -> toUInt32(minute), mapKeys(m.rejected_spans)))) AS newest,
    sum(m.acked_spans + m.duplicate_spans + arraySum(mapValues(m.rejected_spans))) AS received
  FROM heliograph.pipeline_minutes AS m FINAL
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
  GROUP BY time
)
ARRAY JOIN (
  SELECT groupUniqArrayArray(mapKeys(rejected_spans)) FROM heliograph.pipeline_minutes
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
) AS reason;

-- Refused bodies and requests by reason, in the same way.
CREATE OR REPLACE VIEW boards.pipeline_refusals {{on_cluster}} {{definer}} AS
WITH 60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds
SELECT
  time, reason,
  refused[reason] AS bodies,
  if(received = 0, NULL, bodies / received) AS share,
  if(bodies = 0, NULL, toDateTime(newest[reason])) AS last_seen,
  (reason IN ('too_busy', 'deadline_exceeded', 'journal_full', 'journal_unavailable', 'shutting_down')
    OR startsWith(reason, 'over_budget')) AS comes_again,
  transform(
    reason,
    [
      'bad_request', 'bad_framing', 'bad_encoding', 'bad_http', 'grpc_on_http_port', 'wrong_path', 'unauthenticated',
      'method_not_allowed', 'signal_not_supported', 'body_too_large', 'unsupported_media_type', 'unsupported_encoding',
      'too_busy', 'deadline_exceeded', 'journal_full', 'journal_unavailable', 'shutting_down', 'internal', 'forbidden',
      'bad_grpc'
    ],
    [
      'The request breaks a rule of OTLP; its answer names field and rule.',
      'Not a well-formed protobuf message: look for a proxy that cuts or changes bodies.',
      'The body is not compressed as its Content-Encoding says: look for a proxy that unpacks it.',
      'Not HTTP at all: TLS on a plain port, or a probe.',
      'gRPC on the HTTP port: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or the endpoint to the gRPC port.',
      'Nothing is at that path: set OTEL_EXPORTER_OTLP_ENDPOINT without a path, or the traces endpoint with /v1/traces.',
      'No token, or another: set OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20… at the sender.',
      'OTLP is sent by POST; a probe or a browser asks otherwise.',
      'This signal is not collected: set OTEL_METRICS_EXPORTER=none and OTEL_LOGS_EXPORTER=none.',
      'Over 16 MiB unpacked: lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE.',
      'Not a content type of OTLP: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.',
      'Compress with gzip or not at all: set OTEL_EXPORTER_OTLP_COMPRESSION=gzip.',
      'Too much at once, above all on the slow lane; the sender retries. Bad when it lasts: send flat protobuf, or less.',
      'The sender gave up before its body was durable, and retries: raise OTEL_EXPORTER_OTLP_TIMEOUT, or look at the disk.',
      'Disk or backlog is full; senders retry and nothing acked is lost. Free space, or look why the store is behind.',
      'The disk did not take the body in time; senders retry. Look at the disk.',
      'Heliograph was stopping; senders retry.',
      'A fault of Heliograph; the log has the details.',
      'Known, but not let in: the rules under auth name no team for it, or two.',
      'The call breaks the rules of gRPC: look for a proxy that does not speak HTTP/2 end to end.'
    ],
    multiIf(
      startsWith(reason, 'over_budget'),
      'The key has spent its budget; the sender retries. Bad when it lasts: raise the budget of the key, or sample.',
      match(reason, '^(jwt|key|certificate)_'),
      'What it showed to be let in was not accepted, for this very reason: issue it anew, or mend auth in heliograph.yaml.',
      'docs/ERRORS.md says what to change.'
    )
  ) AS mend
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time,
    sumMap(m.refused_bodies) AS refused,
    maxMap(mapFromArrays(mapKeys(m.refused_bodies), arrayMap(_ -> toUInt32(minute), mapKeys(m.refused_bodies)))) AS newest,
    sum(m.acked_bodies + m.duplicate_bodies + arraySum(mapValues(m.refused_bodies))) AS received
  FROM heliograph.pipeline_minutes AS m FINAL
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
  GROUP BY time
)
ARRAY JOIN (
  SELECT groupUniqArrayArray(mapKeys(refused_bodies)) FROM heliograph.pipeline_minutes
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
) AS reason;

-- Who sends what.
CREATE OR REPLACE VIEW boards.pipeline_senders {{on_cluster}} {{definer}} AS
SELECT
  team, key, form, signals, spans,
  if(sum(spans) OVER () = 0, NULL, spans / sum(spans) OVER ()) AS share,
  bytes, bodies,
  if(bodies = 0, NULL, spans / bodies) AS spans_per_body,
  rejected_spans, refused_bodies, duplicate_bodies, slow_lane_bodies, clock_skew_spans, last_seen
FROM (
  SELECT
    team, key, form,
    arraySort(groupUniqArrayIf(toString(signal), signal != '')) AS signals,
    sum(m.acked_spans) AS spans,
    sum(m.bytes) AS bytes,
    sum(m.acked_bodies) AS bodies,
    sum(arraySum(mapValues(m.rejected_spans))) AS rejected_spans,
    sum(arraySum(mapValues(m.refused_bodies))) AS refused_bodies,
    sum(m.duplicate_bodies) AS duplicate_bodies,
    sum(m.slow_lane_bodies) AS slow_lane_bodies,
    sum(m.clock_skew_spans) AS clock_skew_spans,
    max(minute) AS last_seen
  FROM heliograph.pipeline_minutes AS m FINAL
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime} AND form != ''
  GROUP BY team, key, form
);

-- How long it took from the first ack of a segment until it could be queried. No row where nothing was loaded.
CREATE OR REPLACE VIEW boards.pipeline_freshness {{on_cluster}} {{definer}} AS
WITH
  1.01 / 0.99 AS gamma,
  60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds,
  (keys, cumulative, n, q) -> keys[arrayFirstIndex(c -> c >= ceil(q * n), cumulative)] AS bin_at,
  bin -> if(bin < 0, 0., 2 * pow(gamma, bin) / (gamma + 1) / 1e6) AS bin_ms
SELECT
  time, segments,
  bin_ms(bin_at(mapKeys(bins), arrayCumSum(mapValues(bins)), segments, 0.50)) AS p50_ms,
  bin_ms(bin_at(mapKeys(bins), arrayCumSum(mapValues(bins)), segments, 0.99)) AS p99_ms,
  bin_ms(arrayMax(mapKeys(bins))) AS max_ms,
  bins,
  0.01 AS relative_error
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time,
    sumMap(m.freshness_bins) AS bins,
    arraySum(mapValues(bins)) AS segments
  FROM heliograph.pipeline_minutes AS m FINAL
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime}
  GROUP BY time
)
WHERE segments > 0;

-- Which bodies had to be rewritten before the engine could read them, by form.
CREATE OR REPLACE VIEW boards.pipeline_slow_lane {{on_cluster}} {{definer}} AS
WITH 60 * toUInt32(ceil(greatest({step:UInt32}, 1) / 60)) AS step_seconds
SELECT time, form, bodies, slow_lane_bodies, slow_lane_bodies / bodies AS share
FROM (
  SELECT
    toStartOfInterval(minute, toIntervalSecond(step_seconds)) AS time, form,
    sum(m.acked_bodies) AS bodies,
    sum(m.slow_lane_bodies) AS slow_lane_bodies
  FROM heliograph.pipeline_minutes AS m FINAL
  WHERE minute >= toStartOfMinute({from:DateTime}) AND minute < {to:DateTime} AND form != ''
  GROUP BY time, form
)
WHERE bodies > 0;

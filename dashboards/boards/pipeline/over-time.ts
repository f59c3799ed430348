/** The panels of the Pipeline board over time. */
import { timeseries } from '../../kit/panels.ts';
import type { ViewQuery } from '../../kit/query.ts';
import { NOT_KNOWN } from './texts.ts';

const HALF = { width: 12, height: 9 };

const overTime = (...values: string[]): ViewQuery => ({
  view: 'pipeline_over_time',
  step: 'interval',
  select: ['time', ...values],
  orderBy: ['time'],
});

export const flow = () =>
  timeseries({
    ...HALF,
    id: 9,
    title: 'Spans per second',
    unit: 'short',
    plain: true,
    description:
      'Received are those of every body that was answered with an ack, acked those that are durable, loaded those that can be queried. Bad: received above acked (rejects and retries), acked above loaded for long (the store is behind). A gap is a time in which Heliograph did not run.',
    noValue: NOT_KNOWN,
    colors: { received: 'purple', acked: 'green', loaded: 'blue' },
    query: overTime('received_rate AS received', 'acked_rate AS acked', 'loaded_rate AS loaded'),
  });

export const freshness = () =>
  timeseries({
    ...HALF,
    id: 10,
    title: 'Freshness',
    unit: 'ms',
    plain: true,
    description:
      'From the first ack of a segment until it can be queried, by the minute in which it was loaded, from mergeable log bins with at most 1 % relative error. Bad: a p99 above 2 s. A gap is a time in which no spans were loaded.',
    noValue:
      'No segment of spans was loaded in this range. What was acked is durable; run heliograph doctor if it stays so.',
    colors: { p50: 'blue', p99: 'orange' },
    query: {
      view: 'pipeline_freshness',
      step: 'interval',
      select: ['time', 'p50_ms AS p50', 'p99_ms AS p99'],
      orderBy: ['time'],
    },
  });

export const rejects = () =>
  timeseries({
    ...HALF,
    id: 11,
    title: 'Spans rejected, by reason',
    unit: 'short',
    bars: true,
    description:
      'Spans in each bucket that broke a rule, by the first they break; their neighbours in the same body are stored. Bad: those that stay. Start times out of range are a clock that is wrong, or a queue that is days long.',
    noValue:
      'No span was rejected in this range, as far as it is known; the share received stands in the foot of the page.',
    query: {
      view: 'pipeline_rejects',
      step: 'interval',
      select: ['time', 'reason', 'spans AS Value'],
      orderBy: ['time', 'reason'],
    },
  });

export const refusals = () =>
  timeseries({
    ...HALF,
    id: 12,
    title: 'Requests refused, by reason',
    unit: 'short',
    bars: true,
    description:
      'Bodies and requests in each bucket that were refused whole. After journal_full, journal_unavailable, too_busy and shutting_down a sender that keeps to OTLP comes again; after all others its spans are lost. Bad: those that stay.',
    noValue:
      'No request was refused in this range, as far as it is known; the share received stands in the foot of the page.',
    query: {
      view: 'pipeline_refusals',
      step: 'interval',
      select: ['time', 'reason', 'bodies AS Value'],
      orderBy: ['time', 'reason'],
    },
  });

export const queueDepth = () =>
  timeseries({
    ...HALF,
    id: 13,
    title: 'Waiting for the store',
    unit: 'bytes',
    description:
      'Most bytes that were acked but not yet in the store, in each bucket, looked at every ten seconds and after every load. Bad: a line that climbs; at journal.maxBacklogGiB senders are told to wait.',
    noValue: NOT_KNOWN,
    query: overTime('backlog_bytes_max AS waiting'),
  });

export const oldestAge = () =>
  timeseries({
    ...HALF,
    id: 14,
    title: 'Age of what waits longest',
    unit: 's',
    description:
      'Highest age of the oldest body that waits for the store, in each bucket; 0 where none waits. Bad: above a few seconds; a line that climbs with the clock is a store that takes nothing.',
    noValue: NOT_KNOWN,
    query: overTime('oldest_age_max_s AS oldest'),
  });

export const duplicates = () =>
  timeseries({
    ...HALF,
    id: 15,
    title: 'Duplicate bodies',
    unit: 'short',
    bars: true,
    description:
      'Bodies in each bucket whose very bytes had been stored before: acked, not stored again. Bad: more than a few; senders give up waiting before they are answered.',
    noValue: NOT_KNOWN,
    query: overTime('duplicate_bodies AS duplicates'),
  });

export const slowLane = () =>
  timeseries({
    ...HALF,
    id: 16,
    title: 'Slow lane, by form',
    unit: 'percentunit',
    plain: true,
    max: 1,
    description:
      'Share of the bodies acked in each bucket that had to be rewritten, by form: all of OTLP JSON, and protobuf with nested attribute values. Bad: a protobuf line above 0 after a deploy; somebody sets attributes that nest.',
    noValue: 'No body was acked in this range. Send traces to http://localhost:4318.',
    query: {
      view: 'pipeline_slow_lane',
      step: 'interval',
      select: ['time', 'form', 'share AS Value'],
      orderBy: ['time', 'form'],
    },
  });

import { beforeEach, describe, expect, test } from 'vitest';
import type { PipelineMinuteRow, RowSink } from '../../../core/rows.ts';
import type { Acceptance } from '../../../ingest/doors/ledger.ts';
import { createPipelineBook, type PipelineBook } from '../../../ingest/pipeline/book.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const START = Date.parse('2026-01-01T00:00:10Z');
const MINUTE = START / 1000 - 10;

let clock: FakeClock;
let book: PipelineBook;
let appends: PipelineMinuteRow[][];
let broken: boolean;
const sink: RowSink = {
  append: async (_signal, rows) => {
    if (broken) throw new Error('disk full');
    appends.push([...rows] as unknown as PipelineMinuteRow[]);
  },
};

beforeEach(() => {
  clock = new FakeClock(START);
  book = createPipelineBook(clock, 'boot', ['otlp_traces']);
  appends = [];
  broken = false;
});

const body = (overrides: Partial<Acceptance> = {}): Acceptance => ({
  signal: 'otlp_traces',
  bytes: 100,
  spans: 10,
  clockSkew: 1,
  slowLane: false,
  duplicate: false,
  door: 'otlp_http',
  format: 'protobuf',
  sender: { team: 'shop', key: 'ci' },
  rejected: {},
  ...overrides,
});

const rowOf = (rows: readonly PipelineMinuteRow[] | undefined, form: string, key = 'ci') =>
  rows?.find((row) => row.form === form && row.key === key);

describe('a minute', () => {
  test('is written once, when it is over, in one append', async () => {
    book.accepted(body());
    const rejected = { invalid_trace_id: 2, invalid_span_id: 1, invalid_parent_span_id: 0 };
    book.accepted(body({ spans: 5, slowLane: true, rejected }));
    book.accepted(body({ duplicate: true, rejected: { invalid_trace_id: 9 } }));
    await book.write(sink);
    expect(appends).toEqual([]);
    await clock.advance(50_000);
    await book.write(sink);
    await book.write(sink);
    expect(appends).toHaveLength(1);
    expect(rowOf(appends[0], 'http/protobuf')).toMatchObject({
      minute: MINUTE,
      instance: 'boot',
      signal: 'otlp_traces',
      team: 'shop',
      acked_bodies: 2,
      duplicate_bodies: 1,
      slow_lane_bodies: 1,
      bytes: 300,
      acked_spans: 15,
      duplicate_spans: 10,
      clock_skew_spans: 2,
      rejected_spans: { invalid_trace_id: 2, invalid_span_id: 1 },
      refused_bodies: {},
      backlog_bytes_max: null,
      loaded_spans: 0,
    });
    expect(Object.keys(rowOf(appends[0], 'http/protobuf')?.rejected_spans ?? {})).toHaveLength(2);
  });

  test('parts forms, and senders', async () => {
    book.accepted(body({ door: 'otlp_grpc' }));
    book.accepted(body({ format: 'json', spans: 3 }));
    book.accepted(body({ sender: { team: 'shop', key: 'nightly' }, spans: 4 }));
    await book.write(sink, true);
    const told = appends[0]?.map(({ form, key, acked_spans }) => [form, key, acked_spans]);
    expect(told?.toSorted()).toEqual([
      ['', '', 0],
      ['grpc', 'ci', 10],
      ['http/json', 'ci', 3],
      ['http/protobuf', 'nightly', 4],
    ]);
  });

  test('in which the process ran and nothing came has its own row alone, and one that it slept through has none', async () => {
    book.sampled({ bytes: 0, segments: 0, oldestMs: null });
    await clock.advance(4 * 60_000);
    book.sampled({ bytes: 0, segments: 0, oldestMs: null });
    await clock.advance(60_000);
    await book.write(sink);
    expect(appends[0]?.map(({ minute, form }) => [minute, form])).toEqual([
      [MINUTE, ''],
      [MINUTE + 240, ''],
    ]);
    expect(appends[0]?.[0]).toMatchObject({ backlog_bytes_max: 0, oldest_age_max_ms: 0, acked_spans: 0 });
  });

  test('is cut short by the end, so that nothing of it is lost', async () => {
    book.accepted(body());
    await book.write(sink, true);
    expect(rowOf(appends[0], 'http/protobuf')?.acked_spans).toBe(10);
  });

  test('that could not be appended goes with the next', async () => {
    book.accepted(body());
    broken = true;
    await clock.advance(60_000);
    await expect(book.write(sink)).rejects.toThrow('disk full');
    book.accepted(body({ spans: 1 }));
    broken = false;
    await clock.advance(60_000);
    await book.write(sink);
    expect(appends).toHaveLength(1);
    expect(
      appends[0]?.filter(({ form }) => form !== '').map(({ minute, acked_spans }) => [minute, acked_spans]),
    ).toEqual([
      [MINUTE, 10],
      [MINUTE + 60, 1],
    ]);
  });

  test('is never written over when the clock steps back', async () => {
    await clock.advance(60_000);
    book.accepted(body());
    clock.stepWall(-60_000);
    book.accepted(body());
    clock.stepWall(120_000);
    book.accepted(body());
    await book.write(sink, true);
    const told = appends[0]
      ?.filter(({ form }) => form !== '')
      .map(({ minute, acked_bodies }) => [minute, acked_bodies]);
    expect(told).toEqual([
      [MINUTE + 60, 2],
      [MINUTE + 120, 1],
    ]);
  });
});

test('a refusal is its sender’s where that is known, and the process’s own where not', async () => {
  const form = 'http/protobuf' as const;
  book.refused('journal_full', { signal: 'otlp_traces', form, sender: { team: 'shop', key: 'ci' } });
  book.refused('unauthenticated', { signal: 'otlp_traces', form, sender: undefined });
  book.refused('bad_http', undefined);
  book.refused('bad_http', undefined);
  await book.write(sink, true);
  expect(rowOf(appends[0], form)?.refused_bodies).toEqual({ journal_full: 1 });
  expect(rowOf(appends[0], form, '')?.refused_bodies).toEqual({ unauthenticated: 1 });
  expect(rowOf(appends[0], '', '')?.refused_bodies).toEqual({ bad_http: 2 });
  expect(book.flows()).toHaveLength(3);
});

test('the queue is remembered at its fullest and as it was last; loads are summed, freshness of spans alone', async () => {
  book.sampled({ bytes: 500, segments: 5, oldestMs: START - 7_000 });
  book.sampled({ bytes: 20, segments: 1, oldestMs: START - 1_000 });
  const load = { items: 8, bytes: 300, loadMs: 40.4, quarantinedBodies: 1 };
  book.loaded({ ...load, signal: 'otlp_traces', freshnessMs: 1000 });
  book.loaded({ ...load, signal: 'otlp_traces', freshnessMs: 0 });
  book.loaded({ ...load, signal: 'ci_runs', freshnessMs: 90 });
  await book.write(sink, true);
  expect(appends[0]).toHaveLength(1);
  expect(appends[0]?.[0]).toMatchObject({
    backlog_bytes_max: 500,
    backlog_bytes_last: 20,
    backlog_segments_max: 5,
    backlog_segments_last: 1,
    oldest_age_max_ms: 7_000,
    oldest_age_last_ms: 1_000,
    loaded_segments: 3,
    loaded_spans: 16,
    loaded_bytes: 900,
    load_ms: 120,
    quarantined_bodies: 3,
    freshness_bins: { '-1': 1, '1037': 1 },
  });
});

test('beyond two hundred senders the rest are one', async () => {
  for (let number = 0; number < 210; number += 1)
    book.accepted(body({ sender: { team: 't', key: `k${number}` }, spans: 1 }));
  book.accepted(body({ sender: { team: 't', key: 'k7' }, spans: 1 }));
  await book.write(sink, true);
  expect(appends[0]).toHaveLength(202);
  expect(rowOf(appends[0], 'http/protobuf', '(other)')).toMatchObject({ team: '(other)', acked_spans: 10 });
  expect(rowOf(appends[0], 'http/protobuf', 'k7')?.acked_spans).toBe(2);
});

test('a journal that takes nothing for long costs the oldest minutes, not the memory', async () => {
  broken = true;
  for (let minute = 0; minute < 10_050; minute += 1) {
    book.sampled({ bytes: minute, segments: 1, oldestMs: null });
    await clock.advance(60_000);
  }
  broken = false;
  await book.write(sink);
  expect(appends[0]).toHaveLength(10_000);
  expect(appends[0]?.at(-1)?.backlog_bytes_last).toBe(10_049);
});

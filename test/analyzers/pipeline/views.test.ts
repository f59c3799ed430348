import { afterAll, beforeAll, expect, test } from 'vitest';
import { REJECT_REASONS } from '../../../collectors/otlp/rejects.ts';
import { ERRORS, type ErrorCode } from '../../../core/errors.ts';
import type { PipelineMinuteRow } from '../../../core/rows.ts';
import { createPipelineBook } from '../../../ingest/pipeline/book.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { loadRows, queryRows } from '../../support/load-rows.ts';

const AT = Date.parse('2026-02-03T10:00:00Z');
const S = AT / 1000;
const stamp = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

let engine: TestEngine;
let rows: PipelineMinuteRow[];

/** Minutes 0, 1 and 5 of the hour: two processes in minute 0, nothing sent in minute 1, everything told twice. */
beforeAll(async () => {
  engine = await startMigratedEngine();
  rows = [];
  const sink = {
    append: async (_signal: string, added: readonly object[]) => void rows.push(...(added as PipelineMinuteRow[])),
  };
  const sender = { team: 'shop', key: 'ci' };
  const body = {
    signal: 'otlp_traces',
    bytes: 1000,
    spans: 300,
    clockSkew: 1,
    slowLane: false,
    duplicate: false,
    door: 'otlp_http',
    format: 'protobuf',
    sender,
    rejected: {},
  } as const;
  const origin = { signal: 'otlp_traces', form: 'http/protobuf', sender } as const;
  const load = { signal: 'otlp_traces', items: 600, bytes: 2000, loadMs: 1500, quarantinedBodies: 0 };

  const clock = new FakeClock(AT + 5_000);
  const first = createPipelineBook(clock, 'boot-a', ['otlp_traces']);
  first.accepted(body);
  first.accepted({ ...body, duplicate: true });
  first.accepted({ ...body, rejected: { invalid_trace_id: 100 }, slowLane: true, format: 'json' });
  first.refused('journal_full', origin);
  first.refused('bad_http', undefined);
  first.sampled({ bytes: 5_000, segments: 3, oldestMs: AT - 4_000 });
  for (let number = 0; number < 99; number += 1) first.loaded({ ...load, items: 6, freshnessMs: 500 });
  first.loaded({ ...load, items: 6, freshnessMs: 9_000 });
  await first.write(sink, true);

  const second = createPipelineBook(clock, 'boot-b', ['otlp_traces']);
  second.accepted({ ...body, sender: { team: 'mail', key: 'mailer' }, spans: 200, bytes: 10 });
  second.sampled({ bytes: 700, segments: 1, oldestMs: null });
  await clock.advance(60_000);
  second.sampled({ bytes: 0, segments: 0, oldestMs: null });
  await clock.advance(4 * 60_000);
  second.accepted({ ...body, rejected: { start_time_out_of_range: 300 }, spans: 0 });
  second.refused('journal_full', origin);
  second.refused('journal_full', origin);
  second.sampled({ bytes: 40, segments: 2, oldestMs: AT + 300_000 });
  await second.write(sink, true);

  await loadRows(engine, 'pipeline_minutes', rows);
  await loadRows(engine, 'pipeline_minutes', rows);
});
afterAll(() => engine.stop());

const call = (view: string, step?: number, from = S, to = S + 600): string =>
  `boards.${view}(from = toDateTime(${from}), to = toDateTime(${to})${step === undefined ? '' : `, step = ${step}`})`;

test('rows that were told twice count once; two processes of one minute add up; a minute of which nothing is known has no row', async () => {
  const told = await queryRows(engine, `SELECT * FROM ${call('pipeline_over_time', 60)} ORDER BY time`);
  expect(told.map(({ time }) => time)).toEqual([stamp(AT), stamp(AT + 60_000), stamp(AT + 300_000)]);
  expect(told[0]).toMatchObject({
    minutes: 1,
    received_bodies: 6,
    acked_bodies: 3,
    duplicate_bodies: 1,
    refused_bodies: 2,
    slow_lane_bodies: 1,
    received_bytes: 3010,
    received_spans: 1200,
    acked_spans: 800,
    rejected_spans: 100,
    duplicate_spans: 300,
    clock_skew_spans: 3,
    loaded_segments: 100,
    loaded_spans: 600,
    loaded_bytes: 200_000,
    load_seconds: 150,
    received_rate: 20,
    loaded_rate: 10,
    rejected_share: 100 / 1200,
    duplicate_share: 1 / 6,
    refused_share: 2 / 6,
    slow_lane_share: 1 / 3,
    backlog_bytes_max: 5_000,
    backlog_segments_max: 3,
    oldest_age_max_s: 9,
  });
  expect(told[1]).toMatchObject({
    received_bodies: 0,
    acked_rate: 0,
    rejected_share: null,
    slow_lane_share: null,
    backlog_bytes_max: 0,
    oldest_age_max_s: 0,
  });
});

test('rates are those of the minutes known', async () => {
  const [whole] = await queryRows(engine, `SELECT * FROM ${call('pipeline_over_time', 4_000_000_000)}`);
  expect(whole).toMatchObject({ minutes: 3, acked_spans: 800, acked_rate: 800 / 180 });
});

test('now is the newest minute known, and nothing where that is long ago', async () => {
  const now = (to: number) => queryRows(engine, `SELECT * FROM boards.pipeline_now(to = toDateTime(${to}))`);
  expect(await now(S + 400)).toEqual([
    {
      time: stamp(AT + 300_000),
      minutes: 2,
      acked_spans: 0,
      acked_rate: 0,
      loaded_rate: 0,
      backlog_bytes: 40,
      backlog_segments: 2,
      oldest_age_s: 5,
    },
  ]);
  expect(await now(S + 1200)).toEqual([]);
});

test('every reason has a row in every step of which anything is known, with its mend', async () => {
  const rejects = await queryRows(engine, `SELECT * FROM ${call('pipeline_rejects', 60)} ORDER BY reason, time`);
  expect(rejects.map(({ reason, spans, share, last_seen }) => [reason, spans, share, last_seen])).toEqual([
    ['invalid_trace_id', 100, 100 / 1200, stamp(AT)],
    ['invalid_trace_id', 0, null, null],
    ['invalid_trace_id', 0, 0, null],
    ['start_time_out_of_range', 0, 0, null],
    ['start_time_out_of_range', 0, null, null],
    ['start_time_out_of_range', 300, 1, stamp(AT + 300_000)],
  ]);
  const refusals = await queryRows(engine, `SELECT * FROM ${call('pipeline_refusals', 4_000_000_000)} ORDER BY reason`);
  expect(refusals).toMatchObject([
    { reason: 'bad_http', bodies: 1, last_seen: stamp(AT), comes_again: 0, mend: expect.stringContaining('TLS') },
    {
      reason: 'journal_full',
      bodies: 3,
      share: 3 / 9,
      last_seen: stamp(AT + 300_000),
      comes_again: 1,
      mend: expect.stringContaining('Free space'),
    },
  ]);
});

/** Errors that no request to an OTLP door is answered with. */
const ELSEWHERE: readonly string[] = [
  'not_found', // the ledger calls it wrong_path
  'bad_signature',
  'bad_event',
  'store_unavailable',
  'store_timeout',
  'query_failed',
  'bad_config',
  'port_taken',
  'data_dir_locked',
  'migration_failed',
] satisfies ErrorCode[];

test('every reason for which a door turns something away has a mend, and says whether the sender comes again', async () => {
  const codes = Object.keys(ERRORS).filter((code) => !ELSEWHERE.includes(code));
  const refused = [
    ...codes,
    'wrong_path',
    'grpc_on_http_port',
    'bad_http',
    'bad_grpc',
    'deadline_exceeded',
    'over_budget_spans',
    'jwt_expired',
  ];
  const row = { ...(rows[0] as PipelineMinuteRow), minute: S - 86_400 };
  const counted = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 1]));
  await loadRows(engine, 'pipeline_minutes', [
    { ...row, rejected_spans: counted(REJECT_REASONS), refused_bodies: counted(refused) },
  ]);
  const answers = async (view: string) => queryRows(engine, `SELECT * FROM ${call(view, 60, S - 86_400, S - 86_340)}`);
  const rejects = await answers('pipeline_rejects');
  expect(rejects.map(({ reason }) => String(reason)).toSorted()).toEqual([...REJECT_REASONS].toSorted());
  for (const { reason, mend } of rejects)
    expect([reason, mend]).not.toEqual([reason, expect.stringContaining('partial_success')]);
  const refusals = await answers('pipeline_refusals');
  expect(refusals).toHaveLength(refused.length);
  for (const { reason, mend, comes_again } of refusals) {
    expect([reason, mend]).not.toEqual([reason, expect.stringContaining('docs/ERRORS.md')]);
    const retryable =
      ['deadline_exceeded', 'over_budget_spans'].includes(String(reason)) ||
      (Object.hasOwn(ERRORS, String(reason)) && ERRORS[String(reason) as ErrorCode].retryable);
    expect([reason, comes_again]).toEqual([reason, retryable ? 1 : 0]);
  }
});

test('senders by key and form, with their share of all spans', async () => {
  const senders = await queryRows(
    engine,
    `SELECT team, key, form, spans, share, bytes, bodies, spans_per_body, rejected_spans, refused_bodies, duplicate_bodies,
      slow_lane_bodies, last_seen FROM ${call('pipeline_senders')} ORDER BY spans DESC, form DESC`,
  );
  const of = { team: 'shop', key: 'ci' };
  expect(senders).toEqual([
    {
      ...of,
      form: 'http/protobuf',
      spans: 300,
      share: 300 / 800,
      bytes: 3000,
      bodies: 2,
      spans_per_body: 150,
      rejected_spans: 300,
      refused_bodies: 3,
      duplicate_bodies: 1,
      slow_lane_bodies: 0,
      last_seen: stamp(AT + 300_000),
    },
    {
      ...of,
      form: 'http/json',
      spans: 300,
      share: 300 / 800,
      bytes: 1000,
      bodies: 1,
      spans_per_body: 300,
      rejected_spans: 100,
      refused_bodies: 0,
      duplicate_bodies: 0,
      slow_lane_bodies: 1,
      last_seen: stamp(AT),
    },
    {
      team: 'mail',
      key: 'mailer',
      form: 'http/protobuf',
      spans: 200,
      share: 200 / 800,
      bytes: 10,
      bodies: 1,
      spans_per_body: 200,
      rejected_spans: 0,
      refused_bodies: 0,
      duplicate_bodies: 0,
      slow_lane_bodies: 0,
      last_seen: stamp(AT),
    },
  ]);
});

test('freshness comes from counts, within 1 %, and has no row where nothing was loaded', async () => {
  const fresh = await queryRows(engine, `SELECT * FROM ${call('pipeline_freshness', 60)} ORDER BY time`);
  expect(fresh).toHaveLength(1);
  expect(fresh[0]).toMatchObject({ time: stamp(AT), segments: 100 });
  for (const [column, exact] of [
    ['p50_ms', 500],
    ['p99_ms', 500],
    ['max_ms', 9_000],
  ] as const) // prettier-ignore
    expect(Math.abs(Number(fresh[0]?.[column]) / exact - 1)).toBeLessThanOrEqual(0.01);
});

test('the slow lane by form', async () => {
  const lane = await queryRows(engine, `SELECT * FROM ${call('pipeline_slow_lane', 3600)} ORDER BY form`);
  expect(lane).toMatchObject([
    { time: stamp(AT), form: 'http/json', bodies: 1, slow_lane_bodies: 1, share: 1 },
    { form: 'http/protobuf', bodies: 3, slow_lane_bodies: 0, share: 0 },
  ]);
});

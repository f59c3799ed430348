import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Rows, RowSignal } from '../../core/rows.ts';
import { encodeRows } from '../../ingest/rows.ts';
import { PINNED_BLOCK_SETTINGS } from '../../store/load.ts';
import { ROW_RECIPES } from '../../store/loads/rows.ts';
import { startMigratedEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

const AT_MS = Date.parse('2026-03-01T10:20:30.400Z');
const AT_S = Math.floor(AT_MS / 1000);

/** One row of every signal, with text that JSON and SQL each have their own idea of. */
const SAMPLES: { [S in Exclude<RowSignal, 'source_minutes'>]: Rows[S] } = {
  pipeline_minutes: {
    minute: AT_S - (AT_S % 60),
    instance: '0011223344556677',
    signal: 'otlp_traces',
    form: 'http/protobuf',
    team: 'shop',
    key: 'shop-ci',
    acked_bodies: 1,
    duplicate_bodies: 2,
    slow_lane_bodies: 3,
    bytes: 4,
    acked_spans: 5,
    duplicate_spans: 6,
    clock_skew_spans: 7,
    rejected_spans: { invalid_trace_id: 8 },
    refused_bodies: { bad_framing: 9 },
    backlog_bytes_max: 10,
    backlog_bytes_last: 11,
    backlog_segments_max: 12,
    backlog_segments_last: 13,
    oldest_age_max_ms: 14,
    oldest_age_last_ms: null,
    loaded_segments: 16,
    loaded_spans: 17,
    loaded_bytes: 18,
    load_ms: 19,
    quarantined_bodies: 20,
    freshness_bins: { '-1': 21, '1030': 22 },
  },
  ci_runs: {
    provider: 'github',
    repository: 'o/r',
    run_id: 9_007_199_254_740_991,
    attempt: 2,
    delivery: 'd-1',
    workflow: `tab\t"quote" 'single' \\ é`,
    event: 'push',
    branch: 'main',
    sha: 'ab',
    status: 'completed',
    conclusion: null,
    created_at_ms: AT_MS,
    started_at_ms: null,
    updated_at_ms: AT_MS + 1,
    received_at_ms: AT_MS + 2,
  },
  ci_jobs: {
    provider: 'github',
    repository: 'o/r',
    run_id: 1,
    attempt: 1,
    job_id: 7,
    delivery: 'd-2',
    workflow: 'w',
    name: 'build',
    branch: 'main',
    sha: 'ab',
    labels: ['ubuntu', 'x64'],
    status: 'queued',
    conclusion: 'success',
    created_at_ms: AT_MS,
    started_at_ms: AT_MS,
    completed_at_ms: null,
    received_at_ms: AT_MS,
  },
  deployments: {
    id: 'x',
    service: 's',
    environment: 'production',
    version: '1.2',
    sha: '',
    repository: '',
    status: 'success',
    kind: null,
    started_at_ms: AT_MS,
    finished_at_ms: null,
    received_at_ms: AT_MS,
  },
  commits: {
    repository: 'r',
    sha: 'cd',
    parents: ['ab', 'ef'],
    author: 'p1',
    committer: 'p2',
    co_authors: [],
    bot_rule: '',
    agent_assisted: true,
    author_time_s: -3600,
    author_offset_min: -330,
    commit_time_s: 4_500_000_000,
    commit_offset_min: 60,
    time_quality: 'author',
    additions: 10,
    deletions: 2,
    files: 3,
    binary_files: 1,
    renames: 1,
    gone: false,
    version_ms: AT_MS,
  },
  commit_files: {
    repository: 'r',
    sha: 'cd',
    commit_time_s: AT_S,
    path: 'a b/ü.go',
    old_path: '',
    status: 'A',
    additions: null,
    deletions: 0,
    version_ms: AT_MS,
  },
  git_tips: { repository: 'r', branch: 'main', tip: 'cd', collected_at_ms: AT_MS },
  commit_ci: { repository: 'r', sha: 'cd', successful: true, version_ms: AT_MS },
  identities: { pseudonym: 'p1', sealed: 'AAAA', last_seen_ms: AT_MS },
  target_polls: {
    time_ms: AT_MS,
    service: 's',
    target: 't',
    kind: 'goroutine',
    outcome: 'timeout',
    reason: 'no answer in 10 s',
    duration_ms: 1.5,
    bytes: 12,
    total: null,
  },
  stacks: {
    service: 's',
    stack: '0123456789abcdef0123456789abcdef',
    functions: ['main.main', 'main.(*T).f[...]'],
    locations: ['main.go:1', 'main.go:2'],
    seen_at_ms: AT_MS,
  },
  profile_samples: {
    time_ms: AT_MS,
    service: 's',
    target: 't',
    profile: 'cpu',
    sample_type: 'cpu',
    unit: 'nanoseconds',
    stack: '0123456789abcdef0123456789abcdef',
    value: '-9223372036854775808',
  },
  go_runtime: {
    time_ms: AT_MS,
    service: 's',
    target: 't',
    heap_alloc_bytes: 1,
    heap_sys_bytes: 2,
    heap_idle_bytes: 3,
    heap_inuse_bytes: 4,
    heap_released_bytes: 5,
    heap_objects: 6,
    stack_inuse_bytes: 7,
    sys_bytes: 8,
    next_gc_bytes: 9,
    total_alloc_bytes: 10,
    mallocs: 11,
    frees: 12,
    gc_cycles: 13,
    gc_forced_cycles: null,
    gc_pause_total_ns: 15,
    gc_cpu_fraction: 0.25,
    last_gc_ns: '1700000000123456789',
    pauses_ns: [1, 2],
    vars: { 'orders.total': 1.5 },
  },
  alerts: {
    fingerprint: 'f',
    rule: 'latency',
    status: 'firing',
    labels: { service: 's' },
    summary: 'x',
    starts_at_ms: AT_MS,
    ends_at_ms: null,
    changed_at_ms: AT_MS,
    evidence: '{"n":1}',
  },
  alert_deliveries: {
    time_ms: AT_MS,
    receiver: 'team',
    idempotency_key: 'k',
    fingerprint: 'f',
    starts_at_ms: AT_MS,
    status: 'firing',
    attempt: 1,
    outcome: 'refused',
    http_status: 500,
  },
  disk_drops: {
    time_ms: AT_MS,
    kind: 'spans',
    table: 'otel.otel_traces',
    partition: '20260301',
    first_day: '2026-03-01',
    last_day: '2026-03-01',
    rows: 12,
    bytes: 3_456,
    used_bytes: 21_000_000_000,
    cap_bytes: 20_000_000_000,
  },
};

async function load(signal: RowSignal, rows: readonly object[], token: string): Promise<void> {
  const path = join(engine.dir, token);
  writeFileSync(path, Buffer.concat(encodeRows(rows).map(({ bytes }) => bytes)));
  await engine.store.load({
    token,
    signal,
    team: '',
    path,
    loNs: 0n,
    hiNs: 0n,
    settings: { ...PINNED_BLOCK_SETTINGS },
  });
}

/** What the column should read back as. */
function expected(key: string, value: unknown): unknown {
  if (value === null) return null;
  if (key === 'minute') return new Date(Number(value) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  if (key === 'oldest_age_max_ms' || key === 'load_ms') return value;
  if (key === 'last_gc_ns') return '2023-11-14 22:13:20.123456789';
  if (key === 'seen_at_ms') return new Date(AT_S * 1000).toISOString().slice(0, 19).replace('T', ' ');
  if (key === 'version_ms') return value;
  if (/^(?!duration).*_ms$|^time_ms$/.test(key))
    return new Date(Number(value)).toISOString().slice(0, 23).replace('T', ' ');
  if (/_s$/.test(key)) return new Date(Number(value) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  if (key === 'value') return BigInt(String(value)).toString();
  return value;
}

test.each(Object.keys(SAMPLES) as (keyof typeof SAMPLES)[])(
  'a row of %s reads back as it was sent, once',
  async (signal) => {
    const sample = SAMPLES[signal];
    await load(signal, [sample], `${signal}-1`);
    await load(signal, [sample], `${signal}-1`);
    const { table, columns } = ROW_RECIPES[signal];
    expect(columns.map(({ key }) => key).toSorted()).toEqual(Object.keys(sample).toSorted());
    const names = columns.map(({ key, as }) => (key === 'value' ? 'toString(value)' : (as?.column ?? key)));
    const { rows } = await engine.store.query({ sql: `SELECT ${names.join(', ')} FROM ${table}` });
    expect(rows).toEqual([
      columns.map(({ key }) => expected(key, (sample as unknown as Record<string, unknown>)[key])),
    ]);
  },
);

test('an unknown key is a format error, not a silent loss', async () => {
  await expect(load('git_tips', [{ ...SAMPLES.git_tips, surprise: 1 }], 'surprise')).rejects.toThrow(/surprise/);
});

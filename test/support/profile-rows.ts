/** Seeds what the pollers would have stored, by the road the real rows take into the engine. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  GoRuntimeRow,
  PollOutcome,
  ProfileSampleRow,
  Rows,
  RowSignal,
  StackRow,
  TargetPollRow,
} from '../../core/rows.ts';
import { encodeRows } from '../../ingest/rows.ts';
import { PINNED_BLOCK_SETTINGS } from '../../store/load.ts';
import type { TestEngine } from './engine.ts';

let loads = 0;

/** Loads rows of one signal as one segment. */
export async function loadRows<S extends RowSignal>(
  engine: TestEngine,
  signal: S,
  rows: readonly Rows[S][],
): Promise<void> {
  const token = `seed-${process.pid}-${++loads}`;
  const path = join(engine.dir, token);
  writeFileSync(path, Buffer.concat(encodeRows(rows).map(({ bytes }) => bytes)));
  const settings = { ...PINNED_BLOCK_SETTINGS };
  await engine.store.load({ token, signal, team: '', path, loNs: 0n, hiNs: 0n, settings });
}

/** A profile as a test writes it: functions from root to leaf, joined by `;`, and the value of each such stack. */
export interface SeedProfile {
  service: string;
  target: string;
  atMs: number;
  profile?: string;
  sampleType?: string;
  unit?: string;
  stacks: Readonly<Record<string, number>>;
}

export const stackOf = (folded: string): string => createHash('md5').update(folded).digest('hex');

/** Loads profiles: a good poll, the samples and the stacks of each. */
export async function loadProfiles(engine: TestEngine, profiles: readonly SeedProfile[]): Promise<void> {
  const polls: TargetPollRow[] = [];
  const samples: ProfileSampleRow[] = [];
  const stacks: StackRow[] = [];
  for (const { service, target, atMs, profile = 'goroutine', stacks: values, ...types } of profiles) {
    const { sampleType = profile, unit = 'count' } = types;
    const total = Object.values(values).reduce((sum, value) => sum + value, 0);
    polls.push({ ...pollAt(service, target, profile, atMs, 'ok'), total });
    for (const [folded, value] of Object.entries(values)) {
      const functions = folded.split(';');
      const stack = stackOf(folded);
      samples.push({ time_ms: atMs, service, target, profile, sample_type: sampleType, unit, stack, value });
      const locations = functions.map((_, index) => `main.go:${index + 1}`);
      stacks.push({ service, stack, functions, locations, seen_at_ms: atMs });
    }
  }
  await loadRows(engine, 'target_polls', polls);
  await loadRows(engine, 'profile_samples', samples);
  await loadRows(engine, 'stacks', stacks);
}

export function pollAt(
  service: string,
  target: string,
  kind: string,
  atMs: number,
  outcome: PollOutcome,
  durationMs = 1,
): TargetPollRow {
  const reason = outcome === 'ok' ? '' : `it was ${outcome}`;
  return { time_ms: atMs, service, target, kind, outcome, reason, duration_ms: durationMs, bytes: 1, total: null };
}

/** A scrape in which everything is unknown but what is given. */
export function scrapeAt(
  service: string,
  target: string,
  atMs: number,
  figures: Partial<GoRuntimeRow> = {},
): GoRuntimeRow {
  return {
    time_ms: atMs,
    service,
    target,
    heap_alloc_bytes: null,
    heap_sys_bytes: null,
    heap_idle_bytes: null,
    heap_inuse_bytes: null,
    heap_released_bytes: null,
    heap_objects: null,
    stack_inuse_bytes: null,
    sys_bytes: null,
    next_gc_bytes: null,
    total_alloc_bytes: null,
    mallocs: null,
    frees: null,
    gc_cycles: null,
    gc_forced_cycles: null,
    gc_pause_total_ns: null,
    gc_cpu_fraction: null,
    last_gc_ns: null,
    pauses_ns: [],
    vars: {},
    ...figures,
  };
}

/** The rows of a query as objects. */
export async function rowsOf(engine: TestEngine, sql: string): Promise<Record<string, unknown>[]> {
  const { columns, rows } = await engine.store.query({ sql });
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
}

/** What the pollers would have seen of a small shop in Go: two hours closely, and the thirty days before thinly. */
import { createHash } from 'node:crypto';
import type { GoRuntimeRow, ProfileSampleRow, StackRow, TargetPollRow } from '../../../core/rows.ts';
import type { TestEngine } from '../../support/engine.ts';
import { loadRows } from '../../support/profile-rows.ts';
import { createRandom } from './demo-random.ts';
import { CPU_STACKS, functionsOf, GOROUTINE_STACKS, LEAKING_STACK, locationOf } from './demo-stacks.ts';

interface Target {
  service: string;
  target: string;
  /** Share of full load. */
  load: number;
  heapMiB: number;
  leaks?: true;
  down?: true;
}

const TARGETS: readonly Target[] = [
  { service: 'storefront', target: 'storefront-1', load: 1, heapMiB: 96 },
  { service: 'storefront', target: 'storefront-2', load: 0.92, heapMiB: 91 },
  { service: 'checkout', target: 'checkout-1', load: 0.7, heapMiB: 64 },
  { service: 'checkout', target: 'checkout-2', load: 0.74, heapMiB: 71, leaks: true },
  { service: 'checkout', target: 'checkout-canary', load: 0.1, heapMiB: 38, down: true },
  { service: 'payments', target: 'payments-1', load: 0.4, heapMiB: 42 },
  { service: 'mailer', target: 'mailer-1', load: 0.15, heapMiB: 24 },
];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MIB = 1024 * 1024;
/** The canary went away this long ago. */
const DOWN_FOR_MS = 25 * MINUTE_MS;
/** Since the deploy of demo-team.ts. */
const LEAK_FOR_MS = 46 * MINUTE_MS;

const stackId = (functions: readonly string[]) => createHash('md5').update(functions.join(';')).digest('hex');

/** More by day than by night, with a slow swell. */
function loadAt(atMs: number, phase: number): number {
  const hour = (atMs % DAY_MS) / HOUR_MS;
  return 0.62 + 0.22 * Math.sin(((hour - 8) / 24) * 2 * Math.PI) + 0.14 * Math.sin(atMs / (11 * MINUTE_MS) + phase);
}

interface Rows {
  polls: TargetPollRow[];
  samples: ProfileSampleRow[];
  stacks: Map<string, StackRow>;
  runtime: GoRuntimeRow[];
}

/** Loads polls, profiles, stacks and scrapes that end at `nowMs`. */
export async function loadDemoProfiles(engine: TestEngine, nowMs: number): Promise<void> {
  const rows: Rows = { polls: [], samples: [], stacks: new Map(), runtime: [] };
  TARGETS.forEach((target, index) => addTarget(rows, target, index, nowMs));
  await loadRows(engine, 'target_polls', rows.polls);
  await loadRows(engine, 'profile_samples', rows.samples);
  await loadRows(engine, 'stacks', [...rows.stacks.values()]);
  await loadRows(engine, 'go_runtime', rows.runtime);
}

function addTarget(rows: Rows, target: Target, index: number, nowMs: number): void {
  const random = createRandom(index + 11);
  const counters = { allocated: 4e9, cycles: 900, forced: 2, paused: 2.1e8, orders: 1200, hits: 90_000 };
  const times = [
    ...every(nowMs - 30 * DAY_MS, nowMs - 2 * HOUR_MS, 3 * HOUR_MS),
    ...every(nowMs - 2 * HOUR_MS, nowMs, 30_000),
  ];
  let before = times[0] ?? nowMs;
  for (const base of times) {
    const atMs = base + index * 700;
    if (target.down === true && atMs > nowMs - DOWN_FOR_MS) {
      for (const kind of ['goroutine', 'expvar']) rows.polls.push(refusedPoll(target, kind, atMs));
      continue;
    }
    const load = target.load * loadAt(atMs, index);
    addGoroutines(rows, target, atMs, load, leaked(target, atMs, nowMs));
    rows.runtime.push(scrape(target, atMs, atMs - before, load, counters, random));
    rows.polls.push(okPoll(target, 'expvar', atMs, 2 + 3 * random(), null));
    before = atMs;
  }
  const cpuTimes = [
    ...every(nowMs - 30 * DAY_MS, nowMs - 2 * HOUR_MS, 12 * HOUR_MS),
    ...every(nowMs - 2 * HOUR_MS, nowMs, 10 * MINUTE_MS),
  ];
  for (const base of cpuTimes) {
    const atMs = base + 4_000 + index * 900;
    if (target.down === true && atMs > nowMs - DOWN_FOR_MS) rows.polls.push(refusedPoll(target, 'cpu', atMs));
    else addCpu(rows, target, atMs, random);
  }
}

function every(fromMs: number, toMs: number, stepMs: number): number[] {
  return Array.from({ length: Math.floor((toMs - fromMs) / stepMs) }, (_, index) => fromMs + index * stepMs);
}

function leaked({ leaks }: Target, atMs: number, nowMs: number): number {
  return leaks === true ? Math.max(0, Math.floor((atMs - (nowMs - LEAK_FOR_MS)) / 21_000)) : 0;
}

function okPoll({ service, target }: Target, kind: string, atMs: number, durationMs: number, total: number | null) {
  return {
    time_ms: atMs,
    service,
    target,
    kind,
    outcome: 'ok',
    reason: '',
    duration_ms: durationMs,
    bytes: 9_000,
    total,
  } as const;
}

function refusedPoll({ service, target }: Target, kind: string, atMs: number): TargetPollRow {
  const reason = 'connect ECONNREFUSED: nothing listens at the address of this target';
  return {
    time_ms: atMs,
    service,
    target,
    kind,
    outcome: 'unreachable',
    reason,
    duration_ms: 0.8,
    bytes: 0,
    total: null,
  };
}

function addStack(rows: Rows, service: string, folded: string, atMs: number): string {
  const functions = functionsOf(folded, service);
  const stack = stackId(functions);
  rows.stacks.set(`${service} ${stack}`, {
    service,
    stack,
    functions,
    locations: functions.map(locationOf),
    seen_at_ms: atMs,
  });
  return stack;
}

function addGoroutines(rows: Rows, of: Target, atMs: number, load: number, leak: number): void {
  const { service, target } = of;
  const counts = GOROUTINE_STACKS.map(
    ([folded, atLeast, underLoad]) => [folded, atLeast + Math.round(underLoad * load)] as const,
  );
  const seen = [...counts, [LEAKING_STACK, leak] as const].filter(([, value]) => value > 0);
  const type = { profile: 'goroutine', sample_type: 'goroutine', unit: 'count' };
  for (const [folded, value] of seen) {
    rows.samples.push({ time_ms: atMs, service, target, ...type, stack: addStack(rows, service, folded, atMs), value });
  }
  const total = seen.reduce((sum, [, value]) => sum + value, 0);
  rows.polls.push(okPoll(of, 'goroutine', atMs, 4 + total / 60, total));
}

function addCpu(rows: Rows, of: Target, atMs: number, random: () => number): void {
  const { service, target } = of;
  let total = 0;
  for (const [folded, share] of CPU_STACKS) {
    const samples = Math.round(share * of.load * (0.7 + 0.6 * random()));
    if (samples === 0) continue;
    total += samples;
    const common = { time_ms: atMs, service, target, profile: 'cpu', stack: addStack(rows, service, folded, atMs) };
    rows.samples.push({ ...common, sample_type: 'samples', unit: 'count', value: samples });
    rows.samples.push({ ...common, sample_type: 'cpu', unit: 'nanoseconds', value: samples * 10_000_000 });
  }
  rows.polls.push(okPoll(of, 'cpu', atMs, 10_040 + 30 * random(), total));
}

interface Counters {
  allocated: number;
  cycles: number;
  forced: number;
  paused: number;
  orders: number;
  hits: number;
}

/** A scrape `gapMs` after the one before: the heap climbs to its goal and falls, counters only rise. */
function scrape(
  of: Target,
  atMs: number,
  gapMs: number,
  load: number,
  counters: Counters,
  random: () => number,
): GoRuntimeRow {
  const seconds = gapMs / 1000;
  const rate = load * 14 * MIB;
  const cycles = Math.round((rate * seconds) / (of.heapMiB * MIB) + random() * 0.8);
  const pauses = Array.from({ length: Math.min(cycles, 40) }, () => Math.round(40_000 + 260_000 * random() ** 3));
  counters.allocated += Math.round(rate * seconds);
  counters.cycles += cycles;
  counters.paused += cycles * 95_000;
  counters.orders += Math.round(load * seconds * 0.8);
  counters.hits += Math.round(load * seconds * 140);
  const live = of.heapMiB * (0.55 + 0.1 * load);
  const alloc = Math.round((live + of.heapMiB * 0.2 * random()) * MIB);
  return {
    time_ms: atMs,
    service: of.service,
    target: of.target,
    heap_alloc_bytes: alloc,
    heap_sys_bytes: Math.round(of.heapMiB * 1.9 * MIB),
    heap_idle_bytes: Math.round(of.heapMiB * 0.6 * MIB),
    heap_inuse_bytes: Math.round(alloc * 1.12),
    heap_released_bytes: Math.round(of.heapMiB * 0.3 * MIB),
    heap_objects: Math.round(alloc / 92),
    stack_inuse_bytes: Math.round((2 + load) * MIB),
    sys_bytes: Math.round(of.heapMiB * 2.2 * MIB),
    next_gc_bytes: Math.round(live * 1.9 * MIB),
    total_alloc_bytes: counters.allocated,
    mallocs: Math.round(counters.allocated / 80),
    frees: Math.round(counters.allocated / 84),
    gc_cycles: counters.cycles,
    gc_forced_cycles: counters.forced,
    gc_pause_total_ns: counters.paused,
    gc_cpu_fraction: 0.008 + 0.021 * load,
    last_gc_ns: `${atMs - Math.round(5_000 * random())}000000`,
    pauses_ns: pauses,
    vars: {
      'cache.hits': counters.hits,
      'cache.entries': 1800 + Math.round(900 * load),
      'orders.placed': counters.orders,
      'pool.idle': Math.max(0, Math.round(12 - 10 * load)),
      'queue.depth': Math.round(24 * load * random()),
    },
  };
}

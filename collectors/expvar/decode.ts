/**
 * Decodes Go's /debug/vars: memstats and the program's own numbers. Strings are left out, and so is `cmdline`: both may hold
 * secrets. https://pkg.go.dev/expvar, https://pkg.go.dev/runtime#MemStats
 */
import type { GoRuntimeRow } from '../../core/rows.ts';
import { parseJson } from './json.ts';
import { flatten } from './variables.ts';

const MAX_BYTES = 16 * 1024 * 1024;
/** Pauses that the runtime keeps. */
const RING = 256;
/** A larger one does not fit the columns; a double next to 2^64 rounds up to it. */
const MAX_COUNTER = 2 ** 64 - 2048;

export type RuntimeFigures = Omit<GoRuntimeRow, 'time_ms' | 'service' | 'target'>;

export type VarsDecode =
  | {
      ok: true;
      figures: RuntimeFigures;
      /** Numbers that were left out, because there are too many or their names are too long. */
      leftOut: number;
    }
  | { ok: false; rule: string; cutShort: boolean };

const COUNTERS = {
  heap_alloc_bytes: 'HeapAlloc',
  heap_sys_bytes: 'HeapSys',
  heap_idle_bytes: 'HeapIdle',
  heap_inuse_bytes: 'HeapInuse',
  heap_released_bytes: 'HeapReleased',
  heap_objects: 'HeapObjects',
  stack_inuse_bytes: 'StackInuse',
  sys_bytes: 'Sys',
  next_gc_bytes: 'NextGC',
  total_alloc_bytes: 'TotalAlloc',
  mallocs: 'Mallocs',
  frees: 'Frees',
  gc_cycles: 'NumGC',
  gc_forced_cycles: 'NumForcedGC',
  gc_pause_total_ns: 'PauseTotalNs',
} as const;

/**
 * Reads the answer of /debug/vars. `cyclesBefore` is `gc_cycles` of the scrape before, null where that is not known: then no pause
 * is known to be new. Never throws.
 */
export function decodeVars(bytes: Uint8Array, cyclesBefore: number | null): VarsDecode {
  if (bytes.length > MAX_BYTES) return reject(`it is longer than ${MAX_BYTES} bytes`);
  if (bytes.length === 0) return reject('there are no bytes', true);
  const parsed = parseJson(bytes);
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  if (!isObject(value)) return reject('it is JSON, but no object');
  const { memstats, cmdline: _, ...own } = value;
  const stats = isObject(memstats) ? memstats : {};
  const counters = Object.fromEntries(
    Object.entries(COUNTERS).map(([key, name]) => [key, counterOf(stats[name])]),
  ) as Record<keyof typeof COUNTERS, number | null>;
  const { vars, leftOut } = flatten(own);
  const fraction = numberOf(stats['GCCPUFraction']);
  return {
    ok: true,
    figures: {
      ...counters,
      gc_cpu_fraction: fraction ?? null,
      last_gc_ns: nanosecondsOf(stats['LastGC']),
      pauses_ns: newPauses(stats['PauseNs'], counters.gc_cycles, cyclesBefore),
      vars,
    },
    leftOut,
  };
}

function reject(rule: string, cutShort = false): VarsDecode {
  return { ok: false, rule, cutShort };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Large integers come as bigint, see json.ts. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function counterOf(value: unknown): number | null {
  const number = numberOf(value);
  return number !== undefined && Number.isInteger(number) && number >= 0 && number <= MAX_COUNTER ? number : null;
}

/** Unix nanoseconds as decimal text; null before the first collection, which is 0. */
function nanosecondsOf(value: unknown): string | null {
  const number = counterOf(value);
  if (number === null || number === 0 || number >= 2 ** 63) return null;
  return typeof value === 'bigint' ? value.toString() : String(number);
}

/** The pauses since the scrape before, newest last: PauseNs[(NumGC + 255) % 256] is the newest. */
function newPauses(ring: unknown, cycles: number | null, cyclesBefore: number | null): number[] {
  if (!Array.isArray(ring) || ring.length !== RING || cycles === null || cyclesBefore === null) return [];
  // fewer cycles than before is another process: all it has done, it has done since
  const fresh = Math.min(cycles < cyclesBefore ? cycles : cycles - cyclesBefore, RING);
  const pauses = Array.from({ length: fresh }, (_, i) => counterOf(ring[(cycles - fresh + i) % RING]));
  return pauses.filter((pause) => pause !== null);
}

/**
 * When a task ticks next. Fixed rate: the n-th tick belongs at first + n * interval however long the runs take, and ticks
 * that have already gone by are counted, never replayed.
 */
import type { NextInstant } from './calendar.ts';

/** A tick: where it belongs and, with jitter, when it falls due. Monotonic ms for intervals, Unix ms for calendar rules. */
export interface Tick {
  plainMs: number;
  dueMs: number;
}

/** The next tick, undefined when the rule has none left, and how many went by unseen before it. */
export interface NextTick {
  tick: Tick | undefined;
  missed: number;
}

/** A number in [0, 1). */
export type Random = () => number;

/**
 * Counting what went by costs croner some 0.13 ms an instant, on the main thread. After this many the count is a lower
 * bound: the price of not stalling the doors when a laptop wakes with a rule that ticks every second.
 */
const MAX_COUNTED_INSTANTS = 200;

/** The tick after `previous` of a task with a fixed rate. All ms on the monotonic clock. */
export function nextIntervalTick(
  previous: Tick,
  intervalMs: number,
  jitterRatio: number,
  nowMs: number,
  random: Random,
): NextTick {
  const gone = Math.max(0, Math.floor((nowMs - previous.plainMs) / intervalMs) - 1);
  const tick = intervalTick(previous.plainMs + (gone + 1) * intervalMs, intervalMs, jitterRatio, random);
  if (tick.dueMs > nowMs) return { tick, missed: gone };
  return { tick: intervalTick(tick.plainMs + intervalMs, intervalMs, jitterRatio, random), missed: gone + 1 };
}

/** A tick that belongs at `plainMs`, delayed by its share of jitter. */
export function intervalTick(plainMs: number, intervalMs: number, jitterRatio: number, random: Random): Tick {
  return { plainMs, dueMs: jitterRatio === 0 ? plainMs : plainMs + random() * jitterRatio * intervalMs };
}

/** The first tick of a calendar rule after `afterMs` that is still to come at `nowMs`, both Unix ms. */
export function nextCalendarTick(
  next: NextInstant,
  afterMs: number,
  jitterRatio: number,
  nowMs: number,
  random: Random,
): NextTick {
  let plainMs = next(afterMs);
  let missed = 0;
  while (plainMs !== undefined && plainMs <= nowMs) {
    missed += 1;
    plainMs = next(missed < MAX_COUNTED_INSTANTS ? plainMs : nowMs);
  }
  if (plainMs === undefined) return { tick: undefined, missed };
  if (jitterRatio === 0) return { tick: { plainMs, dueMs: plainMs }, missed };
  const gapMs = (next(plainMs) ?? plainMs) - plainMs;
  return { tick: { plainMs, dueMs: plainMs + random() * jitterRatio * gapMs }, missed };
}

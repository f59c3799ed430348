/**
 * Instants to come, and the one timer that waits for the earliest. Everything is kept on the monotonic clock; instants of
 * the calendar move along when the wall clock moves against it.
 */
import type { Clock, Timer } from '../../core/ports.ts';
import { type HeapNode, InstantHeap } from './heap.ts';

/** Node fires a timer of 2^31 ms or more at once, so the loop never sleeps longer than this. */
const MAX_SLEEP_MS = 3_600_000;
/** With calendar instants about, a stepped wall clock or a laptop's sleep is noticed within this time. */
const MAX_CALENDAR_SLEEP_MS = 60_000;
/** Date.now() has whole milliseconds, so the clocks seem to drift by up to one; above this the wall clock moved. */
const WALL_STEP_MS = 5;

/** Something that falls due, set and cleared on one timetable. It begins with `index` -1. */
export interface Entry extends HeapNode {
  /** Unix ms for an instant of the calendar, undefined for one of the monotonic clock. */
  wallMs: number | undefined;
}

export class Timetable<E extends Entry> {
  private readonly clock: Clock;
  private readonly onDue: (item: E, dueMs: number) => void;
  private readonly heap = new InstantHeap<E>();
  private readonly calendarEntries = new Set<E>();
  private timer: Timer | undefined;
  private timerAtMs = 0;
  /** While true the timer is left alone: it is armed once, at the end. */
  private busy = false;
  /** Wall clock minus monotonic clock, as the calendar entries in the heap assume it. */
  private wallOffsetMs: number;

  /** `onDue` is handed the entry, no longer set, and the monotonic instant at which it fell due. It must not throw. */
  constructor(clock: Clock, onDue: (item: E, dueMs: number) => void) {
    this.clock = clock;
    this.onDue = onDue;
    this.wallOffsetMs = clock.nowMs() - clock.monotonicMs();
  }

  /** Lets the entry fire once at a monotonic instant. */
  setMonotonic(item: E, atMs: number): void {
    if (item.index >= 0) this.clear(item);
    item.wallMs = undefined;
    item.atMs = atMs;
    this.heap.push(item);
    this.arm();
  }

  /** Lets the entry fire once when the wall clock reaches `wallMs` (Unix ms). */
  setWall(item: E, wallMs: number): void {
    if (item.index >= 0) this.clear(item);
    item.wallMs = wallMs;
    item.atMs = wallMs - this.wallOffsetMs;
    this.calendarEntries.add(item);
    this.heap.push(item);
    this.arm();
  }

  clear(item: E): void {
    this.heap.remove(item);
    if (item.wallMs !== undefined) this.calendarEntries.delete(item);
  }

  /** Sets many entries and looks at the timer once. */
  batch(fill: () => void): void {
    this.busy = true;
    fill();
    this.busy = false;
    this.arm();
  }

  /** Unix ms at which the entry is to fire, null when it is not set. */
  dueWallMs(item: E): number | null {
    if (item.index < 0) return null;
    return item.wallMs ?? item.atMs + this.clock.nowMs() - this.clock.monotonicMs();
  }

  /** Gives the timer back; entries that are set do not fire any more. */
  close(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private wake(): void {
    this.timer = undefined;
    this.busy = true;
    this.followWallClock();
    const nowMs = this.clock.monotonicMs();
    for (let next = this.heap.peek(); next !== undefined && next.atMs <= nowMs; next = this.heap.peek()) {
      const earlyMs = next.wallMs === undefined ? 0 : next.wallMs - this.clock.nowMs();
      this.clear(next);
      if (earlyMs <= 0) {
        this.onDue(next, next.atMs);
      } else {
        next.atMs = nowMs + earlyMs;
        this.calendarEntries.add(next);
        this.heap.push(next);
      }
    }
    this.busy = false;
    this.arm();
  }

  private followWallClock(): void {
    const offsetMs = this.clock.nowMs() - this.clock.monotonicMs();
    if (Math.abs(offsetMs - this.wallOffsetMs) < WALL_STEP_MS) return;
    this.wallOffsetMs = offsetMs;
    for (const item of this.calendarEntries) {
      item.atMs = (item.wallMs ?? 0) - offsetMs;
      this.heap.moved(item);
    }
  }

  private arm(): void {
    const earliest = this.heap.peek();
    if (earliest === undefined || this.busy) return;
    const nowMs = this.clock.monotonicMs();
    const sleepMs = this.calendarEntries.size > 0 ? MAX_CALENDAR_SLEEP_MS : MAX_SLEEP_MS;
    const atMs = Math.min(earliest.atMs, nowMs + sleepMs);
    if (this.timer !== undefined && this.timerAtMs <= atMs) return;
    this.timer?.cancel();
    this.timerAtMs = atMs;
    this.timer = this.clock.after(Math.max(0, Math.ceil(atMs - nowMs)), () => this.wake());
  }
}

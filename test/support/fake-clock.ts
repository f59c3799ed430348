import type { Clock, Timer } from '../../core/ports.ts';

interface Pending {
  atMs: number;
  order: number;
  fn: () => void;
}

/** A clock that stands still until told otherwise. Wall clock and monotonic clock may be moved apart. */
export class FakeClock implements Clock {
  private wallOffsetMs: number;
  private elapsedMs = 0;
  private order = 0;
  private readonly pending = new Set<Pending>();
  /** Every delay asked for, for those who must not ask for too long a one. */
  readonly delaysMs: number[] = [];

  /** `startMs`: the wall clock at the beginning, Unix ms. */
  constructor(startMs = Date.parse('2026-01-01T00:00:00Z')) {
    this.wallOffsetMs = startMs;
  }

  nowMs(): number {
    return this.wallOffsetMs + this.elapsedMs;
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  after(delayMs: number, fn: () => void): Timer {
    this.delaysMs.push(delayMs);
    const timer = { atMs: this.elapsedMs + Math.max(0, delayMs), order: this.order++, fn };
    this.pending.add(timer);
    return { cancel: () => this.pending.delete(timer) };
  }

  /** Lets `ms` go by. Timers fire at their instants, in order, and what they set in motion settles before the next one. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.elapsedMs + ms;
    await settle();
    for (let timer = this.earliest(untilMs); timer !== undefined; timer = this.earliest(untilMs)) {
      this.pending.delete(timer);
      this.elapsedMs = Math.max(this.elapsedMs, timer.atMs);
      timer.fn();
      await settle();
    }
    this.elapsedMs = Math.max(this.elapsedMs, untilMs);
  }

  /** Lets `ms` go by while the event loop is blocked: timers fire late, at the next `advance`. */
  stall(ms: number): void {
    this.elapsedMs += ms;
  }

  /** Sets the wall clock forward or back; the monotonic clock does not notice. */
  stepWall(ms: number): void {
    this.wallOffsetMs += ms;
  }

  /** How many timers are set. */
  get timers(): number {
    return this.pending.size;
  }

  private earliest(untilMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.pending) {
      if (timer.atMs > untilMs) continue;
      if (first === undefined || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  }
}

/** Lets every promise that can settle do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Which stacks need not be written again: each is written once a service and UTC day, so that it outlives its samples. */

const DAY_MS = 86_400_000;
/** About 15 MB. A stack that falls out is written once more, which changes nothing. */
const CAPACITY = 100_000;

export interface KnownStacks {
  isKnown(service: string, stack: string): boolean;
  /** The stack has been written. */
  know(service: string, stack: string): void;
}

export function createKnownStacks(nowMs: () => number, capacity = CAPACITY): KnownStacks {
  /** By service and hash, the least recently used first; the day it was written on. */
  const days = new Map<string, number>();
  const today = (): number => Math.floor(nowMs() / DAY_MS);
  return {
    isKnown(service, stack) {
      const key = `${service}\n${stack}`;
      const day = days.get(key);
      if (day === undefined) return false;
      days.delete(key);
      days.set(key, day);
      return day === today();
    },
    know(service, stack) {
      const key = `${service}\n${stack}`;
      days.delete(key);
      days.set(key, today());
      const [oldest] = days.keys();
      if (days.size > capacity && oldest !== undefined) days.delete(oldest);
    },
  };
}

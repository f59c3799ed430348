import type { Counter } from 'prom-client';

/** A counter that follows a total kept elsewhere. prom-client counts up only, so it is set by reset and inc. */
export function follow(counter: Counter<string>, entries: Iterable<[Record<string, string>, number]>): void {
  counter.reset();
  for (const [labels, value] of entries) counter.inc(labels, value);
}

/** Randomness that a seed repeats. */
export interface Draw {
  /** Uniform in [0, 1). */
  unit(): number;
  /** Uniform whole number in [0, bound). */
  below(bound: number): number;
  /** Uniform whole number, both ends included. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  /** Throws a RangeError on an empty list. */
  pick<T>(items: readonly T[]): T;
}

/** The same seed (a whole number) gives the same draws. */
export function seeded(seed: number): Draw {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number): number => Math.floor(unit() * bound);
  return {
    unit,
    below,
    between: (low, high) => low + below(high - low + 1),
    chance: (probability) => unit() < probability,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('nothing to pick from');
      return items[below(items.length)] as (typeof items)[number];
    },
  };
}

/** The seed of the `index`-th thing under `seed`. */
export function seedOf(seed: number, index: number): number {
  return Math.floor(seeded(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)).unit() * 2 ** 32);
}

/** The items in an order drawn by `draw`. */
export function shuffled<T>(items: readonly T[], draw: Draw): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = draw.below(i + 1);
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

/** Seeded durations of the shapes that Go services have, and the percentile that everything is held against. */

export interface DurationLoad {
  name: string;
  /** The next duration in nanoseconds, a whole number of at least 1. */
  draw(random: () => number): number;
}

/** Standard normal from two uniforms (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const logNormal = (random: () => number, medianMs: number, sigma: number): number =>
  Math.max(1, Math.round(medianMs * 1e6 * Math.exp(sigma * normal(random))));

export const DURATION_LOADS: readonly DurationLoad[] = [
  { name: 'lognormal, median 1.2 ms, σ 0.6', draw: (random) => logNormal(random, 1.2, 0.6) },
  { name: 'lognormal, median 12 ms, σ 0.7', draw: (random) => logNormal(random, 12, 0.7) },
  {
    name: '95.5 % around 8 ms, 4.5 % around 300 ms',
    draw: (random) => (random() < 0.955 ? logNormal(random, 8, 0.3) : logNormal(random, 300, 0.3)),
  },
  {
    name: 'exponential, mean 20 ms',
    draw: (random) => Math.max(1, Math.round(-20e6 * Math.log(1 - random()))),
  },
];

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x100000000;
  };
}

/** The value of rank ceil(q * n) of ascending values. */
export function nearestRankOf(ascending: ArrayLike<number>, q: number): number {
  return ascending[Math.max(1, Math.ceil(q * ascending.length)) - 1] ?? Number.NaN;
}

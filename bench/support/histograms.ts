/** What other systems would keep of the same durations, and read a percentile from: buckets, and interpolation inside one. */

/** Upper bounds of the span metrics connector's default histogram, in milliseconds. */
export const SPANMETRICS_BOUNDS_MS = [
  2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000,
] as const;

/**
 * `histogram_quantile` of a classic histogram: linear inside the bucket, from 0 in the first, and the highest bound where the
 * rank lies above it.
 */
export function classicQuantile(valuesMs: ArrayLike<number>, boundsMs: readonly number[], q: number): number {
  const counts = new Array<number>(boundsMs.length + 1).fill(0);
  for (let i = 0; i < valuesMs.length; i++) {
    const bucket = boundsMs.findIndex((bound) => (valuesMs[i] ?? 0) <= bound);
    const at = bucket < 0 ? boundsMs.length : bucket;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  const { bucket, share } = locate(counts, q * valuesMs.length);
  if (bucket >= boundsMs.length) return boundsMs.at(-1) ?? Number.NaN;
  const lower = boundsMs[bucket - 1] ?? 0;
  return lower + ((boundsMs[bucket] ?? 0) - lower) * share;
}

/**
 * A percentile of exponential buckets of base 2^(2^-scale), each without its lower bound and with its upper; inside the bucket
 * exponentially interpolated, as PromQL does with native histograms.
 */
export function exponentialQuantile(values: ArrayLike<number>, scale: number, q: number): number {
  const first = bucketOf(extreme(values, Math.min), scale);
  const last = bucketOf(extreme(values, Math.max), scale);
  const counts = new Array<number>(last - first + 1).fill(0);
  for (let i = 0; i < values.length; i++) {
    const at = bucketOf(values[i] ?? 0, scale) - first;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  const { bucket, share } = locate(counts, q * values.length);
  return 2 ** ((first + bucket - 1 + share) * 2 ** -scale);
}

/** The finest scale at which all values fit into as many buckets: what an OpenTelemetry exponential histogram ends up with. */
export function adaptiveScale(values: ArrayLike<number>, maxBuckets: number): number {
  const [min, max] = [extreme(values, Math.min), extreme(values, Math.max)];
  for (let scale = 20; ; scale--) {
    if (bucketOf(max, scale) - bucketOf(min, scale) < maxBuckets) return scale;
  }
}

function bucketOf(value: number, scale: number): number {
  return Math.ceil(Math.log2(value) * 2 ** scale);
}

function extreme(values: ArrayLike<number>, pick: (a: number, b: number) => number): number {
  let found = values[0] ?? Number.NaN;
  for (let i = 1; i < values.length; i++) found = pick(found, values[i] ?? found);
  return found;
}

/** The bucket that holds a rank, and which share of the bucket lies below the rank. */
function locate(counts: readonly number[], rank: number): { bucket: number; share: number } {
  let below = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket] ?? 0;
    if (count > 0 && below + count >= rank) return { bucket, share: (rank - below) / count };
    below += count;
  }
  return { bucket: counts.length, share: 0 };
}

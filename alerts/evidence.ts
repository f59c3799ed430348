/** What each rule saw, by its `kind`. Type aliases, so that they are `Evidence` as they stand. */

/** One side of the comparison. Times are ISO; `to` is exclusive. */
export type P99 = { p99Ms: number; n: number; from: string; to: string };

export type LatencyEvidence = {
  kind: 'latency';
  service: string;
  route: string;
  before: P99;
  after: P99;
  increaseMs: number;
  /** Share of `before`; null where that is 0. */
  increaseRatio: number | null;
  /** Of either p99. */
  relativeError: number;
};

export type GoroutineEvidence = {
  kind: 'goroutines';
  service: string;
  target: string;
  stack: string;
  function: string;
  location: string;
  /** Root first. */
  functions: readonly string[];
  /** Least goroutines of each window, oldest first; `before` and `after` are the first and the last. */
  minima: readonly number[];
  before: number;
  after: number;
  growth: number;
  /** Polls that these were read from. */
  n: number;
  windowSeconds: number;
  since: string;
};

/** What is known of an alert once it fires; absent before. */
export type Enriched = {
  /** Since when a route is slow, to the minute. */
  onset?: string;
  slowestTraces?: readonly { traceId: string; durationMs: number; time: string }[];
  /** The newest deploy of the service in the half hour before; null where none is known. */
  suspectDeploy?: Readonly<Record<string, string | null>> | null;
  /** What could not be read, and why. */
  notes?: readonly string[];
};

/** How fast the loader takes bytes off the journal, weighted towards the last half minute. */
const HALF_MINUTE_MS = 30_000;

export class DrainRate {
  readonly #startedMs: number;
  #weighted = 0;
  #atMs: number;

  constructor(nowMs: number) {
    this.#startedMs = nowMs;
    this.#atMs = nowMs;
  }

  /** Times are monotonic. */
  removed(bytes: number, nowMs: number): void {
    this.#weighted = this.#decayed(nowMs) + bytes;
    this.#atMs = nowMs;
  }

  bytesPerSecond(nowMs: number): number {
    // The weights that have had time to come together: without this a young process would seem slow.
    const weight = 1 - Math.exp(-Math.max(1000, nowMs - this.#startedMs) / HALF_MINUTE_MS);
    return this.#decayed(nowMs) / (HALF_MINUTE_MS / 1000) / weight;
  }

  #decayed(nowMs: number): number {
    return this.#weighted * Math.exp(-(nowMs - this.#atMs) / HALF_MINUTE_MS);
  }
}

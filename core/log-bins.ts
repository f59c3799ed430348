/** The explicit log bins of every sketch here: 1 % relative error, and counts that add up. The store has the same formula. */

const LOG_GAMMA = Math.log(1.01 / 0.99);

/** Bin of a duration in nanoseconds; -1 holds what is not above 0. */
export function logBin(ns: number): number {
  return ns >= 1 ? Math.ceil(Math.log(ns) / LOG_GAMMA) : -1;
}

/** One unit per meaning: whatever a profiler counts time in (Node's in microseconds, Go's in nanoseconds), it is stored in nanoseconds. */

const NANOSECONDS_IN: Readonly<Record<string, bigint>> = {
  microseconds: 1_000n,
  milliseconds: 1_000_000n,
  seconds: 1_000_000_000n,
};
const MAX = 2n ** 63n - 1n;

export interface Measure {
  unit: string;
  /** Converts a value; decimal text where it may pass 2^53, held within 64 bits. */
  convert(value: number | string): number | string;
}

/** What values of the given unit become. */
export function measureOf(unit: string): Measure {
  const factor = Object.hasOwn(NANOSECONDS_IN, unit) ? NANOSECONDS_IN[unit] : undefined;
  if (factor === undefined) return { unit, convert: (value) => value };
  return { unit: 'nanoseconds', convert: (value) => portable(BigInt(value) * factor) };
}

function portable(value: bigint): number | string {
  const held = value > MAX ? MAX : value < -MAX ? -MAX : value;
  const plain = Number(held);
  return Number.isSafeInteger(plain) ? plain : held.toString();
}

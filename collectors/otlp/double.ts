/** Doubles, told apart by their bytes: most attribute doubles are settled by the exponent alone. */

const scratch = new Float64Array(1);
const scratchBytes = new Uint8Array(scratch.buffer);

/** The little-endian double at `at`; the caller has checked that eight bytes are there. */
export function readDouble(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) scratchBytes[i] = bytes[at + i] as number;
  return scratch[0] as number;
}

// 2^-19 > 1e-6 and 2^69 < 1e21: between these exponents no double needs a second look.
const LOWEST_PLAIN_EXPONENT = 1023 - 19;
const HIGHEST_PLAIN_EXPONENT = 1023 + 68;

/** Whether the engine's `toString` of the double at `at` differs from the Collector's text: NaN, infinities, -0, and what is written with an exponent. */
export function needsText(bytes: Uint8Array, at: number): boolean {
  const exponent = (((bytes[at + 7] as number) & 0x7f) << 4) | ((bytes[at + 6] as number) >> 4);
  if (exponent >= LOWEST_PLAIN_EXPONENT && exponent <= HIGHEST_PLAIN_EXPONENT) return false;
  const value = readDouble(bytes, at);
  if (value === 0) return Object.is(value, -0);
  const size = Math.abs(value);
  return !(size >= 1e-6 && size < 1e21);
}

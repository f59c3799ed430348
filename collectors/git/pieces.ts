/** Small pieces of git's output, told apart. */

const DASH = 0x2d;
/** UInt32. */
const FIGURE_MAX = 4_294_967_295;

/** Git prints the placeholder itself where it cannot read the line. */
export function known(text: string, placeholder: string): string {
  return text === placeholder ? '' : text;
}

/** A full object name, SHA-1 or SHA-256, in lower-case hex. */
export function isHash(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (length !== 40 && length !== 64) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (!((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) return false;
  }
  return true;
}

/** Digits, or null for the dash of a binary file; undefined for anything else. */
export function figure(bytes: Buffer, start: number, end: number): number | null | undefined {
  if (end - start === 1 && bytes[start] === DASH) return null;
  if (end === start || end - start > 10) return undefined;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value > FIGURE_MAX ? undefined : value;
}

/** 64-bit integers out of decimal text, in two 32-bit halves: exact, and without a bigint for each. */
import { isDigit, MINUS } from './bytes.ts';

const TWO_32 = 4_294_967_296;
const BILLION = 1_000_000_000;
/** Of 2^64 - 1. */
const MAX_DIGITS = 20;

/** The integer read last: magnitude in halves, and sign. */
export class Integer {
  high = 0;
  low = 0;
  negative = false;

  /** Takes plain digits, `-` before them allowed. False where the magnitude is above 2^64 - 1. */
  digits(bytes: Uint8Array, start: number, end: number): boolean {
    this.negative = bytes[start] === MINUS;
    const from = this.negative ? start + 1 : start;
    if (end - from > MAX_DIGITS) return false;
    const split = Math.max(from, end - 9);
    const upper = decimal(bytes, from, split);
    const lower = decimal(bytes, split, end);
    // upper * 10^9 + lower, with `upper` cut so that no product passes 2^53.
    const a = Math.floor(upper / 65_536) * BILLION;
    const b = (a % 65_536) * 65_536 + (upper % 65_536) * BILLION + lower;
    this.high = Math.floor(a / 65_536) + Math.floor(b / TWO_32);
    this.low = b % TWO_32;
    return this.high < TWO_32;
  }

  /** Takes a number with a fraction or an exponent. False where it is no integer below 2^64 in magnitude. */
  decimal(text: string): boolean {
    const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
    const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
    const digits = whole + fraction;
    const significant = digits.replace(/0+$/, '');
    const scale = Number(exponent) - fraction.length + (digits.length - significant.length);
    const plain = significant.replace(/^0+/, '');
    this.negative = text.startsWith('-');
    this.high = 0;
    this.low = 0;
    if (plain === '') return true;
    if (!(scale >= 0 && plain.length + scale <= MAX_DIGITS)) return false;
    const value = BigInt(plain) * 10n ** BigInt(scale);
    this.high = Number(value >> 32n);
    this.low = Number(value & 0xffffffffn);
    return this.high < TWO_32;
  }

  isZero(): boolean {
    return this.high === 0 && this.low === 0;
  }

  /** Whether the value lies in int64, and turns it into two's complement halves if so. */
  toInt64(): boolean {
    const half = TWO_32 / 2;
    if (!this.negative) return this.high < half;
    if (this.high > half || (this.high === half && this.low > 0)) return false;
    if (this.isZero()) return true;
    this.high = (~this.high + (this.low === 0 ? 1 : 0)) >>> 0;
    this.low = (~this.low + 1) >>> 0;
    return true;
  }
}

function decimal(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let p = start; p < end; p++) value = value * 10 + ((bytes[p] as number) - 0x30);
  return value;
}

/** Whether `start..end` is digits alone: no sign, no fraction, at most fifteen of them, so that a double holds it exactly. */
export function isSmallInteger(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > 15) return false;
  for (let p = start; p < end; p++) if (!isDigit(bytes[p])) return false;
  return true;
}

/** Value of what `isSmallInteger` says yes to. */
export const smallInteger = decimal;

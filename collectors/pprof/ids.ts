/** Ids of a profile's messages: nonzero and unique, in any order, dense in most profiles and addresses in some. */
import { Malformed, TWO_32 } from './wire.ts';

/** Above it a double no longer tells neighbours apart. */
const EXACT_HIGH = 0x20_0000;

/** Id -> position; ids come as their two halves. Small ones are looked up in an array, the others in a map. */
export class IdTable {
  readonly #what: string;
  readonly #dense: Int32Array;
  readonly #sparse = new Map<number | bigint, number>();

  /** `what` names the messages in reasons, `count` is how many there are. */
  constructor(what: string, count: number) {
    this.#what = what;
    this.#dense = new Int32Array(count * 4 + 64).fill(-1);
  }

  /** Throws Malformed, naming the message at `offset`, for 0 and for an id that is taken. */
  add(low: number, high: number, position: number, offset: number): void {
    if (low === 0 && high === 0) throw new Malformed(offset, `a ${this.#what} has id 0, which is reserved`);
    if (this.find(low, high) >= 0) throw new Malformed(offset, `two ${this.#what}s have the same id`);
    if (high === 0 && low < this.#dense.length) this.#dense[low] = position;
    else this.#sparse.set(keyOf(low, high), position);
  }

  /** Position of the id, -1 where there is none. */
  find(low: number, high: number): number {
    if (high === 0 && low < this.#dense.length) return this.#dense[low] as number;
    return this.#sparse.get(keyOf(low, high)) ?? -1;
  }
}

function keyOf(low: number, high: number): number | bigint {
  return high < EXACT_HIGH ? high * TWO_32 + low : (BigInt(high) << 32n) | BigInt(low);
}

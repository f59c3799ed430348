/**
 * The 128-bit hash that names stacks: MurmurHash3_x86_128. A stack's name need not withstand an attacker, who could only spoil
 * the picture of a process that is his already; it must not collide by chance, and it must cost less than reading the sample.
 */

/** Integers of a hash. */
export const LANES = 4;

/** A hash under way: four lanes of 32 bits. */
export class Hash128 {
  a = 0;
  b = 0;
  c = 0;
  d = 0;

  /** Hashes the bytes from `start` to `end`. */
  ofBytes(bytes: Uint8Array, start: number, end: number): void {
    this.a = this.b = this.c = this.d = 0;
    const block = new Int32Array(LANES);
    const first = new Int32Array(1);
    let at = start;
    for (; at + 16 <= end; at += 16) {
      for (let i = 0; i < LANES; i++) block[i] = word(bytes, at + i * 4, at + i * 4 + 4);
      this.#blocks(block, first, 1);
    }
    this.a ^= mixA(word(bytes, at, end));
    this.b ^= mixB(word(bytes, at + 4, end));
    this.c ^= mixC(word(bytes, at + 8, end));
    this.d ^= mixD(word(bytes, at + 12, end));
    this.#finish(end - start);
  }

  /** Hashes `count` hashes, end to end: those of `lanes` that `numbers` begins with. */
  ofHashes(lanes: Int32Array, numbers: Int32Array, count: number): void {
    this.a = this.b = this.c = this.d = 0;
    this.#blocks(lanes, numbers, count);
    this.#finish(count * LANES * 4);
  }

  #blocks(words: Int32Array, numbers: Int32Array, count: number): void {
    let { a, b, c, d } = this; // locals, which the loop keeps in registers
    for (let i = 0; i < count; i++) {
      const at = (numbers[i] as number) * LANES;
      a = rotate(a ^ mixA(words[at] as number), 19) + b;
      a = (Math.imul(a, 5) + 0x561c_cd1b) | 0;
      b = rotate(b ^ mixB(words[at + 1] as number), 17) + c;
      b = (Math.imul(b, 5) + 0x0bca_a747) | 0;
      c = rotate(c ^ mixC(words[at + 2] as number), 15) + d;
      c = (Math.imul(c, 5) + 0x96cd_1c35) | 0;
      d = rotate(d ^ mixD(words[at + 3] as number), 13) + a;
      d = (Math.imul(d, 5) + 0x32ac_3b17) | 0;
    }
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
  }

  #finish(length: number): void {
    this.a ^= length;
    this.b ^= length;
    this.c ^= length;
    this.d ^= length;
    this.#spread();
    this.a = avalanche(this.a);
    this.b = avalanche(this.b);
    this.c = avalanche(this.c);
    this.d = avalanche(this.d);
    this.#spread();
  }

  #spread(): void {
    this.a = (this.a + this.b + this.c + this.d) | 0;
    this.b = (this.b + this.a) | 0;
    this.c = (this.c + this.a) | 0;
    this.d = (this.d + this.a) | 0;
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

const mixA = (k: number): number => Math.imul(rotate(Math.imul(k, 0x239b_961b), 15), 0xab0e_9789);
const mixB = (k: number): number => Math.imul(rotate(Math.imul(k, 0xab0e_9789), 16), 0x38b3_4ae5);
const mixC = (k: number): number => Math.imul(rotate(Math.imul(k, 0x38b3_4ae5), 17), 0xa1e3_8b93);
const mixD = (k: number): number => Math.imul(rotate(Math.imul(k, 0xa1e3_8b93), 18), 0x239b_961b);

function avalanche(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}

/** The bytes before `end`, four at most, as a little-endian integer; 0 where there are none. */
function word(bytes: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let at = Math.min(end, from + 4) - 1; at >= from; at--) value = (value << 8) | (bytes[at] as number);
  return value;
}

/** Hashes as text, 32 lower hex digits each; `lanes` holds four entries a hash. */
export function hexOf(lanes: Int32Array): string[] {
  const bytes = Buffer.allocUnsafe(lanes.length * 4);
  for (let i = 0; i < lanes.length; i++) bytes.writeInt32BE(lanes[i] as number, i * 4);
  const text = bytes.toString('hex'); // once for all: a call costs more than a hash
  return Array.from({ length: lanes.length / LANES }, (_, i) => text.slice(i * 32, i * 32 + 32));
}

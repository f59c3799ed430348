/**
 * The 128-bit hash that names stacks: MurmurHash3_x86_128. A stack's name need not withstand an attacker, who could only spoil
 * the picture of a process that is his already; it must not collide by chance, and it must cost less than reading the sample.
 */

/** Four lanes of 32 bits. Feed whole blocks with `block`, then `finish`; `bytes` does both for a run of bytes. */
export class Hash128 {
  a = 0;
  b = 0;
  c = 0;
  d = 0;

  reset(): void {
    this.a = this.b = this.c = this.d = 0;
  }

  /** Mixes in 16 bytes, as four little-endian integers. */
  block(k1: number, k2: number, k3: number, k4: number): void {
    this.#mix(k1, k2, k3, k4);
    this.a = (Math.imul(rotate(this.a, 19) + this.b, 5) + 0x561c_cd1b) | 0;
    this.b = (Math.imul(rotate(this.b, 17) + this.c, 5) + 0x0bca_a747) | 0;
    this.c = (Math.imul(rotate(this.c, 15) + this.d, 5) + 0x96cd_1c35) | 0;
    this.d = (Math.imul(rotate(this.d, 13) + this.a, 5) + 0x32ac_3b17) | 0;
  }

  #mix(k1: number, k2: number, k3: number, k4: number): void {
    this.a ^= Math.imul(rotate(Math.imul(k1, 0x239b_961b), 15), 0xab0e_9789);
    this.b ^= Math.imul(rotate(Math.imul(k2, 0xab0e_9789), 16), 0x38b3_4ae5);
    this.c ^= Math.imul(rotate(Math.imul(k3, 0x38b3_4ae5), 17), 0xa1e3_8b93);
    this.d ^= Math.imul(rotate(Math.imul(k4, 0xa1e3_8b93), 18), 0x239b_961b);
  }

  /** Ends the hash of `length` bytes. */
  finish(length: number): void {
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

  /** Hashes the bytes from `start` to `end`. */
  bytes(bytes: Uint8Array, start: number, end: number): void {
    this.reset();
    let at = start;
    for (; at + 16 <= end; at += 16)
      this.block(word(bytes, at), word(bytes, at + 4), word(bytes, at + 8), word(bytes, at + 12));
    if (at < end)
      this.#mix(rest(bytes, at, end), rest(bytes, at + 4, end), rest(bytes, at + 8, end), rest(bytes, at + 12, end));
    this.finish(end - start);
  }
}

const ofBytes = new Hash128();

/** Hash of the bytes from `start` to `end`; the result is good until the next call. */
export function hashOf(bytes: Uint8Array, start: number, end: number): Readonly<Pick<Hash128, 'a' | 'b' | 'c' | 'd'>> {
  ofBytes.bytes(bytes, start, end);
  return ofBytes;
}

/** Hashes as text, 32 lower hex digits each; `lanes` holds four entries a hash. */
export function hexOf(lanes: Int32Array): string[] {
  const bytes = Buffer.allocUnsafe(lanes.length * 4);
  for (let i = 0; i < lanes.length; i++) bytes.writeInt32BE(lanes[i] as number, i * 4);
  const text = bytes.toString('hex'); // once for all: a call costs more than a hash
  return Array.from({ length: lanes.length / 4 }, (_, i) => text.slice(i * 32, i * 32 + 32));
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function avalanche(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Up to four bytes that are left, 0 where none are. */
function rest(bytes: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let at = Math.min(end, from + 4) - 1; at >= from; at--) value = (value << 8) | (bytes[at] as number);
  return value;
}

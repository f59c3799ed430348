/**
 * Protobuf wire format, read with a cursor. https://protobuf.dev/programming-guides/encoding/
 * Numbers of 64 bits come as two halves, because a double holds 53 of them and a bigint per number is slow.
 */

export const TWO_32 = 4_294_967_296;

/** The bytes are no profile: which rule they break, and at which byte of the unpacked profile. */
export class Malformed extends Error {
  readonly offset: number;
  readonly rule: string;

  constructor(offset: number, rule: string) {
    super(`${rule} (at byte ${offset})`);
    this.name = 'Malformed';
    this.offset = offset;
    this.rule = rule;
  }
}

export const VARINT = 0;
export const LENGTH = 2;

/** A cursor over a message. Every read throws Malformed where it would pass the end. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;
  end: number;
  /** Halves of the number read last, each unsigned. */
  low = 0;
  high = 0;
  /** Field read last, and its wire type. */
  field = 0;
  type = 0;
  /** Where that field's tag began. */
  fieldAt = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
  }

  /** Sets the cursor to a message's bytes. */
  enter(start: number, end: number): void {
    this.at = start;
    this.end = end;
  }

  /** Reads the next tag; false at the end of the message. */
  next(): boolean {
    if (this.at >= this.end) return false;
    this.fieldAt = this.at;
    const tag = this.number();
    if (tag < 8) throw new Malformed(this.fieldAt, 'a field number is 0');
    if (tag > 0xffff_ffff) throw new Malformed(this.fieldAt, 'a field number is above 536870911');
    this.field = Math.floor(tag / 8);
    this.type = tag & 7;
    return true;
  }

  /** Reads a varint into `low` and `high`. */
  varint(): void {
    const { bytes, end } = this;
    const from = this.at;
    let at = from;
    let low = 0;
    let high = 0;
    for (let shift = 0; at < end; shift += 7) {
      const byte = bytes[at++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else if (byte > 1) throw new Malformed(from, 'a varint is longer than 64 bits');
      else high |= bits << 31;
      if (byte < 0x80) {
        this.at = at;
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw new Malformed(from, 'a varint runs past the end of its message');
  }

  /** Reads a varint as a number, rounded above 2^53. */
  number(): number {
    const byte = this.at < this.end ? (this.bytes[this.at] as number) : 0x80;
    if (byte < 0x80) {
      this.at += 1;
      this.low = byte;
      this.high = 0;
      return byte;
    }
    this.varint();
    return this.high * TWO_32 + this.low;
  }

  /** Reads a length and returns where the payload it counts ends; the cursor stands at its start. */
  length(): number {
    const from = this.at;
    const stop = this.number() + this.at;
    if (stop > this.end) throw new Malformed(from, 'a length runs past the end of its message');
    return stop;
  }

  /** Passes over the value of the field just read. */
  skip(): void {
    if (this.type === VARINT) this.varint();
    else if (this.type === LENGTH) this.at = this.length();
    else if (this.type === 1 || this.type === 5) {
      const size = this.type === 1 ? 8 : 4;
      if (this.end - this.at < size)
        throw new Malformed(this.at, 'a fixed-width number runs past the end of its message');
      this.at += size;
    } else throw new Malformed(this.fieldAt, `wire type ${this.type} (groups, or none at all) is not taken`);
  }

  /** Refuses the field just read where it came with another wire type than its own. */
  expect(type: number, name: string): void {
    if (this.type !== type)
      throw new Malformed(this.fieldAt, `${name} has wire type ${this.type}, which is not its own`);
  }
}

/** Integers in one growing array. */
export class Ints {
  data = new Int32Array(256);
  length = 0;

  push(value: number): void {
    if (this.length === this.data.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.data);
      this.data = larger;
    }
    this.data[this.length++] = value;
  }

  at(index: number): number {
    return this.data[index] as number;
  }
}

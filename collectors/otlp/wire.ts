/**
 * The protobuf wire format, as strict as the engine's reader: what is let through here is parsed there without an error.
 * https://protobuf.dev/programming-guides/encoding/
 */

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_LENGTH = 2;
export const WIRE_FIXED32 = 5;

/** Tags (number << 3 | wire type) of the AnyValue members. */
export const STRING_VALUE = 0x0a;
export const BOOL_VALUE = 0x10;
export const INT_VALUE = 0x18;
export const DOUBLE_VALUE = 0x21;
export const ARRAY_VALUE = 0x2a;
export const KVLIST_VALUE = 0x32;
export const BYTES_VALUE = 0x3a;

/** The bytes break the wire format at `offset`; `rule` says which rule, in words a sender can act on. */
export class FramingError extends Error {
  readonly offset: number;
  readonly rule: string;

  constructor(offset: number, rule: string) {
    super(`${rule} (at byte ${offset})`);
    this.name = 'FramingError';
    this.offset = offset;
    this.rule = rule;
  }
}

/** The field `name` came at `at` with another wire type than the schema gives it. */
export function wrongWireType(at: number, tag: number, name: string): FramingError {
  return new FramingError(at, `${name} has wire type ${tag & 7}, which is not its own`);
}

/**
 * Reads over protobuf bytes. A read takes a position and returns the next one; a second result is left in a field
 * (`value`, `stop`), because returning an object per field would cost more than the read.
 */
export class WireReader {
  readonly bytes: Uint8Array;
  /** Tag or number read last. Above 2^53 it is rounded, which no caller minds: such a length is out of bounds anyway. */
  value = 0;
  /** End (exclusive) of the length-delimited payload entered last. */
  stop = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /**
   * Reads a varint into `value`; returns the position after it. A tenth byte holds bit 63 alone, so it must be 1.
   * Throws FramingError.
   */
  varint(at: number, end: number): number {
    const bytes = this.bytes;
    let value = 0;
    let scale = 1;
    for (let p = at; p < end; p++) {
      const byte = bytes[p] as number;
      if (p - at === 9 && byte !== 1) throw new FramingError(at, 'a varint is longer than 64 bits');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.value = value;
        return p + 1;
      }
      scale *= 128;
    }
    throw new FramingError(at, 'a varint runs past the end of its message');
  }

  /** Reads a tag into `value`; returns the position after it. Throws FramingError. */
  tag(at: number, end: number): number {
    const next = this.varint(at, end);
    if (this.value > 0xffffffff) throw new FramingError(at, 'a field number is above 536870911');
    if (this.value < 8) throw new FramingError(at, 'a field number is 0');
    return next;
  }

  /** Reads a length and puts the payload's end into `stop`; returns the payload's start. Throws FramingError. */
  enter(at: number, end: number): number {
    let length = -1;
    let start = at + 1;
    if (at < end) length = this.bytes[at] as number;
    if (length < 0 || length >= 0x80) {
      start = this.varint(at, end);
      length = this.value;
    }
    if (length > end - start) throw new FramingError(at, 'a length runs past the end of its message');
    this.stop = start + length;
    return start;
  }

  /** Position after `size` bytes. Throws FramingError when fewer are left. */
  fixed(at: number, size: number, end: number): number {
    if (end - at < size) throw new FramingError(at, 'a fixed-width number runs past the end of its message');
    return at + size;
  }

  /** Position after the value of a field that is not in the schema. Throws FramingError. */
  skip(tag: number, at: number, end: number): number {
    switch (tag & 7) {
      case WIRE_VARINT:
        return this.varint(at, end);
      case WIRE_FIXED64:
        return this.fixed(at, 8, end);
      case WIRE_LENGTH:
        this.enter(at, end);
        return this.stop;
      case WIRE_FIXED32:
        return this.fixed(at, 4, end);
      default:
        throw new FramingError(at, `wire type ${tag & 7} (groups, or none at all) is not taken`);
    }
  }
}

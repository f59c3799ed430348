import { HeliographError } from '../../core/errors.ts';

/** Appends protobuf bytes to one growing buffer that never passes `maxBytes` (throws `body_too_large`). */
export class ByteWriter {
  private bytes: Uint8Array;
  private readonly maxBytes: number;
  length = 0;

  constructor(initialBytes: number, maxBytes: number) {
    this.bytes = new Uint8Array(Math.min(initialBytes, maxBytes));
    this.maxBytes = maxBytes;
  }

  /** What has been written; a view, not a copy. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    if (needed > this.maxBytes) {
      throw new HeliographError('body_too_large', `The body is over ${this.maxBytes} bytes after rewriting.`);
    }
    const grown = new Uint8Array(Math.min(this.maxBytes, Math.max(needed, this.bytes.length * 2)));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Copies `start..end` of `source`. */
  copy(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    if (end - start < 64) {
      // A subarray costs more than a short copy.
      for (let p = start; p < end; p++) this.bytes[this.length++] = source[p] as number;
      return;
    }
    this.bytes.set(source.subarray(start, end), this.length);
    this.length += end - start;
  }

  /** Text of ASCII characters only. */
  ascii(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.bytes[this.length++] = text.charCodeAt(i);
  }

  /** An unsigned varint below 2^32: a tag or a length. */
  varint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest);
  }

  /** Four little-endian bytes. */
  uint32(value: number): void {
    this.reserve(4);
    this.bytes[this.length++] = value & 0xff;
    this.bytes[this.length++] = (value >>> 8) & 0xff;
    this.bytes[this.length++] = (value >>> 16) & 0xff;
    this.bytes[this.length++] = value >>> 24;
  }

  /** A varint of 64 bits, given in halves. */
  varint64(high: number, low: number): void {
    let [upper, lower] = [high >>> 0, low >>> 0];
    while (upper > 0) {
      this.byte((lower & 0x7f) | 0x80);
      lower = ((lower >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    this.varint(lower);
  }

  /** A character as UTF-8. */
  codePoint(code: number): void {
    if (code < 0x80) return this.byte(code);
    if (code < 0x800) this.byte(0xc0 | (code >> 6));
    else {
      if (code < 0x10000) this.byte(0xe0 | (code >> 12));
      else {
        this.byte(0xf0 | (code >> 18));
        this.byte(0x80 | ((code >> 12) & 0x3f));
      }
      this.byte(0x80 | ((code >> 6) & 0x3f));
    }
    this.byte(0x80 | (code & 0x3f));
  }

  /** Begins a length-delimited field; hand the result to `close`. One byte is kept for the length. */
  open(tag: number): number {
    this.varint(tag);
    this.byte(0);
    return this.length;
  }

  /** Ends the field begun at `start`, moving its payload up where the length needs more than one byte. */
  close(start: number): void {
    const size = this.length - start;
    let extra = 0;
    for (let rest = size >>> 7; rest > 0; rest >>>= 7) extra++;
    if (extra > 0) {
      this.reserve(extra);
      this.bytes.copyWithin(start + extra, start, this.length);
    }
    this.length = start - 1;
    this.varint(size);
    this.length += size;
  }
}

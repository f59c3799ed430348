/**
 * OTLP/JSON into protobuf, in one pass from bytes to bytes: a field is written as soon as it is read, so that no object is
 * built and no 64-bit integer becomes a double. What a sender may write twice is written twice, and protobuf's rules decide.
 */
import type { ByteWriter } from '../byte-writer.ts';
import { MAX_VALUE_DEPTH } from '../value-walker.ts';
import { appendBase64 } from './base64.ts';
import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COLON, hexDigit, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './bytes.ts';
import { Integer, isSmallInteger, smallInteger } from './integer.ts';
import { JsonReader } from './reader.ts';
import {
  ANY_VALUE,
  BASE64,
  BOOL,
  DOUBLE,
  ENUM,
  FIXED64,
  HEX,
  INT64,
  type JsonField,
  type JsonMessage,
  MESSAGE,
  MESSAGES,
  REQUEST,
  TEXT,
} from './schema.ts';

const scratch = new Float64Array(1);
const scratchBytes = new Uint8Array(scratch.buffer);
const SPECIAL_DOUBLES: ReadonlySet<string> = new Set(['NaN', 'Infinity', '-Infinity']);

export class JsonEncoder extends JsonReader {
  private readonly out: ByteWriter;
  private readonly integer = new Integer();
  private depth = 0;

  constructor(bytes: Uint8Array, out: ByteWriter) {
    super(bytes);
    this.out = out;
  }

  /** Encodes the whole text as one ExportTraceServiceRequest. Throws JsonError, and what the writer throws at its limit. */
  request(): void {
    this.message(REQUEST);
    if (this.peek() !== undefined) throw this.error('nothing may follow the request');
  }

  private message(type: JsonMessage): void {
    this.expect(OPEN_BRACE, 'an object must stand');
    if (this.peek() === CLOSE_BRACE) {
      this.p++;
      return;
    }
    do {
      const field = this.key(type);
      this.expect(COLON, 'a colon must stand');
      if (field === undefined) this.skip();
      else if (!this.null()) this.field(field); // null is what an absent field is
    } while (this.more(CLOSE_BRACE));
  }

  private key(type: JsonMessage): JsonField | undefined {
    if (this.peek() !== QUOTE) throw this.error('a key must stand');
    this.string();
    if (this.escaped) {
      const key = this.unescaped();
      return find(type, key, 0, key.length);
    }
    return find(type, this.bytes, this.start, this.stop);
  }

  private field(field: JsonField): void {
    const { tag, message } = field;
    switch (field.kind) {
      case TEXT:
        return this.text(tag);
      case HEX:
        return this.hex(tag);
      case ENUM:
        return this.enum(tag);
      case FIXED64:
        return this.fixed64(tag);
      case INT64:
        return this.int64(tag);
      case DOUBLE:
        return this.double(tag);
      case BOOL:
        return this.bool(tag);
      case BASE64:
        return this.base64(tag);
      case MESSAGE:
        return this.child(tag, message as JsonMessage);
      case MESSAGES:
        return this.children(tag, message as JsonMessage);
    }
  }

  private child(tag: number, type: JsonMessage): void {
    const start = this.out.open(tag);
    if (type === ANY_VALUE) {
      if (++this.depth > MAX_VALUE_DEPTH) throw this.error(`values may nest ${MAX_VALUE_DEPTH} deep`);
      this.message(type);
      this.depth--;
    } else this.message(type);
    this.out.close(start);
  }

  private children(tag: number, type: JsonMessage): void {
    this.expect(OPEN_BRACKET, 'an array must stand');
    if (this.peek() === CLOSE_BRACKET) {
      this.p++;
      return;
    }
    do this.child(tag, type);
    while (this.more(CLOSE_BRACKET));
  }

  /** Reads a string whose kind of content `rule` names. */
  private quoted(rule: string): void {
    if (this.peek() !== QUOTE) throw this.error(rule);
    this.string();
  }

  private text(tag: number): void {
    this.quoted('a string must stand');
    const { out, start, stop } = this;
    if (this.escaped) {
      const at = out.open(tag);
      this.appendUnescaped(out);
      out.close(at);
    } else {
      out.varint(tag);
      out.varint(stop - start);
      out.copy(this.bytes, start, stop);
    }
  }

  /** Appends the string read last with its escapes undone. */
  private appendUnescaped(out: ByteWriter): void {
    const { bytes, start, stop, p: after } = this;
    let copied = start;
    for (let p = start; p < stop; ) {
      if (bytes[p] !== BACKSLASH) {
        p++;
        continue;
      }
      out.copy(bytes, copied, p);
      out.codePoint(this.escape(p, stop));
      p = this.p;
      copied = p;
    }
    out.copy(bytes, copied, stop);
    this.p = after;
  }

  private unescaped(): Uint8Array {
    const at = this.out.length;
    this.appendUnescaped(this.out);
    const copy = this.out.finish().slice(at);
    this.out.length = at;
    return copy;
  }

  private hex(tag: number): void {
    const at = this.p;
    this.quoted('an id must be a string of hex digits');
    const { bytes, start, stop, out } = this;
    if ((stop - start) % 2 !== 0) throw this.error('an id must have an even number of hex digits', at);
    out.varint(tag);
    out.varint((stop - start) >>> 1);
    for (let p = start; p < stop; p += 2) {
      const high = hexDigit(bytes[p]);
      const low = hexDigit(bytes[p + 1]);
      if (high < 0 || low < 0) throw this.error('an id must be hex digits, not base64 or anything else', p);
      out.byte(high * 16 + low);
    }
  }

  private base64(tag: number): void {
    const at = this.p;
    this.quoted('bytes must be a string of base64');
    const text = this.escaped ? this.unescaped() : this.bytes;
    const [start, stop] = this.escaped ? [0, text.length] : [this.start, this.stop];
    const open = this.out.open(tag);
    if (!appendBase64(this.out, text, start, stop)) throw this.error('bytes must be base64', at);
    this.out.close(open);
  }

  private bool(tag: number): void {
    const value = this.boolean();
    if (value === undefined) throw this.error('true or false must stand');
    this.out.varint(tag);
    this.out.byte(value ? 1 : 0);
  }

  /** Reads an integer, as a number or as a decimal string, into `integer`. */
  private readInteger(): void {
    const at = this.p;
    const quoted = this.peek() === QUOTE;
    if (quoted) this.string();
    const after = this.p;
    const end = quoted ? this.stop : this.bytes.length;
    if (quoted) this.p = this.start;
    const start = this.p;
    const plain = this.number(end);
    const stop = this.p;
    if (quoted && stop !== end) throw this.error('an integer must stand, as a number or as a decimal string', at);
    const fits = plain
      ? this.integer.digits(this.bytes, start, stop)
      : this.integer.decimal(Buffer.from(this.bytes.subarray(start, stop)).toString('latin1'));
    if (!fits) throw this.error('an integer of at most 64 bits must stand', at);
    if (quoted) this.p = after;
  }

  private fixed64(tag: number): void {
    const at = this.p;
    this.readInteger();
    const { integer, out } = this;
    if (integer.negative && !integer.isZero()) throw this.error('an unsigned integer must stand', at);
    out.varint(tag);
    out.uint32(integer.low);
    out.uint32(integer.high);
  }

  private int64(tag: number): void {
    const at = this.p;
    this.readInteger();
    if (!this.integer.toInt64()) throw this.error('an integer of at most 64 bits must stand', at);
    this.out.varint(tag);
    this.out.varint64(this.integer.high, this.integer.low);
  }

  private enum(tag: number): void {
    const at = this.p;
    if (this.peek() === QUOTE) throw this.error('an enum must be an integer; OTLP/JSON does not take names', at);
    this.readInteger();
    const { integer } = this;
    const magnitude = integer.high === 0 ? integer.low : Number.POSITIVE_INFINITY;
    if (magnitude > (integer.negative ? 2_147_483_648 : 2_147_483_647))
      throw this.error('an enum must be an integer of 32 bits', at);
    integer.toInt64();
    this.out.varint(tag);
    this.out.varint64(integer.high, integer.low);
  }

  private double(tag: number): void {
    const at = this.p;
    const value = this.readDouble();
    // Only a word stands for an infinity: a number that becomes one is out of range.
    if (value === undefined) throw this.error('a number must stand, or "NaN", "Infinity", "-Infinity"', at);
    scratch[0] = value;
    this.out.varint(tag);
    for (let i = 0; i < 8; i++) this.out.byte(scratchBytes[i] as number);
  }

  private readDouble(): number | undefined {
    const quoted = this.peek() === QUOTE;
    if (quoted) this.string();
    const after = this.p;
    const end = quoted ? this.stop : this.bytes.length;
    const start = quoted ? this.start : this.p;
    if (quoted) {
      const word = Buffer.from(this.bytes.subarray(start, Math.min(end, start + 10))).toString('latin1');
      if (SPECIAL_DOUBLES.has(word) && end - start === word.length) return Number(word);
      this.p = start;
    }
    this.number(end);
    const stop = this.p;
    if (quoted && stop !== end) return undefined;
    if (quoted) this.p = after;
    if (isSmallInteger(this.bytes, start, stop)) return smallInteger(this.bytes, start, stop);
    const value = Number(Buffer.from(this.bytes.subarray(start, stop)).toString('latin1'));
    return Number.isFinite(value) ? value : undefined;
  }
}

function find(type: JsonMessage, bytes: Uint8Array, start: number, end: number): JsonField | undefined {
  const candidates = type.byLength[end - start];
  if (candidates === undefined) return undefined;
  for (const field of candidates) {
    const { keyBytes } = field;
    let i = 0;
    while (i < keyBytes.length && keyBytes[i] === bytes[start + i]) i++;
    if (i === keyBytes.length) return field;
  }
  return undefined;
}

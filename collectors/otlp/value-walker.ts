/** The walk over attributes: most of a body's bytes, so the shapes every SDK writes are recognised in a few compares. */
import { needsText } from './double.ts';
import {
  ARRAY_VALUE,
  BOOL_VALUE,
  BYTES_VALUE,
  DOUBLE_VALUE,
  FramingError,
  INT_VALUE,
  KVLIST_VALUE,
  STRING_VALUE,
  WIRE_LENGTH,
  WireReader,
  wrongWireType,
} from './wire.ts';

/** Values within values: deeper than this is not telemetry but an attack on the stack. */
export const MAX_VALUE_DEPTH = 64;

/**
 * Messages in a body: one for every 8 bytes of the largest one. A body of nothing but two-byte messages would cost the
 * engine a hundred times its size.
 */
export const MAX_MESSAGES = 2 * 1024 * 1024;

const KEY = 0x0a;
const VALUE = 0x12;
const REPEATED_VALUE = 0x0a;

export class ValueWalker extends WireReader {
  /**
   * Set by what the engine would read otherwise than protobuf and the Collector do. The engine takes an AnyValue apart by its
   * first byte and its size, so it must hold nothing or one scalar, in the shortest encoding, and no unknown field.
   */
  needsRewrite = false;
  protected messages = 0;

  protected countMessage(at: number): void {
    if (++this.messages > MAX_MESSAGES) throw new FramingError(at, `a body holds more than ${MAX_MESSAGES} messages`);
  }

  /** Walks one KeyValue. Throws FramingError. */
  protected keyValue(start: number, end: number): void {
    const bytes = this.bytes;
    // What every SDK writes: a key and a value, both shorter than 128 bytes.
    if (end - start > 3 && bytes[start] === KEY) {
      const keyLength = bytes[start + 1] as number;
      const valueAt = start + 2 + keyLength;
      if (keyLength < 0x80 && valueAt + 1 < end && bytes[valueAt] === VALUE) {
        const valueLength = bytes[valueAt + 1] as number;
        if (valueLength < 0x80 && valueAt + 2 + valueLength === end && isPlainValue(bytes, valueAt + 2, end)) return;
      }
    }
    this.anyKeyValue(start, end, 1);
  }

  private anyKeyValue(start: number, end: number, depth: number): void {
    let seen = 0;
    let p = start;
    while (p < end) {
      const at = p;
      p = this.tag(at, end);
      const tag = this.value;
      const number = tag >>> 3;
      if (number > 2) {
        p = this.skip(tag, p, end);
        continue;
      }
      if ((tag & 7) !== WIRE_LENGTH) throw wrongWireType(at, tag, number === 1 ? 'KeyValue.key' : 'KeyValue.value');
      if ((seen & number) !== 0) this.needsRewrite = true;
      seen |= number;
      p = this.enter(p, end);
      const stop = this.stop;
      if (tag === VALUE) this.anyValue(p, stop, depth);
      p = stop;
    }
  }

  private anyValue(start: number, end: number, depth: number): void {
    this.countMessage(start);
    if (depth > MAX_VALUE_DEPTH) throw new FramingError(start, `values are nested deeper than ${MAX_VALUE_DEPTH}`);
    let members = 0;
    let p = start;
    while (p < end) {
      const at = p;
      p = this.tag(at, end);
      const tag = this.value;
      if (tag >>> 3 > 7) {
        this.needsRewrite = true;
        p = this.skip(tag, p, end);
        continue;
      }
      if (++members > 1 || p - at > 1) this.needsRewrite = true;
      p = this.member(tag, at, p, end, depth);
    }
  }

  private member(tag: number, at: number, p: number, end: number, depth: number): number {
    switch (tag) {
      case BOOL_VALUE: {
        const next = this.varint(p, end);
        // Any number but 0 is true to protobuf; the engine takes 0 and 1 only.
        if (this.value > 1) this.needsRewrite = true;
        return next;
      }
      case INT_VALUE:
        return this.varint(p, end);
      case DOUBLE_VALUE: {
        const next = this.fixed(p, 8, end);
        if (needsText(this.bytes, p)) this.needsRewrite = true;
        return next;
      }
      case STRING_VALUE: {
        const start = this.enter(p, end);
        // The engine tells from the value's size where its text begins.
        if (start - p > varintSize(this.stop - start)) this.needsRewrite = true;
        return this.stop;
      }
      case BYTES_VALUE:
      case ARRAY_VALUE:
      case KVLIST_VALUE: {
        this.needsRewrite = true;
        const start = this.enter(p, end);
        const stop = this.stop;
        if (tag !== BYTES_VALUE) this.valueList(tag, start, stop, depth + 1);
        return stop;
      }
      default:
        throw wrongWireType(at, tag, 'AnyValue');
    }
  }

  /** Walks the `values` of an ArrayValue or a KeyValueList. */
  private valueList(kind: number, start: number, end: number, depth: number): void {
    let p = start;
    while (p < end) {
      const at = p;
      p = this.tag(at, end);
      const tag = this.value;
      if (tag >>> 3 !== 1) {
        p = this.skip(tag, p, end);
        continue;
      }
      if (tag !== REPEATED_VALUE) throw wrongWireType(at, tag, 'AnyValue.values');
      p = this.enter(p, end);
      const stop = this.stop;
      if (kind === ARRAY_VALUE) this.anyValue(p, stop, depth);
      else this.anyKeyValue(p, stop, depth);
      p = stop;
    }
  }
}

/** Bytes of `value`, a length, as a varint in its shortest form. */
function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Whether `start..end` is an AnyValue with nothing, or exactly one scalar that the engine reads as the Collector does. */
function isPlainValue(bytes: Uint8Array, start: number, end: number): boolean {
  const size = end - start;
  if (size === 0) return true;
  if (size === 1) return false;
  const first = bytes[start + 1] as number;
  switch (bytes[start]) {
    case STRING_VALUE:
      return first < 0x80 && size === first + 2;
    case INT_VALUE: {
      if (size > 10) return false; // ten-byte varints (negative numbers) are checked on the general road
      let p = start + 1;
      while (p < end && (bytes[p] as number) >= 0x80) p++;
      return p === end - 1;
    }
    case BOOL_VALUE:
      return size === 2 && first <= 1;
    case DOUBLE_VALUE:
      return size === 9 && !needsText(bytes, start + 1);
    default:
      return false;
  }
}

/**
 * Attribute values as text, by the rules of the OpenTelemetry Collector's `pcommon.Value.AsString()`, so that a value
 * reads the same whether it came through a Collector or straight from an SDK. `test/peers/anyvalue` holds both equal.
 * The bytes are known to be well framed.
 */
import type { ByteWriter } from './byte-writer.ts';
import { readDouble } from './double.ts';
import { appendJsonString } from './json-string.ts';
import { sortedEntries } from './map-order.ts';
import { lastMember, type Member, nextItem, type Range, readKeyValue } from './members.ts';
import {
  ARRAY_VALUE,
  BOOL_VALUE,
  BYTES_VALUE,
  DOUBLE_VALUE,
  INT_VALUE,
  KVLIST_VALUE,
  STRING_VALUE,
  type WireReader,
} from './wire.ts';

/** A double as the Collector writes it: ES6 text, but `-0` keeps its sign. */
export function doubleText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Appends the text of a member that the engine cannot read as it stands: a double, bytes, an array or a list. */
export function appendText(out: ByteWriter, reader: WireReader, member: Member): void {
  const { bytes } = reader;
  if (member.tag === DOUBLE_VALUE) out.ascii(doubleText(readDouble(bytes, member.start)));
  else if (member.tag === BYTES_VALUE) appendBase64(out, bytes, member);
  else {
    const start = out.length;
    // JSON has no NaN and no infinities: the Collector's encoder gives up on the whole value, and nothing is left.
    if (!appendJson(out, reader, member)) out.length = start;
  }
}

function appendBase64(out: ByteWriter, bytes: Uint8Array, range: Range): void {
  out.ascii(Buffer.from(bytes.buffer, bytes.byteOffset + range.start, range.end - range.start).toString('base64'));
}

/** Within JSON, no bytes are null: Go has no empty slice here but a nil one. */
function appendJsonBytes(out: ByteWriter, bytes: Uint8Array, range: Range): void {
  if (range.start === range.end) {
    out.ascii('null');
    return;
  }
  out.ascii('"');
  appendBase64(out, bytes, range);
  out.ascii('"');
}

/** Appends a member as JSON; false when it holds a double that JSON cannot say. */
function appendJson(out: ByteWriter, reader: WireReader, member: Member): boolean {
  switch (member.tag) {
    case STRING_VALUE:
      appendJsonString(out, reader.bytes, member.start, member.end);
      return true;
    case BOOL_VALUE:
      reader.varint(member.start, member.end);
      out.ascii(reader.value === 0 ? 'false' : 'true');
      return true;
    case INT_VALUE:
      out.ascii(int64Text(reader.bytes, member.start, member.end));
      return true;
    case DOUBLE_VALUE: {
      const value = readDouble(reader.bytes, member.start);
      if (!Number.isFinite(value)) return false;
      out.ascii(doubleText(value));
      return true;
    }
    case BYTES_VALUE:
      appendJsonBytes(out, reader.bytes, member);
      return true;
    case ARRAY_VALUE:
      return appendArray(out, reader, member);
    case KVLIST_VALUE:
      return appendObject(out, reader, member);
    default:
      out.ascii('null');
      return true;
  }
}

function appendArray(out: ByteWriter, reader: WireReader, array: Range): boolean {
  let separator = '[';
  for (let p = nextItem(reader, array.start, array.end); p >= 0; p = nextItem(reader, reader.stop, array.end)) {
    const { stop } = reader;
    out.ascii(separator);
    separator = ',';
    if (!appendJson(out, reader, lastMember(reader, { start: p, end: stop }, undefined))) return false;
    reader.stop = stop;
  }
  out.ascii(separator === '[' ? '[]' : ']');
  return true;
}

/** Keys in byte order; of equal keys the last one's value stands. */
function appendObject(out: ByteWriter, reader: WireReader, list: Range): boolean {
  const { bytes } = reader;
  let separator = '{';
  for (const entry of sortedEntries(reader, list)) {
    const { key, value } = readKeyValue(reader, entry);
    out.ascii(separator);
    separator = ',';
    appendJsonString(out, bytes, key.start, key.end);
    out.ascii(':');
    if (!appendJson(out, reader, value ?? { tag: 0, start: 0, end: 0 })) return false;
  }
  out.ascii(separator === '{' ? '{}' : '}');
  return true;
}
function int64Text(bytes: Uint8Array, start: number, end: number): string {
  let value = 0n;
  for (let p = end - 1; p >= start; p--) value = (value << 7n) | BigInt((bytes[p] as number) & 0x7f);
  return BigInt.asIntN(64, value).toString();
}

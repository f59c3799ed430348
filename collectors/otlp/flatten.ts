/**
 * The slow lane: a request rewritten so that the engine reads it as protobuf and the Collector do. Nested values become
 * text, what is singular stands once, and everything else is copied as it came, unknown fields too (but for those within
 * an attribute that is rewritten).
 */
import { HeliographError } from '../../core/errors.ts';
import { appendText } from './any-value.ts';
import { ByteWriter } from './byte-writer.ts';
import { needsText } from './double.ts';
import { type Member, type Range, readKeyValue } from './members.ts';
import { KEY_VALUE, type MessageType, REQUEST, SPAN } from './schema.ts';
import { TraceWalker } from './walker.ts';
import { BOOL_VALUE, DOUBLE_VALUE, FramingError, INT_VALUE, STRING_VALUE, WIRE_LENGTH } from './wire.ts';

/** Bounds that no start time breaks. */
export const ANY_TIME = { loNs: 0n, hiNs: 0xffffffffffffffffn };

/**
 * Rewrites a serialized ExportTraceServiceRequest to flat protobuf: the spans, their order and their rejects stay, and
 * `walkTraces` of the result needs no rewriting. Throws HeliographError: `bad_framing` with rule and offset,
 * `body_too_large` when the result would pass `maxBytes`.
 */
export function flattenTraces(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const walker = new TraceWalker(bytes, ANY_TIME);
  try {
    walker.request();
  } catch (error) {
    if (error instanceof FramingError) throw framing(error);
    throw error;
  }
  const out = new ByteWriter(bytes.length + (bytes.length >>> 2) + 64, maxBytes);
  writeMessage(walker, out, REQUEST, [{ start: 0, end: bytes.length }]);
  return out.finish();
}

function framing(error: FramingError): HeliographError {
  return new HeliographError('bad_framing', error.message, {
    cause: error,
    violation: { field: 'body', rule: error.message },
  });
}

/** Writes one message that lies in `ranges`: several where a singular one came in several pieces, which protobuf merges. */
function writeMessage(walker: TraceWalker, out: ByteWriter, type: MessageType, ranges: readonly Range[]): void {
  for (const [number, payloads] of singularFields(walker, type, ranges).entries()) {
    const field = type.fields[number];
    if (payloads === undefined || field === undefined) continue;
    if (field.message !== undefined) writeChild(walker, out, number, field.message, payloads);
    else writeScalar(walker, out, (number << 3) | field.wire, payloads[0] as Range);
  }
  for (const { start, end } of ranges) {
    for (let p = start; p < end; ) {
      const at = p;
      const { number, payload } = readField(walker, p, end);
      p = payload.end;
      const field = type.fields[number];
      if (field === undefined) out.copy(walker.bytes, at, p);
      else if (field.repeated && field.message !== undefined) {
        writeChild(walker, out, number, field.message, [payload]);
      }
    }
  }
}

/** By field number: the last payload of a scalar, every payload of a message. */
function singularFields(walker: TraceWalker, type: MessageType, ranges: readonly Range[]): (Range[] | undefined)[] {
  const payloads: (Range[] | undefined)[] = [];
  for (const { start, end } of ranges) {
    for (let p = start; p < end; ) {
      const { number, payload } = readField(walker, p, end);
      p = payload.end;
      const field = type.fields[number];
      if (field === undefined || field.repeated) continue;
      if (field.message === undefined) payloads[number] = [payload];
      else (payloads[number] ??= []).push(payload);
    }
  }
  return payloads;
}

function readField(walker: TraceWalker, at: number, end: number): { number: number; payload: Range } {
  const p = walker.tag(at, end);
  const tag = walker.value;
  const start = (tag & 7) === WIRE_LENGTH ? walker.enter(p, end) : p;
  return { number: tag >>> 3, payload: { start, end: walker.skip(tag, p, end) } };
}

function writeChild(walker: TraceWalker, out: ByteWriter, number: number, type: MessageType, ranges: Range[]): void {
  const start = out.open((number << 3) | WIRE_LENGTH);
  const first = ranges[0] as Range;
  if ((type === SPAN || type === KEY_VALUE) && walker.isFlat(type, first.start, first.end)) {
    out.copy(walker.bytes, first.start, first.end);
  } else if (type === KEY_VALUE) writeKeyValue(walker, out, first);
  else writeMessage(walker, out, type, ranges);
  out.close(start);
}

function writeScalar(walker: TraceWalker, out: ByteWriter, tag: number, payload: Range): void {
  out.varint(tag);
  if ((tag & 7) === WIRE_LENGTH) out.varint(payload.end - payload.start);
  out.copy(walker.bytes, payload.start, payload.end);
}

const KEY = 0x0a;
const VALUE = 0x12;

function writeKeyValue(walker: TraceWalker, out: ByteWriter, range: Range): void {
  const { key, value } = readKeyValue(walker, range);
  writeScalar(walker, out, KEY, key);
  const start = out.open(VALUE);
  if (value !== undefined && value.tag !== 0) writeMember(walker, out, value);
  out.close(start);
}

function writeMember(walker: TraceWalker, out: ByteWriter, member: Member): void {
  const { tag, start } = member;
  if (tag === BOOL_VALUE) {
    walker.varint(start, member.end);
    out.varint(BOOL_VALUE);
    out.byte(walker.value === 0 ? 0 : 1);
  } else if (tag === STRING_VALUE || tag === INT_VALUE || (tag === DOUBLE_VALUE && !needsText(walker.bytes, start))) {
    writeScalar(walker, out, tag, member);
  } else {
    const text = out.open(STRING_VALUE);
    appendText(out, walker, member);
    out.close(text);
  }
}

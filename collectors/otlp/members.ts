/** Attribute messages taken apart by protobuf's rules, over bytes that are known to be well framed. */
import { WIRE_LENGTH, type WireReader } from './wire.ts';

/** A stretch of bytes, end exclusive. */
export interface Range {
  start: number;
  end: number;
}

/** The member an AnyValue holds: its tag (0 when it holds none) and its payload. */
export interface Member extends Range {
  tag: number;
}

const KEY_NUMBER = 1;
const VALUE_NUMBER = 2;
const LAST_MEMBER_NUMBER = 7;
const ITEM = 0x0a;

/** The member that `range`, an AnyValue, leaves set after `before`: of a oneof the last one wins. */
export function lastMember(reader: WireReader, range: Range, before: Member | undefined): Member {
  const { end } = range;
  let member = before ?? { tag: 0, start: end, end };
  for (let p = range.start; p < end; ) {
    p = reader.tag(p, end);
    const tag = reader.value;
    const start = (tag & 7) === WIRE_LENGTH ? reader.enter(p, end) : p;
    p = reader.skip(tag, p, end);
    if (tag >>> 3 <= LAST_MEMBER_NUMBER) member = { tag, start, end: p };
  }
  return member;
}

/** The last `key` of a KeyValue, and the member left by all its `value`s; undefined where it has no value. */
export function readKeyValue(reader: WireReader, range: Range): { key: Range; value: Member | undefined } {
  const { end } = range;
  let key: Range = { start: end, end };
  let value: Member | undefined;
  for (let p = range.start; p < end; ) {
    p = reader.tag(p, end);
    const tag = reader.value;
    const number = tag >>> 3;
    if (number > VALUE_NUMBER) {
      p = reader.skip(tag, p, end);
      continue;
    }
    const start = reader.enter(p, end);
    p = reader.stop;
    if (number === KEY_NUMBER) key = { start, end: p };
    else value = lastMember(reader, { start, end: p }, value);
  }
  return { key, value };
}

/**
 * Start of the next of the `values` of an ArrayValue or KeyValueList, from `at` on, with its end in `reader.stop`; -1 when
 * there is none.
 */
export function nextItem(reader: WireReader, at: number, end: number): number {
  for (let p = at; p < end; ) {
    p = reader.tag(p, end);
    if (reader.value === ITEM) return reader.enter(p, end);
    p = reader.skip(reader.value, p, end);
  }
  return -1;
}

/**
 * The messages of an ExportTraceServiceRequest by their JSON keys, with the tags that they have in protobuf. What has no
 * column (flags, dropped counts, schema URLs) is not in it and is skipped like any other unknown field.
 */
import { BOOL_VALUE, BYTES_VALUE, DOUBLE_VALUE, INT_VALUE, STRING_VALUE } from '../wire.ts';

export const TEXT = 0;
/** An id: hex digits of either case. */
export const HEX = 1;
export const ENUM = 2;
/** An unsigned 64-bit integer in eight bytes. */
export const FIXED64 = 3;
export const INT64 = 4;
export const DOUBLE = 5;
export const BOOL = 6;
export const BASE64 = 7;
export const MESSAGE = 8;
export const MESSAGES = 9;

export interface JsonField {
  readonly key: string;
  readonly keyBytes: Uint8Array;
  readonly tag: number;
  readonly kind: number;
  /** Of MESSAGE and MESSAGES. */
  readonly message: JsonMessage | undefined;
}

export interface JsonMessage {
  /** Fields by the length of their key. */
  byLength: readonly (readonly JsonField[] | undefined)[];
}

function field(key: string, tag: number, kind: number, message?: JsonMessage): JsonField {
  return { key, keyBytes: Buffer.from(key), tag, kind, message };
}

/** `number << 3 | 2`. */
const lengthTag = (number: number): number => (number << 3) | 2;
const text = (key: string, number: number): JsonField => field(key, lengthTag(number), TEXT);
const id = (key: string, number: number): JsonField => field(key, lengthTag(number), HEX);
const time = (key: string, number: number): JsonField => field(key, (number << 3) | 1, FIXED64);
const code = (key: string, number: number): JsonField => field(key, number << 3, ENUM);
const one = (key: string, number: number, type: JsonMessage): JsonField => field(key, lengthTag(number), MESSAGE, type);
const many = (key: string, number: number, type: JsonMessage): JsonField =>
  field(key, lengthTag(number), MESSAGES, type);

function message(...fields: JsonField[]): JsonMessage {
  const byLength: JsonField[][] = [];
  for (const each of fields) (byLength[each.keyBytes.length] ??= []).push(each);
  return { byLength };
}

/** Values hold lists that hold values: the two last members are filled in below. */
export const ANY_VALUE: JsonMessage = { byLength: [] };
const KEY_VALUE = message(text('key', 1), one('value', 2, ANY_VALUE));
ANY_VALUE.byLength = message(
  field('stringValue', STRING_VALUE, TEXT),
  field('boolValue', BOOL_VALUE, BOOL),
  field('intValue', INT_VALUE, INT64),
  field('doubleValue', DOUBLE_VALUE, DOUBLE),
  one('arrayValue', 5, message(many('values', 1, ANY_VALUE))),
  one('kvlistValue', 6, message(many('values', 1, KEY_VALUE))),
  field('bytesValue', BYTES_VALUE, BASE64),
).byLength;

const EVENT = message(time('timeUnixNano', 1), text('name', 2), many('attributes', 3, KEY_VALUE));
const LINK = message(id('traceId', 1), id('spanId', 2), text('traceState', 3), many('attributes', 4, KEY_VALUE));
const STATUS = message(text('message', 2), code('code', 3));

const SPAN = message(
  id('traceId', 1),
  id('spanId', 2),
  text('traceState', 3),
  id('parentSpanId', 4),
  text('name', 5),
  code('kind', 6),
  time('startTimeUnixNano', 7),
  time('endTimeUnixNano', 8),
  many('attributes', 9, KEY_VALUE),
  many('events', 11, EVENT),
  many('links', 13, LINK),
  one('status', 15, STATUS),
);

const SCOPE_SPANS = message(one('scope', 1, message(text('name', 1), text('version', 2))), many('spans', 2, SPAN));
const RESOURCE_SPANS = message(
  one('resource', 1, message(many('attributes', 1, KEY_VALUE))),
  many('scopeSpans', 2, SCOPE_SPANS),
);

export const REQUEST = message(many('resourceSpans', 1, RESOURCE_SPANS));

/**
 * The trimmed OTLP traces schema as data: the same messages, numbers and kinds as `store/loads/otlp_traces.proto`, for the walker and the
 * rewriter. AnyValue is not in it: its members are a oneof and nest, so both treat it by hand (tags in `wire.ts`).
 */
import { WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT } from './wire.ts';

export interface FieldType {
  readonly name: string;
  readonly wire: number;
  readonly repeated: boolean;
  /** Set when the field is a message that is walked; strings and bytes have none. */
  readonly message: MessageType | undefined;
}

export interface MessageType {
  readonly name: string;
  /** Indexed by field number. */
  readonly fields: readonly (FieldType | undefined)[];
  /** Bit n is set when field n is singular, so that a second occurrence in one message is news. */
  readonly singular: number;
}

function field(name: string, wire: number): FieldType {
  return { name, wire, repeated: false, message: undefined };
}

function one(name: string, message: MessageType): FieldType {
  return { name, wire: WIRE_LENGTH, repeated: false, message };
}

function many(name: string, message: MessageType): FieldType {
  return { name, wire: WIRE_LENGTH, repeated: true, message };
}

function message(name: string, numbered: Record<number, FieldType>): MessageType {
  const fields: (FieldType | undefined)[] = [undefined];
  let singular = 0;
  for (const [key, type] of Object.entries(numbered)) {
    const number = Number(key);
    while (fields.length <= number) fields.push(undefined);
    fields[number] = type;
    if (!type.repeated) singular |= 1 << number;
  }
  return { name, fields, singular };
}

const text = (name: string): FieldType => field(name, WIRE_LENGTH);
const varint = (name: string): FieldType => field(name, WIRE_VARINT);
const fixed64 = (name: string): FieldType => field(name, WIRE_FIXED64);

/** `value` (2) holds an AnyValue; walker and rewriter take it from here by hand. */
export const KEY_VALUE = message('KeyValue', { 1: text('key'), 2: text('value') });

const EVENT = message('Span.Event', {
  1: fixed64('time_unix_nano'),
  2: text('name'),
  3: many('attributes', KEY_VALUE),
});

const LINK = message('Span.Link', {
  1: text('trace_id'),
  2: text('span_id'),
  3: text('trace_state'),
  4: many('attributes', KEY_VALUE),
});

const STATUS = message('Status', { 2: text('message'), 3: varint('code') });

export const SPAN = message('Span', {
  1: text('trace_id'),
  2: text('span_id'),
  3: text('trace_state'),
  4: text('parent_span_id'),
  5: text('name'),
  6: varint('kind'),
  7: fixed64('start_time_unix_nano'),
  8: fixed64('end_time_unix_nano'),
  9: many('attributes', KEY_VALUE),
  11: many('events', EVENT),
  13: many('links', LINK),
  15: one('status', STATUS),
});

export const SCOPE = message('InstrumentationScope', { 1: text('name'), 2: text('version') });
export const SCOPE_SPANS = message('ScopeSpans', { 1: one('scope', SCOPE), 2: many('spans', SPAN) });
export const RESOURCE = message('Resource', { 1: many('attributes', KEY_VALUE) });

export const RESOURCE_SPANS = message('ResourceSpans', {
  1: one('resource', RESOURCE),
  2: many('scope_spans', SCOPE_SPANS),
});

/** The body of one export. */
export const REQUEST = message('ExportTraceServiceRequest', { 1: many('resource_spans', RESOURCE_SPANS) });

/**
 * A second reading of OTLP bytes, for tests alone: slow, plain, straight from the protobuf rules, and written without a look
 * at the walker, so that the two can be held against each other.
 */

interface Occurrence {
  wire: number;
  /** Of varints and fixed-width numbers. */
  number: bigint;
  /** Of length-delimited fields. */
  bytes: Uint8Array;
}

type Message = Map<number, Occurrence[]>;

export interface DecodedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  traceState: string;
  name: string;
  kind: string;
  start: string;
  end: string;
  attributes: [string, string][];
  events: { time: string; name: string; attributes: [string, string][] }[];
  links: { traceId: string; spanId: string; traceState: string; attributes: [string, string][] }[];
  statusMessage: string;
  statusCode: string;
  resource: [string, string][];
  scopeName: string;
  scopeVersion: string;
}

function varint(bytes: Uint8Array, at: number): { value: bigint; next: number } {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw new Error(`varint cut off at ${at}`);
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: at + i + 1 };
  }
  throw new Error(`varint too long at ${at}`);
}

/** One message, fields by number in order of occurrence. Throws Error on bytes that end early. */
export function parseMessage(bytes: Uint8Array): Message {
  const message: Message = new Map();
  for (let p = 0; p < bytes.length; ) {
    const tag = varint(bytes, p);
    const wire = Number(tag.value & 7n);
    let number = 0n;
    let payload = new Uint8Array(0);
    p = tag.next;
    if (wire === 0) ({ value: number, next: p } = varint(bytes, p));
    else {
      let size = wire === 1 ? 8 : 4;
      if (wire === 2) {
        const length = varint(bytes, p);
        size = Number(length.value);
        p = length.next;
      } else if (wire !== 1 && wire !== 5) throw new Error(`wire type ${wire} at ${p}`);
      if (p + size > bytes.length) throw new Error(`field cut off at ${p}`);
      payload = bytes.slice(p, p + size);
      if (wire !== 2) number = payload.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      p += size;
    }
    const field = Number(tag.value >> 3n);
    const occurrences = message.get(field) ?? [];
    occurrences.push({ wire, number, bytes: payload });
    message.set(field, occurrences);
  }
  return message;
}

const all = (message: Message, field: number): Message[] =>
  (message.get(field) ?? []).map(({ bytes }) => parseMessage(bytes));

/** A singular message that came in pieces is their concatenation. */
const merged = (message: Message, field: number): Message =>
  parseMessage(Buffer.concat((message.get(field) ?? []).map(({ bytes }) => bytes)));

const last = (message: Message, field: number): Occurrence | undefined => message.get(field)?.at(-1);
const raw = (message: Message, field: number): Buffer => Buffer.from(last(message, field)?.bytes ?? []);
const text = (message: Message, field: number): string => raw(message, field).toString('latin1');
const hex = (message: Message, field: number): string => raw(message, field).toString('hex');
const unsigned = (message: Message, field: number): string => String(last(message, field)?.number ?? 0n);
const signed = (message: Message, field: number): string =>
  BigInt.asIntN(64, last(message, field)?.number ?? 0n).toString();

/** Text of a scalar AnyValue as one character per byte; throws on values that only the Collector's rules give a text. */
function scalarText(value: Message): string {
  const members = [1, 2, 3, 4, 5, 6, 7].filter((number) => value.has(number));
  if (members.length === 0) return '';
  if (members.length > 1) throw new Error('an AnyValue with two members is not flat');
  switch (members[0]) {
    case 1:
      return text(value, 1);
    case 2:
      return last(value, 2)?.number === 0n ? 'false' : 'true';
    case 3:
      return signed(value, 3);
    case 4:
      return String(raw(value, 4).readDoubleLE());
    default:
      throw new Error('a nested value is not flat');
  }
}

const attributes = (message: Message, field: number): [string, string][] =>
  all(message, field).map((keyValue) => [text(keyValue, 1), scalarText(merged(keyValue, 2))]);

/** Every span of a request whose values are scalars, rejected ones included. Strings hold one character per byte. */
export function decodeFlat(bytes: Uint8Array): DecodedSpan[] {
  const spans: DecodedSpan[] = [];
  for (const resourceSpans of all(parseMessage(bytes), 1)) {
    const resource = attributes(merged(resourceSpans, 1), 1);
    for (const scopeSpans of all(resourceSpans, 2)) {
      const scope = merged(scopeSpans, 1);
      const head = { resource, scopeName: text(scope, 1), scopeVersion: text(scope, 2) };
      for (const span of all(scopeSpans, 2)) spans.push({ ...decodeSpan(span), ...head });
    }
  }
  return spans;
}

function decodeSpan(span: Message): Omit<DecodedSpan, 'resource' | 'scopeName' | 'scopeVersion'> {
  const status = merged(span, 15);
  return {
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentSpanId: hex(span, 4),
    traceState: text(span, 3),
    name: text(span, 5),
    kind: signed(span, 6),
    start: unsigned(span, 7),
    end: unsigned(span, 8),
    attributes: attributes(span, 9),
    events: all(span, 11).map((event) => ({
      time: unsigned(event, 1),
      name: text(event, 2),
      attributes: attributes(event, 3),
    })),
    links: all(span, 13).map((link) => ({
      traceId: hex(link, 1),
      spanId: hex(link, 2),
      traceState: text(link, 3),
      attributes: attributes(link, 4),
    })),
    statusMessage: text(status, 2),
    statusCode: signed(status, 3),
  };
}

/** The first rule that a span breaks, '' for a span that is stored. */
export function rejectReason(span: DecodedSpan, bounds: { loNs: bigint; hiNs: bigint }): string {
  if (!/^(?!0+$)[0-9a-f]{32}$/.test(span.traceId)) return 'invalid_trace_id';
  if (!/^(?!0+$)[0-9a-f]{16}$/.test(span.spanId)) return 'invalid_span_id';
  if (!/^([0-9a-f]{16})?$/.test(span.parentSpanId)) return 'invalid_parent_span_id';
  const start = BigInt(span.start);
  return start < bounds.loNs || start > bounds.hiNs ? 'start_time_out_of_range' : '';
}

/** What an ExportTraceServiceResponse says. */
export function decodeTraceResponse(bytes: Uint8Array): { rejectedSpans: number; errorMessage: string } {
  const partial = merged(parseMessage(bytes), 1);
  return { rejectedSpans: Number(signed(partial, 1)), errorMessage: raw(partial, 2).toString('utf8') };
}

/** What a google.rpc.Status says. */
export function decodeStatus(bytes: Uint8Array): { code: number; message: string } {
  const status = parseMessage(bytes);
  return { code: Number(signed(status, 1)), message: raw(status, 2).toString('utf8') };
}

/** The details of a google.rpc.Status: type URL and payload. */
export function statusDetails(bytes: Uint8Array): { type: string; hex: string }[] {
  return all(parseMessage(bytes), 3).map((any) => ({ type: text(any, 1), hex: hex(any, 2) }));
}

/** `retry_delay.seconds` of a Status's RetryInfo; undefined without one. */
export function retryDelaySeconds(bytes: Uint8Array): number | undefined {
  const any = all(parseMessage(bytes), 3).find((each) => text(each, 1).endsWith('google.rpc.RetryInfo'));
  return any === undefined ? undefined : Number(signed(merged(merged(any, 2), 1), 1));
}

/** The field violations of a Status's BadRequest. */
export function fieldViolations(bytes: Uint8Array): { field: string; description: string }[] {
  const utf8 = (message: Message, field: number): string => raw(message, field).toString('utf8');
  const any = all(parseMessage(bytes), 3).find((each) => text(each, 1).endsWith('google.rpc.BadRequest'));
  if (any === undefined) return [];
  return all(merged(any, 2), 1).map((violation) => ({ field: utf8(violation, 1), description: utf8(violation, 2) }));
}

/**
 * Serializes OTLP traces requests for tests and benches. The input has the shape of OTLP/JSON (lowerCamelCase, hex ids,
 * 64-bit integers as text or bigint), so a case file is what a person would send; where bytes that JSON cannot hold are
 * wanted, a Uint8Array stands in for the string.
 */

export type Text = string | Uint8Array;
export type Integer = bigint | number | string;

export interface AnyValueInput {
  stringValue?: Text;
  boolValue?: boolean;
  intValue?: Integer;
  /** JSON has no NaN and no infinities: they are written as text, as OTLP/JSON does. */
  doubleValue?: number | 'NaN' | 'Infinity' | '-Infinity';
  arrayValue?: { values?: AnyValueInput[] };
  kvlistValue?: { values?: KeyValueInput[] };
  /** Base64, or the bytes. */
  bytesValue?: Text;
}

export interface KeyValueInput {
  key?: Text;
  value?: AnyValueInput;
}

export interface SpanInput {
  /** Hex, of any length, so that wrong ones can be built. */
  traceId?: string;
  spanId?: string;
  parentSpanId?: string;
  traceState?: Text;
  flags?: number;
  name?: Text;
  kind?: number;
  startTimeUnixNano?: Integer;
  endTimeUnixNano?: Integer;
  attributes?: KeyValueInput[];
  events?: { timeUnixNano?: Integer; name?: Text; attributes?: KeyValueInput[] }[];
  links?: { traceId?: string; spanId?: string; traceState?: Text; attributes?: KeyValueInput[] }[];
  status?: { message?: Text; code?: number };
}

export interface ScopeSpansInput {
  scope?: { name?: Text; version?: Text };
  spans?: SpanInput[];
}

export interface RequestInput {
  resourceSpans?: { resource?: { attributes?: KeyValueInput[] }; scopeSpans?: ScopeSpansInput[] }[];
}

/** Appends protobuf fields to one growing buffer. Absent (`undefined`) fields are not written; zeroes are. */
export class ProtoWriter {
  private buffer = Buffer.allocUnsafe(4096);
  private length = 0;

  /** The bytes so far, copied. */
  finish(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.length));
  }

  private ensure(size: number): void {
    if (this.length + size <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + size));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }

  raw(bytes: Uint8Array): this {
    this.ensure(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** A varint; negative numbers take ten bytes, as int64 does. */
  varint(value: Integer): this {
    this.ensure(10);
    if (typeof value === 'number' && value >= 0 && value < 0x80000000) {
      let rest = value;
      for (; rest > 0x7f; rest >>>= 7) this.buffer[this.length++] = (rest & 0x7f) | 0x80;
      this.buffer[this.length++] = rest;
      return this;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80;
    this.buffer[this.length++] = Number(rest);
    return this;
  }

  tag(number: number, wire: number): this {
    return this.varint(number * 8 + wire);
  }

  int(number: number, value: Integer | undefined): this {
    return value === undefined ? this : this.tag(number, 0).varint(value);
  }

  fixed64(number: number, value: Integer | undefined): this {
    if (value === undefined) return this;
    this.tag(number, 1).ensure(8);
    this.length = this.buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), this.length);
    return this;
  }

  double(number: number, value: number): this {
    this.tag(number, 1).ensure(8);
    this.length = this.buffer.writeDoubleLE(value, this.length);
    return this;
  }

  fixed32(number: number, value: number | undefined): this {
    if (value === undefined) return this;
    this.tag(number, 5).ensure(4);
    this.length = this.buffer.writeUInt32LE(value, this.length);
    return this;
  }

  text(number: number, value: Text | undefined, encoding: BufferEncoding = 'utf8'): this {
    if (value === undefined) return this;
    const bytes = typeof value === 'string' ? Buffer.from(value, encoding) : value;
    return this.tag(number, 2).varint(bytes.length).raw(bytes);
  }

  /** A submessage written by `body`. */
  message(number: number, body: () => void): this {
    this.tag(number, 2).ensure(5);
    // One byte is kept for the length; a longer one moves the payload up.
    const start = ++this.length;
    body();
    const size = this.length - start;
    let extra = 0;
    for (let rest = size >>> 7; rest > 0; rest >>>= 7) extra++;
    this.ensure(extra);
    this.buffer.copyWithin(start + extra, start, this.length);
    this.length = start - 1;
    this.varint(size);
    this.length = start + extra + size;
    return this;
  }
}

/** A serialized AnyValue, without a tag or a length. */
export function encodeAnyValue(value: AnyValueInput): Buffer {
  const writer = new ProtoWriter();
  writeAnyValue(writer, value);
  return writer.finish();
}

function writeAnyValue(writer: ProtoWriter, value: AnyValueInput): void {
  writer.text(1, value.stringValue);
  if (value.boolValue !== undefined) writer.int(2, value.boolValue ? 1 : 0);
  writer.int(3, value.intValue);
  if (value.doubleValue !== undefined) writer.double(4, Number(value.doubleValue));
  const { arrayValue, kvlistValue } = value;
  if (arrayValue !== undefined) {
    writer.message(5, () => {
      for (const item of arrayValue.values ?? []) writer.message(1, () => writeAnyValue(writer, item));
    });
  }
  if (kvlistValue !== undefined) writer.message(6, () => writeAttributes(writer, 1, kvlistValue.values));
  writer.text(7, value.bytesValue, 'base64');
}

function writeAttributes(writer: ProtoWriter, number: number, attributes: KeyValueInput[] | undefined): void {
  for (const { key, value } of attributes ?? []) {
    writer.message(number, () => {
      writer.text(1, key);
      if (value !== undefined) writer.message(2, () => writeAnyValue(writer, value));
    });
  }
}

function writeSpan(writer: ProtoWriter, span: SpanInput): void {
  writer.text(1, span.traceId, 'hex').text(2, span.spanId, 'hex').text(3, span.traceState);
  writer.text(4, span.parentSpanId, 'hex').text(5, span.name).int(6, span.kind);
  writer.fixed64(7, span.startTimeUnixNano).fixed64(8, span.endTimeUnixNano);
  writeAttributes(writer, 9, span.attributes);
  for (const event of span.events ?? []) {
    writer.message(11, () => {
      writer.fixed64(1, event.timeUnixNano).text(2, event.name);
      writeAttributes(writer, 3, event.attributes);
    });
  }
  for (const link of span.links ?? []) {
    writer.message(13, () => {
      writer.text(1, link.traceId, 'hex').text(2, link.spanId, 'hex').text(3, link.traceState);
      writeAttributes(writer, 4, link.attributes);
    });
  }
  const { status } = span;
  if (status !== undefined) writer.message(15, () => writer.text(2, status.message).int(3, status.code));
  writer.fixed32(16, span.flags);
}

/** A serialized ExportTraceServiceRequest. */
export function encodeRequest(request: RequestInput): Buffer {
  const writer = new ProtoWriter();
  for (const { resource, scopeSpans } of request.resourceSpans ?? []) {
    writer.message(1, () => {
      if (resource !== undefined) writer.message(1, () => writeAttributes(writer, 1, resource.attributes));
      for (const { scope, spans } of scopeSpans ?? []) {
        writer.message(2, () => {
          if (scope !== undefined) writer.message(1, () => writer.text(1, scope.name).text(2, scope.version));
          for (const span of spans ?? []) writer.message(2, () => writeSpan(writer, span));
        });
      }
    });
  }
  return writer.finish();
}

/**
 * Writes OTLP/JSON for tests and benches, as bytes, so that a text may hold what is no UTF-8. `style` picks between the forms
 * that a sender may choose from.
 */
import type { AnyValueInput, Integer, KeyValueInput, RequestInput, SpanInput, Text } from './otlp-encode.ts';

export interface JsonStyle {
  /** 64-bit integers as decimal strings, the form that protobuf's mapping writes; else as bare numbers. */
  integersAsText: boolean;
  upperCaseIds: boolean;
  /** Every character that is not ASCII as \u escapes, and `/` escaped. */
  escaped: boolean;
  /** Between tokens. */
  space: string;
}

export const PLAIN: JsonStyle = { integersAsText: true, upperCaseIds: false, escaped: false, space: '' };

/** Every byte of the result is one character (latin1). */
class JsonText {
  private readonly style: JsonStyle;

  constructor(style: JsonStyle) {
    this.style = style;
  }

  text(value: Text): string {
    if (typeof value !== 'string') {
      const bytes = [...value].map((byte) =>
        byte < 0x20 || byte === 0x22 || byte === 0x5c
          ? `\\u${byte.toString(16).padStart(4, '0')}`
          : String.fromCharCode(byte),
      );
      return `"${bytes.join('')}"`;
    }
    const json = JSON.stringify(value);
    if (!this.style.escaped) return Buffer.from(json, 'utf8').toString('latin1');
    return json
      .replaceAll('/', '\\/')
      .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  }

  id(hex: string): string {
    return `"${this.style.upperCaseIds ? hex.toUpperCase() : hex}"`;
  }

  integer(value: Integer): string {
    return this.style.integersAsText ? `"${value}"` : String(value);
  }

  double(value: number | string): string {
    if (typeof value === 'number' && Object.is(value, -0)) return '-0.0';
    return Number.isFinite(Number(value)) ? String(value) : `"${value}"`;
  }

  object(fields: Record<string, string | undefined>): string {
    const { space } = this.style;
    const present = Object.entries(fields).filter(([, value]) => value !== undefined);
    return `{${space}${present.map(([key, value]) => `"${key}"${space}:${space}${value}`).join(`${space},${space}`)}${space}}`;
  }

  list<T>(items: readonly T[] | undefined, write: (item: T) => string): string | undefined {
    const { space } = this.style;
    return items === undefined ? undefined : `[${space}${items.map(write).join(`${space},${space}`)}${space}]`;
  }
}

const maybe = <T>(value: T | undefined, write: (value: T) => string): string | undefined =>
  value === undefined ? undefined : write(value);

/** A JSON ExportTraceServiceRequest that says what `encodeRequest` says of the same input. */
export function encodeJson(request: RequestInput, style: JsonStyle = PLAIN): Buffer {
  const json = new JsonText(style);
  const text = (value: Text): string => json.text(value);
  const id = (value: string): string => json.id(value);
  const integer = (value: Integer): string => json.integer(value);
  const anyValue = (value: AnyValueInput): string =>
    json.object({
      stringValue: maybe(value.stringValue, text),
      boolValue: maybe(value.boolValue, String),
      intValue: maybe(value.intValue, integer),
      doubleValue: maybe(value.doubleValue, (number) => json.double(number)),
      arrayValue: maybe(value.arrayValue, ({ values }) => json.object({ values: json.list(values, anyValue) })),
      kvlistValue: maybe(value.kvlistValue, ({ values }) => json.object({ values: json.list(values, keyValue) })),
      bytesValue: maybe(value.bytesValue, (bytes) =>
        text(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('base64')),
      ),
    });
  const keyValue = ({ key, value }: KeyValueInput): string =>
    json.object({ key: maybe(key, text), value: maybe(value, anyValue) });
  const span = (each: SpanInput): string =>
    json.object({
      traceId: maybe(each.traceId, id),
      spanId: maybe(each.spanId, id),
      traceState: maybe(each.traceState, text),
      parentSpanId: maybe(each.parentSpanId, id),
      flags: maybe(each.flags, String),
      name: maybe(each.name, text),
      kind: maybe(each.kind, String),
      startTimeUnixNano: maybe(each.startTimeUnixNano, integer),
      endTimeUnixNano: maybe(each.endTimeUnixNano, integer),
      attributes: json.list(each.attributes, keyValue),
      events: json.list(each.events, (event) =>
        json.object({
          timeUnixNano: maybe(event.timeUnixNano, integer),
          name: maybe(event.name, text),
          attributes: json.list(event.attributes, keyValue),
        }),
      ),
      links: json.list(each.links, (link) =>
        json.object({
          traceId: maybe(link.traceId, id),
          spanId: maybe(link.spanId, id),
          traceState: maybe(link.traceState, text),
          attributes: json.list(link.attributes, keyValue),
        }),
      ),
      status: maybe(each.status, ({ message, code }) =>
        json.object({ message: maybe(message, text), code: maybe(code, String) }),
      ),
    });
  const whole = json.object({
    resourceSpans: json.list(request.resourceSpans, ({ resource, scopeSpans }) =>
      json.object({
        resource: maybe(resource, ({ attributes }) => json.object({ attributes: json.list(attributes, keyValue) })),
        scopeSpans: json.list(scopeSpans, ({ scope, spans }) =>
          json.object({
            scope: maybe(scope, ({ name, version }) =>
              json.object({ name: maybe(name, text), version: maybe(version, text) }),
            ),
            spans: json.list(spans, span),
          }),
        ),
      }),
    ),
  });
  return Buffer.from(whole, 'latin1');
}

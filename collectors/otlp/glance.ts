/** The first spans of a body in words a person can read, as far as its bytes can be read. For people alone: no figure comes from it. */
import { FramingError, WIRE_LENGTH, WireReader } from './wire.ts';

export interface GlancedSpan {
  /** Of the resource; '' where it comes after the spans or not at all. */
  service: string;
  name: string;
  traceId: string;
  spanId: string;
  /** Unix nanoseconds, decimal. */
  startNs: string;
  endNs: string;
  /** Keys alone: values may hold what nobody should read over a shoulder. */
  attributeKeys: string[];
}

const SPAN_TEXT = { 1: 'traceId', 2: 'spanId', 5: 'name' } as const;

/** At most `max` spans; fewer where the bytes break earlier. Never throws. */
export function glanceTraces(bytes: Uint8Array, max: number): GlancedSpan[] {
  const spans: GlancedSpan[] = [];
  try {
    each(bytes, (resourceSpans, number) => {
      if (number !== 1) return;
      let service = '';
      each(resourceSpans, (part, partNumber) => {
        if (partNumber === 1) service = serviceOf(part) ?? service;
        if (partNumber !== 2) return;
        each(part, (span, spanNumber) => {
          if (spanNumber === 2 && spans.length < max) spans.push(spanOf(span, service));
        });
      });
    });
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
  }
  return spans;
}

function spanOf(bytes: Uint8Array, service: string): GlancedSpan {
  const span: GlancedSpan = { service, name: '', traceId: '', spanId: '', startNs: '', endNs: '', attributeKeys: [] };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    each(
      bytes,
      (value, number) => {
        if (number === 9)
          each(value, (key, keyNumber) => void (keyNumber === 1 && span.attributeKeys.push(textOf(key))));
        const field = SPAN_TEXT[number as keyof typeof SPAN_TEXT];
        if (field !== undefined) span[field] = field === 'name' ? textOf(value) : Buffer.from(value).toString('hex');
      },
      (at, number) => {
        if (number === 7) span.startNs = String(view.getBigUint64(at, true));
        if (number === 8) span.endNs = String(view.getBigUint64(at, true));
      },
    );
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
  }
  return span;
}

function serviceOf(resource: Uint8Array): string | undefined {
  let service: string | undefined;
  each(resource, (attribute, number) => {
    if (number !== 1) return;
    let key = '';
    each(attribute, (part, partNumber) => {
      if (partNumber === 1) key = textOf(part);
      if (partNumber === 2 && key === 'service.name')
        each(part, (text, type) => void (type === 1 && (service = textOf(text))));
    });
  });
  return service;
}

/** Shows every length-delimited field, and where fixed 64-bit ones begin. Throws FramingError. */
function each(
  bytes: Uint8Array,
  onBytes: (value: Uint8Array, number: number) => void,
  onFixed64: (at: number, number: number) => void = () => {},
): void {
  const reader = new WireReader(bytes);
  for (let at = 0; at < bytes.length; ) {
    at = reader.tag(at, bytes.length);
    const tag = reader.value;
    const number = tag >>> 3;
    if ((tag & 7) === WIRE_LENGTH) {
      const start = reader.varint(at, bytes.length);
      at = start + reader.value; // past the end where the body was cut short: what is there is shown
      onBytes(bytes.subarray(start, at), number);
    } else {
      const start = at;
      at = reader.skip(tag, at, bytes.length);
      if ((tag & 7) === 1) onFixed64(start, number);
    }
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8').slice(0, 200);
}

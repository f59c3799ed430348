/** The same typical bodies as OTLP/JSON, renewed in place: ids are hex text and times decimal text of fixed width. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { assetPath } from '../../core/paths.ts';
import type { Template } from './template.ts';

export interface JsonTemplate {
  bytes: Buffer;
  spans: number;
  /** Offsets of eight-byte halves of ids, 16 hex digits each, and the halves themselves. */
  ids: { at: number; low: number; high: number }[];
  /** Offsets of times, 19 digits each, and the times themselves. */
  times: { at: number; ns: bigint }[];
  bornNs: bigint;
}

interface JsonSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  kind: number;
  status?: { code?: number };
}

interface JsonRequest {
  resourceSpans: { scopeSpans: { spans: JsonSpan[] }[] }[];
}

/** Turns a protobuf template into its JSON. */
export function jsonTemplate(template: Template): JsonTemplate {
  const type = requestType();
  const object = type.toObject(type.decode(template.bytes), { longs: String, bytes: String }) as JsonRequest;
  for (const { scopeSpans } of object.resourceSpans)
    for (const { spans } of scopeSpans) for (const span of spans) mend(span);
  const text = JSON.stringify(object);
  const ids = [...text.matchAll(/"(?:traceId|spanId|parentSpanId)":"([0-9a-f]+)"/g)].flatMap(halvesOf);
  const times = [...text.matchAll(/"(?:start|end)TimeUnixNano":"(\d{19})"/g)].map((match) => ({
    at: match.index + match[0].length - 20,
    ns: BigInt(match[1] ?? 0),
  }));
  return { bytes: Buffer.from(text), spans: template.spans, ids, times, bornNs: template.bornNs };
}

/** The engine's own schema has every field that a typical span sets but one. */
function requestType(): protobuf.Type {
  const { root } = protobuf.parse(readFileSync(assetPath('store/loads/otlp_traces.proto'), 'utf8'));
  root.lookupType('Span').add(new protobuf.Field('flags', 16, 'fixed32'));
  return root.lookupType('ExportTraceServiceRequest');
}

/** Ids are hex in OTLP/JSON, and enums are numbers, where the engine's schema has bytes and 64-bit integers. */
function mend(span: JsonSpan): void {
  const hex = (base64: string): string => Buffer.from(base64, 'base64').toString('hex');
  span.traceId = hex(span.traceId);
  span.spanId = hex(span.spanId);
  if (span.parentSpanId !== undefined) span.parentSpanId = hex(span.parentSpanId);
  span.kind = Number(span.kind);
  if (span.status?.code !== undefined) span.status.code = Number(span.status.code);
}

function halvesOf(match: RegExpExecArray): JsonTemplate['ids'] {
  const digits = match[1] ?? '';
  const first = match.index + match[0].length - 1 - digits.length;
  return Array.from({ length: digits.length / 16 }, (_, half) => ({
    at: first + half * 16,
    low: Number.parseInt(digits.slice(half * 16, half * 16 + 8), 16),
    high: Number.parseInt(digits.slice(half * 16 + 8, half * 16 + 16), 16),
  }));
}

const RENEW_TIMES_NS = 1_000_000_000n;

/** Gives the template new ids and, once a second, new times, where it lies; its bytes are the body. */
export function renewJson(template: JsonTemplate, nowNs: bigint, random: () => number): Buffer {
  const { bytes, ids, times } = template;
  const hex8 = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
  const [low, high] = [random(), random()];
  for (const id of ids) bytes.write(hex8(id.low ^ low) + hex8(id.high ^ high), id.at, 'latin1');
  if (nowNs - template.bornNs < RENEW_TIMES_NS) return bytes;
  for (const time of times) {
    time.ns += nowNs - template.bornNs;
    bytes.write(time.ns.toString(), time.at, 'latin1');
  }
  template.bornNs = nowNs;
  return bytes;
}

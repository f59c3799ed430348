/** Valid requests of every shape, drawn by a seed: what the mutations begin with. */
import type {
  AnyValueInput,
  KeyValueInput,
  RequestInput,
  ScopeSpansInput,
  SpanInput,
} from '../../support/otlp-encode.ts';
import type { Draw } from '../../support/seeded.ts';

const KEYS = ['http.route', 'http.request.method', 'rpc.service', 'cloud.region', 'service.version', 'k', '', 'ключ'];
const TEXTS = [
  '',
  'GET',
  '/users/{id}',
  'x'.repeat(200),
  'ünïcödé \u{1f33b}',
  '\u0000\u001f"\\',
  '\u2028',
  '4bf92f3577b34da6',
];
const DOUBLES = [0, -0, 1.5, 1e21, 1e-7, 5e-324, 1.7976931348623157e308] as const;
const ODD_DOUBLES = ['NaN', 'Infinity', '-Infinity'] as const;

export interface RequestOptions {
  draw: Draw;
  /** Start times lie within the minute before. */
  nowMs: number;
  /** Arrays, lists, bytes and odd doubles too. */
  nested: boolean;
}

export function drawRequest(options: RequestOptions): RequestInput {
  const { draw } = options;
  const resourceSpans = list(draw, 1, 2, () => ({
    resource: {
      attributes: [
        { key: 'service.name', value: { stringValue: draw.pick(['shop', 'cart', '']) } },
        ...list(draw, 0, 2, () => keyValue(options, 0)),
      ],
    },
    scopeSpans: list(draw, draw.chance(0.95) ? 1 : 0, 2, () => scopeSpans(options)),
  }));
  return { resourceSpans };
}

function list<T>(draw: Draw, low: number, high: number, make: () => T): T[] {
  return Array.from({ length: draw.between(low, high) }, make);
}

function scopeSpans(options: RequestOptions): ScopeSpansInput {
  const { draw } = options;
  const scope = { name: draw.pick(TEXTS), version: '1' };
  return {
    ...(draw.chance(0.8) ? { scope } : {}),
    spans: list(draw, draw.chance(0.97) ? 1 : 0, 3, () => span(options)),
  };
}

function span(options: RequestOptions): SpanInput {
  const { draw, nowMs } = options;
  const startNs = BigInt(nowMs - draw.below(60_000)) * 1_000_000n + BigInt(draw.below(1_000_000));
  const attributes = (high: number): KeyValueInput[] => list(draw, 0, high, () => keyValue(options, 0));
  return {
    traceId: hex(draw, 16),
    spanId: hex(draw, 8),
    ...(draw.chance(0.5) ? { parentSpanId: draw.chance(0.9) ? hex(draw, 8) : '0000000000000000' } : {}),
    ...(draw.chance(0.1) ? { traceState: 'a=b' } : {}),
    name: draw.pick(TEXTS),
    kind: draw.between(0, 6),
    startTimeUnixNano: startNs,
    endTimeUnixNano: startNs + BigInt(draw.between(-1000, 2_000_000_000)),
    attributes: attributes(5),
    ...(draw.chance(0.2)
      ? {
          events: list(draw, 1, 2, () => ({
            timeUnixNano: startNs,
            name: draw.pick(TEXTS),
            attributes: attributes(2),
          })),
        }
      : {}),
    ...(draw.chance(0.1)
      ? { links: list(draw, 1, 2, () => ({ traceId: hex(draw, 16), spanId: hex(draw, 8), attributes: attributes(1) })) }
      : {}),
    ...(draw.chance(0.5) ? { status: { code: draw.between(0, 2), message: draw.pick(TEXTS) } } : {}),
    ...(draw.chance(0.5) ? { flags: draw.below(1000) } : {}),
  };
}

function hex(draw: Draw, bytes: number): string {
  let text = '';
  for (let at = 0; at < bytes; at += 4) text += (draw.below(0xffff_ffff) + 1).toString(16).padStart(8, '0');
  return text;
}

function keyValue(options: RequestOptions, depth: number): KeyValueInput {
  return { key: options.draw.pick(KEYS), value: anyValue(options, depth) };
}

function anyValue(options: RequestOptions, depth: number): AnyValueInput {
  const { draw, nested } = options;
  switch (draw.below(nested && depth < 4 ? 8 : 5)) {
    case 0:
      return {};
    case 1:
      return { boolValue: draw.chance(0.5) };
    case 2:
      return { intValue: draw.pick([0n, 1n, -1n, 200n, -(1n << 63n), (1n << 63n) - 1n]) };
    case 3:
      return { doubleValue: nested ? draw.pick([...DOUBLES, ...ODD_DOUBLES]) : draw.below(1000) / 8 };
    case 4:
      return { stringValue: draw.pick(TEXTS) };
    case 5:
      return { bytesValue: Buffer.from(draw.pick(TEXTS)).toString('base64') };
    case 6:
      return { arrayValue: { values: list(draw, 0, 3, () => anyValue(options, depth + 1)) } };
    default:
      return { kvlistValue: { values: list(draw, 0, 3, () => keyValue(options, depth + 1)) } };
  }
}

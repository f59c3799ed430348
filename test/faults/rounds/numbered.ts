/** Bodies in which every span has a number of its own: round and body in the trace id, the span's place in its span id. */
import { gzipSync } from 'node:zlib';
import { encodeRequest, type KeyValueInput, type SpanInput } from '../../support/otlp-encode.ts';
import type { Draw } from '../../support/seeded.ts';

export interface NumberedBody {
  traceId: string;
  /** As sent, compressed or not. */
  wire: Buffer;
  gzip: boolean;
  /** Spans in it, those that break a rule included. */
  spans: number;
}

export interface Numbering {
  /** `service.name` of the round's spans. */
  service: string;
  /** 16 hex digits that no other round has. */
  prefix: string;
  /** Added to the start times, in ms, drawn for each span. */
  offsetsMs: readonly number[];
}

const ROUTES = ['/cart', '/users/{id}/orders', '/search', '/checkout'];
const SPANS_MAX = 48;

export function numberedBody(numbering: Numbering, number: number, draw: Draw): NumberedBody {
  const traceId = `${numbering.prefix}${number.toString(16).padStart(16, '0')}`;
  const nowMs = Date.now();
  const nested = draw.chance(0.1); // these take the slow lane
  const spans: SpanInput[] = Array.from({ length: draw.between(1, SPANS_MAX) }, (_, index) => {
    const startNs = BigInt(nowMs - draw.below(90_000) + draw.pick(numbering.offsetsMs)) * 1_000_000n;
    const durationNs = draw.chance(0.05) ? -1_000_000n : BigInt(draw.below(500_000_000));
    return {
      traceId,
      spanId: (index + 1).toString(16).padStart(16, '0'),
      name: `GET ${draw.pick(ROUTES)}`,
      kind: 2,
      startTimeUnixNano: startNs,
      endTimeUnixNano: startNs + durationNs,
      attributes: attributes(draw, nested),
    };
  });
  // A neighbour that breaks a rule is turned away and costs the others nothing.
  if (draw.chance(0.1)) spans.splice(draw.below(spans.length + 1), 0, { ...spans[0], spanId: '00' });
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: numbering.service } }] };
  const bytes = encodeRequest({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
  const gzip = draw.chance(0.2);
  return { traceId, wire: gzip ? gzipSync(bytes, { level: 1 }) : bytes, gzip, spans: spans.length };
}

function attributes(draw: Draw, nested: boolean): KeyValueInput[] {
  const plain: KeyValueInput[] = [
    { key: 'http.route', value: { stringValue: draw.pick(ROUTES) } },
    { key: 'n', value: { intValue: draw.below(1000) } },
  ];
  if (!nested) return plain;
  return [
    ...plain,
    { key: 'list', value: { arrayValue: { values: [{ intValue: draw.below(9) }, { doubleValue: -0 }] } } },
  ];
}

/**
 * What the door pays per span: the walk, the slow lane's rewrite, and beside them, on the same bytes in the same run, what
 * one would write without this design: decoding to objects with protobufjs (it comes with the OpenTelemetry packages).
 * Rounds of the contenders take turns, so that a noisy neighbour meets all of them; the table shows medians.
 */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { flattenTraces } from '../collectors/otlp/flatten.ts';
import { walkTraces } from '../collectors/otlp/walk.ts';
import { assetPath } from '../core/paths.ts';
import { encodeRequest, type KeyValueInput } from '../test/support/otlp-encode.ts';
import { typicalBody } from '../test/support/otlp-typical.ts';

const BODIES = 40;
const SPANS = 512;
const ROUNDS = 9;
const ROUND_MS = 250;
const MAX_BYTES = 16 * 1024 * 1024;
const NOW_NS = 1_790_000_000_000_000_000n;
const BOUNDS = { loNs: NOW_NS - 3_600_000_000_000n, hiNs: NOW_NS };

interface Contender {
  name: string;
  bodies: readonly Uint8Array[];
  /** Handles one body; returns its spans. */
  run: (body: Uint8Array) => number;
}

interface Round {
  spansPerSecond: number;
  cpuNsPerSpan: number;
}

function walk(body: Uint8Array): number {
  const result = walkTraces(body, BOUNDS);
  if (!result.ok || result.rejectedTotal > 0) throw new Error('the bench is given bad bodies');
  return result.spans;
}

/** Spans as typical ones, but each with one nested attribute, so that none can be copied as it is. */
function nestedBody(): Buffer {
  const text = (key: string, stringValue: string): KeyValueInput => ({ key, value: { stringValue } });
  const attributes = [
    text('http.request.method', 'GET'),
    text('http.route', '/cart/items/{id}'),
    text('url.path', '/cart/items/42'),
    text('url.scheme', 'https'),
    text('server.address', 'shop.example.com'),
    { key: 'server.port', value: { intValue: 443 } },
    { key: 'http.response.status_code', value: { intValue: 200 } },
    { key: 'http.request.header.accept', value: { arrayValue: { values: [{ stringValue: 'text/html' }] } } },
  ];
  const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
  const times = { startTimeUnixNano: NOW_NS - 1000n, endTimeUnixNano: NOW_NS };
  const span = { ...ids, ...times, name: 'GET /cart/items/{id}', kind: 2, attributes, flags: 0x101 };
  return encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans: Array.from({ length: SPANS }, () => span) }] }] });
}

function createContenders(): Contender[] {
  const typical = Array.from({ length: BODIES }, (_, seed) => typicalBody({ seed, spans: SPANS, nowNs: NOW_NS }));
  const nested = [nestedBody()];
  const proto = protobuf.parse(readFileSync(assetPath('store/loads/otlp_traces.proto'), 'utf8'));
  const request = proto.root.lookupType('ExportTraceServiceRequest');
  const decode = (body: Uint8Array): number => {
    const { resourceSpans } = request.decode(body) as unknown as {
      resourceSpans: { scopeSpans: { spans: unknown[] }[] }[];
    };
    return resourceSpans.reduce(
      (sum, { scopeSpans }) => sum + scopeSpans.reduce((n, { spans }) => n + spans.length, 0),
      0,
    );
  };
  const flatten = (body: Uint8Array): number => (flattenTraces(body, MAX_BYTES).length > 0 ? SPANS : 0);
  return [
    { name: 'walk', bodies: typical, run: walk },
    { name: 'protobufjs decode', bodies: typical, run: decode },
    { name: 'walk, every span nested', bodies: nested, run: walk },
    { name: 'flatten, every span nested', bodies: nested, run: flatten },
    { name: 'protobufjs decode, every span nested', bodies: nested, run: decode },
  ];
}

function measure({ bodies, run }: Contender): Round {
  const start = performance.now();
  const startCpu = process.cpuUsage();
  let spans = 0;
  while (performance.now() - start < ROUND_MS) for (const body of bodies) spans += run(body);
  const elapsedMs = performance.now() - start;
  const { user, system } = process.cpuUsage(startCpu);
  return { spansPerSecond: (spans / elapsedMs) * 1000, cpuNsPerSpan: ((user + system) * 1000) / spans };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const contenders = createContenders();
const rounds = contenders.map((): Round[] => []);
for (let i = 0; i < ROUNDS + 1; i++) {
  for (const [at, contender] of contenders.entries()) {
    const round = measure(contender);
    if (i > 0) rounds[at]?.push(round); // the first round is the compiler's
  }
}
const rows = contenders.map(({ name, bodies }, at) => {
  const bytesPerSpan = bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length / SPANS;
  const spansPerSecond = median(rounds[at]?.map((round) => round.spansPerSecond) ?? []);
  return {
    what: name,
    'B/span': Math.round(bytesPerSpan),
    'spans/s': Math.round(spansPerSecond).toLocaleString('en'),
    'MB/s': Math.round((spansPerSecond * bytesPerSpan) / 1e6),
    'CPU ns/span': Math.round(median(rounds[at]?.map((round) => round.cpuNsPerSpan) ?? [])),
  };
});
console.table(rows);

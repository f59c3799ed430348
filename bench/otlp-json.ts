/**
 * What OTLP/JSON costs: the slow lane's rewrite from JSON bytes to flat protobuf, and beside it, on the same bytes in the same
 * run, JSON.parse alone, and JSON.parse followed by encoding with protobufjs, which is what one would write without it (and
 * which loses every 64-bit integer sent as a bare number). Rounds of the contenders take turns; the table shows medians.
 */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { rewriteJsonTraces } from '../collectors/otlp/json/rewrite.ts';
import { walkTraces } from '../collectors/otlp/walk.ts';
import { assetPath } from '../core/paths.ts';
import type { KeyValueInput, SpanInput } from '../test/support/otlp-encode.ts';
import { encodeJson } from '../test/support/otlp-json.ts';
import { printTable } from './support/table.ts';

const BODIES = 20;
const SPANS = 512;
const ROUNDS = 9;
const ROUND_MS = 250;
const MAX_BYTES = 16 * 1024 * 1024;
const NOW_NS = 1_790_000_000_000_000_000n;
const BOUNDS = { loNs: NOW_NS - 3_600_000_000_000n, hiNs: NOW_NS };

interface Contender {
  name: string;
  bodies: readonly Buffer[];
  run: (body: Buffer) => void;
}

const text = (key: string, stringValue: string): KeyValueInput => ({ key, value: { stringValue } });
const hex = (value: number, digits: number): string => (value + 1).toString(16).padStart(digits, 'a');

function span(at: number, isNested: boolean): SpanInput {
  const attributes = [
    text('http.request.method', 'GET'),
    text('http.route', '/cart/items/{id}'),
    text('url.path', `/cart/items/${at}`),
    text('url.scheme', 'https'),
    text('server.address', 'shop.example.com'),
    { key: 'server.port', value: { intValue: 443 } },
    { key: 'http.response.status_code', value: { intValue: 200 } },
    isNested
      ? { key: 'http.request.header.accept', value: { arrayValue: { values: [{ stringValue: 'text/html' }] } } }
      : text('network.protocol.version', '1.1'),
  ];
  return {
    traceId: hex(at >> 3, 32),
    spanId: hex(at, 16),
    parentSpanId: at % 8 === 0 ? '' : hex(at & ~7, 16),
    name: 'GET /cart/items/{id}',
    kind: 2,
    startTimeUnixNano: NOW_NS - BigInt(at + 1) * 1_000_003n,
    endTimeUnixNano: NOW_NS - BigInt(at) * 1_000_003n,
    attributes,
    events: [],
    links: [],
    status: {},
    flags: 0x101,
  };
}

function bodiesOf(isNested: boolean): Buffer[] {
  return Array.from({ length: BODIES }, (_, body) => {
    const spans = Array.from({ length: SPANS }, (_unused, at) => span(body * SPANS + at, isNested));
    const resource = { attributes: [text('service.name', 'cart'), text('service.version', '1.4.2')] };
    return encodeJson({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'net/http' }, spans }] }] });
  });
}

function rewrite(body: Buffer): Uint8Array {
  const flat = rewriteJsonTraces(body, MAX_BYTES);
  const walk = walkTraces(flat, BOUNDS);
  if (!walk.ok || walk.spans !== SPANS || walk.rejectedTotal > 0) throw new Error('the bench is given bad bodies');
  return flat;
}

function createContenders(): Contender[] {
  const proto = protobuf.parse(readFileSync(assetPath('store/loads/otlp_traces.proto'), 'utf8'));
  const request = proto.root.lookupType('ExportTraceServiceRequest');
  const flat = bodiesOf(false);
  const parse = (body: Buffer): object => JSON.parse(body.toString('utf8')) as object;
  return [
    { name: 'JSON bytes to flat protobuf, walked', bodies: flat, run: rewrite },
    { name: 'the same, every span with a nested value', bodies: bodiesOf(true), run: rewrite },
    { name: 'JSON.parse alone', bodies: flat, run: parse },
    {
      name: 'JSON.parse, then protobufjs encode',
      bodies: flat,
      run: (body) => request.encode(request.fromObject(parse(body))).finish(),
    },
  ];
}

/** Seconds per body and seconds of CPU per body. */
function measure({ bodies, run }: Contender): { wallS: number; cpuS: number } {
  const start = performance.now();
  const startCpu = process.cpuUsage();
  let count = 0;
  for (; performance.now() - start < ROUND_MS; count += bodies.length) for (const body of bodies) run(body);
  const { user, system } = process.cpuUsage(startCpu);
  return { wallS: (performance.now() - start) / 1000 / count, cpuS: (user + system) / 1e6 / count };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const contenders = createContenders();
const rounds = contenders.map((): { wallS: number; cpuS: number }[] => []);
for (let round = 0; round < ROUNDS + 1; round++) {
  for (const [at, contender] of contenders.entries()) {
    const measured = measure(contender);
    if (round > 0) rounds[at]?.push(measured); // the first round is the compiler's
  }
}
printTable(
  ['', 'B/span', 'MB/s', 'spans/s', 'CPU ns/span'],
  contenders.map(({ name, bodies }, at) => {
    const bytes = bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length;
    const wallS = median((rounds[at] ?? []).map((each) => each.wallS));
    const cpuS = median((rounds[at] ?? []).map((each) => each.cpuS));
    return [name, bytes / SPANS, bytes / 1e6 / wallS, SPANS / wallS, (cpuS / SPANS) * 1e9];
  }),
);

/** Seeded bodies as a Go service's exporter sends them: HTTP and RPC spans, eight to a trace, about 256 bytes each. */
import { ProtoWriter } from './otlp-encode.ts';

export interface TypicalOptions {
  seed: number;
  spans: number;
  /** The body's spans start within the second before this Unix time in nanoseconds. */
  nowNs: bigint;
  services?: readonly string[];
  routes?: readonly string[];
}

const SERVICES = ['shop-web', 'cart', 'checkout', 'catalog', 'payments', 'users'];
const ROUTES = [
  '/',
  '/products/{id}',
  '/cart',
  '/cart/items/{id}',
  '/checkout',
  '/users/{id}/orders',
  '/search',
  '/login',
];
const RPCS = ['GetCart', 'AddItem', 'Charge', 'ListProducts', 'GetUser', 'Reserve'];
const SPANS_PER_TRACE = 8;

/** A small seeded generator (xorshift32); returns an unsigned 32-bit integer. */
function xorshift(seed: number): () => number {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ 0x27d4eb2f) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
}

const blocks = new Map<string, Buffer>();

type Attributes = Record<string, string | number>;

/** Attributes in field `number` as bytes; with a `name` they are remembered, since a service sends the same ones all day. */
function attributes(number: number, values: Attributes, name?: string): Buffer {
  const known = name === undefined ? undefined : blocks.get(name);
  if (known !== undefined) return known;
  const writer = new ProtoWriter();
  for (const [key, value] of Object.entries(values)) {
    writer.message(number, () => {
      writer.text(1, key);
      writer.message(2, () => (typeof value === 'string' ? writer.text(1, value) : writer.int(3, value)));
    });
  }
  const bytes = writer.finish();
  if (name !== undefined) blocks.set(name, bytes);
  return bytes;
}

interface Draw {
  writer: ProtoWriter;
  next: () => number;
  id: Buffer;
  traceId: Buffer;
  rootId: Buffer;
  nowNs: bigint;
  routes: readonly string[];
}

function fill(bytes: Buffer, next: () => number): Buffer {
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(next(), at);
  bytes[0] = (bytes[0] ?? 0) | 1; // an id of zeroes is not an id
  return bytes;
}

/** Log-normal around `medianMs`, in nanoseconds. */
function durationNs(next: () => number, medianMs: number): bigint {
  const sum = next() + next() + next() + next();
  const normal = (sum / 0x100000000 - 2) * 1.732;
  return BigInt(Math.round(medianMs * 1e6 * Math.exp(0.7 * normal)));
}

function writeHead(draw: Draw, name: string, kind: number, medianMs: number, isRoot: boolean): void {
  const { writer, next } = draw;
  writer.text(1, draw.traceId).text(2, fill(isRoot ? draw.rootId : draw.id, next));
  if (!isRoot) writer.text(4, draw.rootId);
  const start = draw.nowNs - BigInt(next() % 1_000_000_000);
  writer
    .text(5, name)
    .int(6, kind)
    .fixed64(7, start)
    .fixed64(8, start + durationNs(next, medianMs));
}

function writeServerSpan(draw: Draw): void {
  const { writer, next } = draw;
  const route = draw.routes[next() % draw.routes.length] ?? '/';
  const method = next() % 4 === 0 ? 'POST' : 'GET';
  const status = next() % 50 === 0 ? 500 : 200;
  writeHead(draw, `${method} ${route}`, SERVER, 12, true);
  const item = next() % 1000;
  const block = attributes(
    9,
    {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
      'url.scheme': 'https',
      'url.path': route.replace('{id}', String(item)),
      'server.address': 'shop.example.com',
      'server.port': 443,
      'network.protocol.version': '1.1',
    },
    `${method}${status}${item} ${route}`,
  );
  writer.raw(block);
  if (status === 500) writer.message(15, () => writer.text(2, 'upstream refused').int(3, 2));
  else writer.raw(EMPTY_STATUS);
}

function writeClientSpan(draw: Draw): void {
  const { writer, next } = draw;
  const rpc = RPCS[next() % RPCS.length] ?? 'Get';
  const host = next() % 250;
  writeHead(draw, `shop.Cart/${rpc}`, CLIENT, 4, false);
  const block = attributes(
    9,
    {
      'rpc.system': 'grpc',
      'rpc.service': 'shop.Cart',
      'rpc.method': rpc,
      'rpc.grpc.status_code': 0,
      'server.address': 'cart',
      'server.port': 8080,
      'network.peer.address': `10.1.0.${host}`,
      'network.type': 'ipv4',
    },
    `${host} ${rpc}`,
  );
  writer.raw(block);
  if (next() % 100 === 0) {
    const message = 'dial tcp 10.1.0.7:8080: connect: connection refused';
    writer.message(11, () => {
      writer.fixed64(1, draw.nowNs).text(2, 'exception');
      writer.raw(attributes(3, { 'exception.type': '*net.OpError', 'exception.message': message }, 'exception'));
    });
  }
  writer.raw(EMPTY_STATUS);
}

const SERVER = 2;
const CLIENT = 3;
const EMPTY_STATUS = Buffer.from([0x7a, 0x00]);
const FLAGS_SAMPLED_LOCAL_PARENT = 0x101;

/** A serialized ExportTraceServiceRequest of one service picked by the seed: the same options give the same bytes. */
export function typicalBody(options: TypicalOptions): Buffer {
  const { seed, spans, nowNs, services = SERVICES, routes = ROUTES } = options;
  const next = xorshift(seed);
  const writer = new ProtoWriter();
  const [id, traceId, rootId] = [Buffer.alloc(8), Buffer.alloc(16), Buffer.alloc(8)];
  const draw: Draw = { writer, next, id, traceId, rootId, nowNs, routes };
  const service = services[next() % services.length] ?? 'shop-web';
  writer.message(1, () => {
    writer.message(1, () => {
      const language = { 'telemetry.sdk.language': 'go', 'cloud.region': 'eu-central-1' };
      writer.raw(attributes(1, { 'service.name': service, 'service.version': '1.4.2', ...language }));
    });
    writer.message(2, () => {
      writer.message(1, () => writer.text(1, 'go.opentelemetry.io/contrib/net/http/otelhttp').text(2, '0.61.0'));
      for (let i = 0; i < spans; i++) {
        if (i % SPANS_PER_TRACE === 0) fill(traceId, next);
        writer.message(2, () => {
          if (i % SPANS_PER_TRACE === 0) writeServerSpan(draw);
          else writeClientSpan(draw);
          writer.fixed32(16, FLAGS_SAMPLED_LOCAL_PARENT);
        });
      }
    });
  });
  return writer.finish();
}

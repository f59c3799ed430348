/**
 * A load generator in a process of its own: `node sender.js <url> <seconds> <connections> <spansPerBody> [spansPerSecond]`. Bodies are made
 * before the clock starts; a `grpc://` URL sends them over gRPC, one HTTP/2 session a connection; each send gives every span new ids and a start time of now, so that nothing compresses or
 * deduplicates better than it would for real senders. Prints one line of JSON.
 */
import { Agent, request } from 'node:http';
import { randomFillSync } from 'node:crypto';
import { createGrpcSend } from './grpc-send.ts';
import { patchPoints, type PatchPoints } from './patch-points.ts';
import { typicalBody } from '../../test/support/otlp-typical.ts';

interface Template {
  bytes: Buffer;
  points: PatchPoints;
  bornNs: bigint;
}

const [url = '', seconds = '10', connections = '8', spansPerBody = '512', spansPerSecond = '0'] = process.argv.slice(2);
/** Between two sends of one connection; 0 where it sends as fast as it is answered. */
const paceMs =
  Number(spansPerSecond) === 0 ? 0 : (Number(spansPerBody) * Number(connections) * 1000) / Number(spansPerSecond);
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
const totals = { bodies: 0, spans: 0, bytes: 0, refused: 0, failed: 0 };
const latenciesMs: number[] = [];

function templates(count: number): Template[] {
  return Array.from({ length: count }, (_, seed) => {
    const bornNs = BigInt(Date.now()) * 1_000_000n;
    const bytes = typicalBody({ seed: seed + 1, spans: Number(spansPerBody), nowNs: bornNs });
    return { bytes, points: patchPoints(bytes), bornNs };
  });
}

const RENEW_TIMES_NS = 1_000_000_000n;

/** Gives the body's spans new ids, equal where they were equal, and times of the last second. */
function renew({ bytes, points, bornNs }: Template): Template {
  const mask = randomFillSync(new Int32Array(2));
  const [low = 0, high = 0] = mask;
  for (const at of points.ids) {
    bytes.writeInt32LE(bytes.readInt32LE(at) ^ low, at);
    bytes.writeInt32LE(bytes.readInt32LE(at + 4) ^ high, at + 4);
  }
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  if (nowNs - bornNs < RENEW_TIMES_NS) return { bytes, points, bornNs };
  for (const at of points.times) bytes.writeBigUInt64LE(bytes.readBigUInt64LE(at) + (nowNs - bornNs), at);
  return { bytes, points, bornNs: nowNs };
}

function sendHttp(body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: 'POST', agent, headers: { 'content-type': 'application/x-protobuf', 'content-length': body.length } },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

async function sendUntil(endMs: number, pool: Template[]): Promise<void> {
  const send = url.startsWith('grpc:') ? createGrpcSend(url) : sendHttp;
  let dueMs = performance.now() + Math.random() * paceMs;
  for (let next = 0; performance.now() < endMs; next = (next + 1) % pool.length) {
    if (paceMs > 0) await sleep(dueMs - performance.now());
    dueMs += paceMs;
    const template = renew(pool[next] as Template);
    pool[next] = template;
    const startedMs = performance.now();
    const status = await send(template.bytes).catch(() => -1);
    latenciesMs.push(performance.now() - startedMs);
    if (status === 200) {
      totals.bodies += 1;
      totals.spans += Number(spansPerBody);
      totals.bytes += template.bytes.length;
    } else if (status > 0) {
      totals.refused += 1;
      await sleep(200);
    } else totals.failed += 1;
  }
}

const pools = Array.from({ length: Number(connections) }, () =>
  templates(Math.max(2, Math.round(8192 / Number(spansPerBody)))),
);
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
const startedMs = performance.now();
await Promise.all(pools.map((pool) => sendUntil(startedMs + Number(seconds) * 1000, pool)));
const elapsedS = (performance.now() - startedMs) / 1000;
const { user, system } = process.cpuUsage();
latenciesMs.sort((a, b) => a - b);
const at = (q: number): number => latenciesMs[Math.ceil(q * latenciesMs.length) - 1] ?? 0;
process.stdout.write(
  `${JSON.stringify({ ...totals, elapsedS, cpuS: (user + system) / 1e6, ackP50Ms: at(0.5), ackP99Ms: at(0.99) })}\n`,
);
process.exit(0);

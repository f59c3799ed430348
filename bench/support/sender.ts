/**
 * A load generator in a process of its own: `node sender.js '<plan>'`. Bodies are made before the clock starts; each send gives
 * every span new ids and a start time of now, so that nothing compresses or deduplicates better than it would for real
 * senders. Prints `ready`, waits for a line, sends, and prints one line of JSON.
 */
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { jsonTemplate, renewJson } from './json-template.ts';
import type { Form, SenderPlan } from './sender-plan.ts';
import { createRandom, renewInto, typicalTemplates } from './template.ts';
import { grpcTransport, httpTransport, type Transport } from './transports.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as SenderPlan;
/** Between two sends of one connection; 0 where it sends as fast as it is answered. */
const paceMs = plan.spansPerSecond === 0 ? 0 : (plan.spansPerBody * plan.connections * 1000) / plan.spansPerSecond;
const REFUSED_PAUSE_MS = 200;
const totals = { bodies: 0, spans: 0, bytes: 0, refused: 0, failed: 0 };
const latenciesMs: number[] = [];
const ackedMarks: string[] = [];

interface Body {
  bytes: Buffer;
  /** Hex of its first span id where the plan wants a ledger, else ''. */
  mark: string;
}

interface Connection {
  transport: Transport;
  /** The next body; it may be overwritten by the one after. */
  nextBody(): Body;
}

function openConnection(index: number): Connection {
  const count = Math.min(512, Math.max(2, Math.round(8192 / plan.spansPerBody)));
  const pool = typicalTemplates(count, plan.spansPerBody, index * count + 1, nowNs());
  const random = createRandom(0x9e3779b9 * (index + 1) + process.pid);
  const jsonPool = plan.form === 'json' ? pool.map(jsonTemplate) : [];
  const prefix = plan.form === 'grpc' ? 5 : 0;
  const buffer = Buffer.alloc(prefix + Math.max(...pool.map(({ bytes }) => bytes.length)));
  let turn = 0;
  const nextBody = (): Body => {
    const at = turn++ % count;
    const json = jsonPool[at];
    if (json !== undefined) return { bytes: renewJson(json, nowNs(), random), mark: '' };
    const template = pool[at];
    if (template === undefined) throw new Error('there are no templates');
    const end = renewInto(buffer, prefix, template, nowNs(), random);
    if (prefix > 0) buffer.writeUInt32BE(end - prefix, 1);
    const body = buffer.subarray(0, end);
    const markAt = prefix + (template.points.spanIds[0] ?? 0);
    const mark = plan.ledger === undefined ? '' : body.toString('hex', markAt, markAt + 8);
    return { bytes: plan.form === 'gzip' ? gzipSync(body, { level: 1 }) : body, mark };
  };
  return { transport: transportOf(plan.form), nextBody };
}

function transportOf(form: Form): Transport {
  if (form === 'grpc') return grpcTransport(plan.origin);
  const type = form === 'json' ? 'application/json' : 'application/x-protobuf';
  return httpTransport(plan.origin, {
    'content-type': type,
    ...(form === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
  });
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

async function sendUntil(endMs: number, { transport, nextBody }: Connection): Promise<void> {
  let dueMs = performance.now() + Math.random() * paceMs;
  while (performance.now() < endMs) {
    if (paceMs > 0) await sleep(dueMs - performance.now());
    dueMs += paceMs;
    const { bytes, mark } = nextBody();
    const startedMs = performance.now();
    const status = await transport.send(bytes).catch(() => -1);
    latenciesMs.push(performance.now() - startedMs);
    if (status === 200) {
      totals.bodies += 1;
      totals.spans += plan.spansPerBody;
      totals.bytes += bytes.length;
      if (mark !== '') ackedMarks.push(mark);
    } else {
      if (status > 0) totals.refused += 1;
      else totals.failed += 1;
      await sleep(REFUSED_PAUSE_MS);
    }
  }
}

const connections = Array.from({ length: plan.connections }, (_, index) => openConnection(index));
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
const cpuBefore = process.cpuUsage();
const startedMs = performance.now();
await Promise.all(connections.map((connection) => sendUntil(startedMs + plan.seconds * 1000, connection)));
const elapsedS = (performance.now() - startedMs) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
if (plan.ledger !== undefined) writeFileSync(plan.ledger, ackedMarks.join('\n'));
latenciesMs.sort((a, b) => a - b);
const at = (q: number): number => latenciesMs[Math.ceil(q * latenciesMs.length) - 1] ?? 0;
process.stdout.write(
  `${JSON.stringify({ ...totals, elapsedS, cpuS: (user + system) / 1e6, ackP50Ms: at(0.5), ackP99Ms: at(0.99) })}\n`,
);
process.exit(0);

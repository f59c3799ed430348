import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { OTLP_COLLECTORS } from '../../../collectors/index.ts';
import { encodeStatus } from '../../../collectors/otlp/response.ts';
import type { Clock, Sender } from '../../../core/ports.ts';
import { type Access, openAccess } from '../../../app/access.ts';
import { loadConfig } from '../../../app/config/load.ts';
import type { Config } from '../../../app/config/schema.ts';
import { createAuth } from '../../../ingest/auth/token.ts';
import { createLedger } from '../../../ingest/doors/ledger.ts';
import type { Receive } from '../../../ingest/doors/receive.ts';
import { createOtlpHttpDoor } from '../../../ingest/doors/otlp-http.ts';
import type { LogLine } from '../../support/memory-log.ts';
import { memoryLog } from '../../support/memory-log.ts';
import type { Leaf } from '../../support/pki.ts';

/** The OTLP/HTTP door with everything that stands before a body; what is taken is only noted. */
export interface TestDoor {
  url: string;
  port: number;
  access: Access;
  senders: Sender[];
  /** Notes what it is given; for other doors behind the same admission. */
  receive: Receive;
  lines: LogLine[];
  refusals(): Record<string, number>;
  close(): Promise<void>;
}

export function configOf(flags: Record<string, string>): Config {
  return loadConfig({ flags, env: {}, cwd: '/', readFile: () => undefined }).config;
}

export async function openTestDoor(flags: Record<string, string>, clock: Clock): Promise<TestDoor> {
  const log = memoryLog();
  const config = configOf(flags);
  const access = await openAccess(config, createAuth(config.token), createLedger(clock, log), clock, log);
  const senders: Sender[] = [];
  const receive: Receive = async (_collector, { bytes, sender }) => {
    senders.push(sender);
    const counts = { bytes: bytes.length, spans: 10, clockSkew: 0, slowLane: false, duplicate: false, rejected: {} };
    access.ledger.accepted({ ...counts, signal: 'otlp_traces', door: 'otlp_http', format: 'protobuf', sender });
    return { rejectedSpans: 0, message: '' };
  };
  const door = createOtlpHttpDoor({
    collectors: OTLP_COLLECTORS,
    receive,
    admission: access.admission,
    ledger: access.ledger,
    encodeStatus,
    createServer: access.tls?.createServer,
    log,
  });
  await door.listen({ host: '127.0.0.1', port: 0 });
  const { port } = door.server.address() as AddressInfo;
  return {
    url: `${access.tls === undefined ? 'http' : 'https'}://localhost:${port}`,
    port,
    access,
    senders,
    receive,
    lines: log.lines,
    refusals: () => Object.fromEntries(access.ledger.totals().refused.map(({ reason, count }) => [reason, count])),
    async close() {
      door.server.closeAllConnections();
      await door.close();
    },
  };
}

export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  /** Serial number of the door's own certificate. */
  serverSerial: string;
  localPort: number;
}

/** A client of the door; keeps its connection. */
export function agentOf(leaf: Leaf | undefined, caFile: string, more: object = {}): Agent {
  const own = leaf === undefined ? {} : { cert: leaf.cert, key: leaf.key };
  return new Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(caFile), ...own, ...more });
}

/** One OTLP call. Rejects with what the handshake failed by. */
export function call(url: string, agent: Agent, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}/v1/traces`,
      { agent, method: 'POST', headers: { 'content-type': 'application/x-protobuf', ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        const socket = response.socket as unknown as {
          getPeerCertificate(): { serialNumber: string };
          localPort: number;
        };
        const { serialNumber } = socket.getPeerCertificate();
        const { localPort } = socket;
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('latin1'),
            serverSerial: serialNumber,
            localPort,
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

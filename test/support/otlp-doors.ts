/** Both OTLP doors on free loopback ports, over a real journal in a folder of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { OTLP_COLLECTORS, REWRITERS } from '../../collectors/index.ts';
import { encodeStatus } from '../../collectors/otlp/response.ts';
import { systemClock } from '../../core/clock.ts';
import type { Log } from '../../core/ports.ts';
import { type Admission, admitByToken } from '../../ingest/auth/admission.ts';
import { createAuth } from '../../ingest/auth/token.ts';
import { BODY_MAX_BYTES } from '../../ingest/doors/body.ts';
import { createLedger, type DoorLedger } from '../../ingest/doors/ledger.ts';
import { createOtlpGrpcDoor, type OtlpGrpcDeps, type OtlpGrpcDoor } from '../../ingest/doors/otlp-grpc.ts';
import { createOtlpHttpDoor } from '../../ingest/doors/otlp-http.ts';
import { createReceiver, type Receive, type Rewrite } from '../../ingest/doors/receive.ts';
import { createJournal } from '../../ingest/journal/journal.ts';
import type { DiskJournal } from '../../ingest/journal/types.ts';
import { memoryLog } from './memory-log.ts';

export const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

export interface OtlpDoorsOptions {
  token?: string;
  maxBacklogBytes?: number;
  admission?: Admission;
  rewrite?: Rewrite;
  /** Put between the doors and the receiver. */
  around?: (receive: Receive) => Receive;
  credentials?: OtlpGrpcDeps['credentials'];
}

export interface OtlpDoors {
  httpUrl: string;
  grpcPort: number;
  grpcDoor: OtlpGrpcDoor;
  journal: DiskJournal;
  ledger: DoorLedger;
  log: Log & ReturnType<typeof memoryLog>;
  /** What lies in the journal now, body by body. */
  journaled(): Promise<Buffer[]>;
  close(): Promise<void>;
}

/** Rewrites as the slow lane's worker does, on this thread. */
const rewriteHere: Rewrite = async (signal, format, bytes) => {
  const rewriter = REWRITERS[signal]?.[format];
  if (rewriter === undefined) throw new Error(`no rewriter for ${format} of ${signal}`);
  return rewriter(bytes, BODY_MAX_BYTES);
};

export async function openOtlpDoors(options: OtlpDoorsOptions = {}): Promise<OtlpDoors> {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-doors-'));
  const log = memoryLog();
  const journal = await createJournal({
    dir,
    clock: systemClock,
    log,
    options: {
      retentionMs: () => 14 * 86_400_000,
      loadSettings: {},
      maxBacklogBytes: options.maxBacklogBytes ?? 1024 ** 3,
      minFreeBytes: 0,
    },
  });
  const ledger = createLedger(systemClock, log);
  const admission = options.admission ?? admitByToken(createAuth(options.token));
  const shared = { collectors: OTLP_COLLECTORS, admission, ledger, encodeStatus, log };
  const around = options.around ?? ((receive: Receive) => receive);
  const receiving = { rewrite: options.rewrite ?? rewriteHere, journal, ledger, keepRejected: () => {} };
  const http = createOtlpHttpDoor({ ...shared, receive: around(createReceiver({ ...receiving, door: 'otlp_http' })) });
  const grpcDoor = createOtlpGrpcDoor({
    ...shared,
    receive: around(createReceiver({ ...receiving, door: 'otlp_grpc' })),
    credentials: options.credentials ?? (({ ServerCredentials }) => ServerCredentials.createInsecure()),
    clock: systemClock,
  });
  const httpUrl = await http.listen({ host: '127.0.0.1', port: 0 });
  await grpcDoor.listen({ host: '127.0.0.1', port: 0 });
  return {
    httpUrl,
    grpcPort: (grpcDoor.server.address() as AddressInfo).port,
    grpcDoor,
    journal,
    ledger,
    log,
    async journaled() {
      await journal.sealAll();
      const bodies: Buffer[] = [];
      for (const segment of journal.sealed())
        for await (const body of journal.readBodies(segment)) bodies.push(Buffer.from(body.bytes));
      return bodies;
    },
    async close() {
      await http.close();
      await grpcDoor.close(1000);
      await journal.close(1000);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  bytes: Buffer;
}

/** One request of a plain HTTP/1.1 client that adds no header of its own accord. */
export function send(
  url: string,
  { method = 'POST', headers = {}, body = Buffer.alloc(0) }: { method?: string; headers?: object; body?: Uint8Array },
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method, agent: false, headers: { 'content-length': body.length, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** What a gRPC call came to. */
export interface GrpcAnswer {
  code: grpc.status;
  message: string;
  /** Serialized google.rpc.Status out of `grpc-status-details-bin`; empty where there is none. */
  details: Buffer;
  /** The response message; undefined where the call failed. */
  response: Buffer | undefined;
}

export interface GrpcCall {
  method?: string;
  metadata?: Record<string, string>;
  gzip?: boolean;
  deadlineMs?: number;
}

/** A real grpc-js client without generated code. */
export function grpcClient(port: number, credentials = grpc.credentials.createInsecure()) {
  const compressed = { 'grpc.default_compression_algorithm': 2 as const };
  const options = { 'grpc.max_send_message_length': -1, 'grpc.use_local_subchannel_pool': 1 };
  const clients = {
    plain: new grpc.Client(`127.0.0.1:${port}`, credentials, options),
    gzip: new grpc.Client(`127.0.0.1:${port}`, credentials, { ...options, ...compressed }),
  };
  const raw = (bytes: Buffer): Buffer => bytes;
  return {
    call(body: Uint8Array, { method = EXPORT, metadata = {}, gzip = false, deadlineMs = 20_000 }: GrpcCall = {}) {
      return new Promise<GrpcAnswer>((resolve) => {
        const sent = new grpc.Metadata();
        for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
        const client = gzip ? clients.gzip : clients.plain;
        const deadline = { deadline: Date.now() + deadlineMs };
        client.makeUnaryRequest(method, raw, raw, Buffer.from(body), sent, deadline, (error, response) => {
          const [details] = error?.metadata.get('grpc-status-details-bin') ?? [];
          resolve({
            code: error?.code ?? grpc.status.OK,
            message: error?.details ?? '',
            details: Buffer.isBuffer(details) ? details : Buffer.alloc(0),
            response,
          });
        });
      });
    },
    close() {
      clients.plain.close();
      clients.gzip.close();
    },
  };
}

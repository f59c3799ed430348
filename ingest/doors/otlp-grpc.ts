/**
 * The OTLP/gRPC door: a port of its own, and grpc-js behind it. The library is loaded when the first sender comes (13 MB and 60 ms
 * that an instance without gRPC senders never pays). A sender that speaks something else is told what it hit.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type * as Grpc from '@grpc/grpc-js';
import { ERRORS } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import { createGrpcService, type GrpcServiceDeps } from './grpc-service.ts';

export interface OtlpGrpcDeps extends GrpcServiceDeps {
  /** How connections are secured; asked once, when the first one comes. */
  credentials(grpc: typeof Grpc): Grpc.ServerCredentials | Promise<Grpc.ServerCredentials>;
  clock: Clock;
}

export interface OtlpGrpcDoor {
  readonly server: Server;
  /** Rejects with what the system says (`EADDRINUSE`, …). */
  listen(options: { host: string; port: number }): Promise<void>;
  /** No new connections or calls at once; calls under way are answered, and what is left after `limitMs` is cut. */
  close(limitMs: number): Promise<void>;
}

/** A connection that says nothing for this long is closed. */
const SILENT_MS = 20_000;
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0');
const TLS_HANDSHAKE = 0x16;

interface Core {
  service: Grpc.Server;
  injector: ReturnType<Grpc.Server['createConnectionInjector']>;
  isSecure: boolean;
}

/** The door; it does not listen yet. Plain connections: `credentials: (grpc) => grpc.ServerCredentials.createInsecure()`. */
export function createOtlpGrpcDoor(deps: OtlpGrpcDeps): OtlpGrpcDoor {
  let core: Promise<Core> | undefined;
  const sockets = new Set<Socket>();
  const refuse = (socket: Socket, reason: string, hint: string): void => {
    deps.ledger.refused(reason, hint, {});
    socket.destroy();
  };
  const welcome = async (socket: Socket, first: Buffer): Promise<void> => {
    core ??= loadCore(deps);
    const { injector, isSecure } = await core;
    const isTls = first[0] === TLS_HANDSHAKE;
    if (isTls !== isSecure && (isTls || isHttp2(first)))
      refuse(socket, isTls ? 'tls_on_plain_port' : 'plain_on_tls_port', isTls ? PLAIN_HINT : TLS_HINT);
    else if (!isTls && !isHttp2(first)) refuseHttp1(deps, socket);
    else injector.injectConnection(socket);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(SILENT_MS, () => socket.destroy());
    socket.once('data', (first: Buffer) => {
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      socket.pause();
      socket.unshift(first);
      welcome(socket, first).catch((error: unknown) => {
        deps.log.error({ err: error }, 'a gRPC connection could not be taken');
        socket.destroy();
      });
    });
  });
  return {
    server,
    listen: (options) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(options, () => {
          server.off('error', reject);
          resolve();
        });
      }),
    async close(limitMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A core that could not be loaded has no calls to wait for.
      const loaded = await core?.catch(() => undefined);
      await new Promise<void>((resolve) => {
        const timer = deps.clock.after(limitMs, resolve);
        const drained = (): void => {
          timer.cancel();
          resolve();
        };
        if (loaded === undefined) drained();
        else loaded.service.tryShutdown(drained);
      });
      loaded?.service.forceShutdown();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const PLAIN_HINT =
  'This port speaks gRPC without TLS: start OTEL_EXPORTER_OTLP_ENDPOINT with http://, or set OTEL_EXPORTER_OTLP_INSECURE=true.';
const TLS_HINT = 'This port speaks gRPC over TLS: start OTEL_EXPORTER_OTLP_ENDPOINT with https://.';
const HTTP1_HINT =
  'This port speaks OTLP over gRPC: set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or send to the port of OTLP/HTTP (4318).';

async function loadCore(deps: OtlpGrpcDeps): Promise<Core> {
  const grpc = await import('@grpc/grpc-js');
  const credentials = await deps.credentials(grpc);
  const service = createGrpcService(grpc, deps);
  return {
    service,
    injector: service.createConnectionInjector(credentials),
    isSecure: credentials._isSecure(),
  };
}

function isHttp2(first: Buffer): boolean {
  const size = Math.min(first.length, HTTP2_PREFACE.length);
  return first.subarray(0, size).equals(HTTP2_PREFACE.subarray(0, size));
}

/** Exporters of OTLP/HTTP, and people with a browser or curl. */
function refuseHttp1({ ledger, encodeStatus }: OtlpGrpcDeps, socket: Socket): void {
  ledger.refused('http_on_grpc_port', HTTP1_HINT, {});
  const body = encodeStatus({ code: ERRORS.bad_request.grpc, message: HTTP1_HINT }, 'protobuf');
  socket.resume();
  socket.write(
    `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  socket.end(body);
}

/**
 * The OTLP services over grpc-js, with bodies as raw bytes. A call is admitted by its metadata, before its body is read; what
 * grpc-js itself refuses (size, gzip, deadline) is told in our words and counted like any other refusal.
 */
import type * as Grpc from '@grpc/grpc-js';
import { HeliographError } from '../../core/errors.ts';
import type { Log, OtlpCollector, Sender, StatusEncoder } from '../../core/ports.ts';
import type { Admission, Credentials } from '../auth/admission.ts';
import { BODY_MAX_BYTES } from './body.ts';
import type { DoorLedger } from './ledger.ts';
import { statusOf } from './otlp-status.ts';
import type { Receive } from './receive.ts';

export interface GrpcServiceDeps {
  collectors: readonly OtlpCollector[];
  receive: Receive;
  admission: Admission;
  /** Counts what is turned away. */
  ledger: DoorLedger;
  encodeStatus: StatusEncoder;
  /** After which a connection is told to begin anew, so that what TLS checked at its beginning is checked again. */
  maxConnectionAgeMs?: number | undefined;
  log: Log;
}

/** OTLP services that exist but have no collector yet, so that their senders are told so by name. */
const SERVICES_TO_COME = [
  '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
];

const DETAILS = 'grpc-status-details-bin';
const OPTIONS: Grpc.ServerOptions = {
  'grpc.max_receive_message_length': BODY_MAX_BYTES,
  // Of one connection; an exporter has a handful in flight, and each may hold a body.
  'grpc.max_concurrent_streams': 64,
  // Finds out about senders that vanished without a word.
  'grpc.keepalive_time_ms': 120_000,
  'grpc.enable_channelz': 0,
};

/** For calls under way when their connection has reached its age. */
const AGE_GRACE_MS = 10_000;

/** What a call ends with when grpc-js ends it. */
type Ending = Parameters<Grpc.ServerInterceptingCallInterface['sendStatus']>[0];

/** The server with its services; it is bound to nothing yet. */
export function createGrpcService(grpc: typeof Grpc, deps: GrpcServiceDeps): Grpc.Server {
  const senders = new WeakMap<Grpc.Metadata, Sender>();
  const collected = new Set(deps.collectors.map((collector) => collector.grpcMethod));
  const refuse = (thrown: unknown, path: string, sender?: Sender): Grpc.StatusObject => {
    const error =
      thrown instanceof HeliographError ? thrown : new HeliographError('internal', undefined, { cause: thrown });
    if (error.code === 'internal') deps.log.error({ err: error.cause ?? error, path }, 'the OTLP door failed');
    const signal = deps.collectors.find((collector) => collector.grpcMethod === path)?.signal ?? '';
    const fields = { grpcStatus: error.entry.grpc, path, why: error.message };
    deps.ledger.refused(error.reason ?? error.code, error.entry.text, fields, { signal, form: 'grpc', sender });
    const metadata = new grpc.Metadata();
    metadata.set(DETAILS, Buffer.from(deps.encodeStatus(statusOf(error), 'protobuf')));
    return { code: error.entry.grpc, details: error.message, metadata };
  };
  const admit: Grpc.ServerInterceptor = ({ path }, call) => {
    tellTransportFailures(call, (error) => refuse(error, path), deps.ledger);
    return new grpc.ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, proceed) {
            const decided = async (): Promise<void> => {
              senders.set(metadata, await deps.admission.admit(credentialsOf(metadata, call)));
              if (!collected.has(path)) throw notCollected(path);
            };
            decided().then(
              () => proceed(metadata),
              (error: unknown) => call.sendStatus(refuse(error, path)),
            );
          },
        }),
    });
  };
  const server = new grpc.Server({ ...OPTIONS, ...connectionAge(deps), interceptors: [admit] });
  for (const collector of deps.collectors) {
    const { grpcMethod } = collector;
    register(server, grpcMethod, async ({ metadata, request: bytes }) => {
      const sender = senders.get(metadata) as Sender;
      try {
        const { rejectedSpans, message } = await deps.receive(collector, {
          bytes,
          format: 'protobuf',
          sender,
        });
        return Buffer.from(collector.encodeResponse(rejectedSpans, message, 'protobuf'));
      } catch (error) {
        return refuse(error, grpcMethod, sender);
      }
    });
  }
  for (const path of SERVICES_TO_COME) register(server, path, async () => refuse(notCollected(path), path));
  return server;
}

type UnaryCall = Grpc.ServerUnaryCall<Buffer, Buffer>;
type Handler = (call: UnaryCall) => Promise<Buffer | Grpc.StatusObject>;

function connectionAge({ maxConnectionAgeMs }: GrpcServiceDeps): Grpc.ServerOptions {
  if (maxConnectionAgeMs === undefined) return {};
  return { 'grpc.max_connection_age_ms': maxConnectionAgeMs, 'grpc.max_connection_age_grace_ms': AGE_GRACE_MS };
}

/** `handler` gives the response or, where the call fails, its status; it never rejects. */
function register(server: Grpc.Server, path: string, handler: Handler): void {
  const raw = (bytes: Buffer): Buffer => bytes;
  const answer = async (call: UnaryCall, callback: Grpc.sendUnaryData<Buffer>): Promise<void> => {
    const outcome = await handler(call);
    if (Buffer.isBuffer(outcome)) callback(null, outcome);
    else callback(outcome);
  };
  const begin: Grpc.handleUnaryCall<Buffer, Buffer> = (call, callback) => void answer(call, callback);
  server.register(path, begin, raw, raw, 'unary');
}

function notCollected(path: string): HeliographError {
  const service = path.split('/')[1] ?? path;
  return new HeliographError('signal_not_supported', `${service} is not collected yet; TraceService is`);
}

function credentialsOf(metadata: Grpc.Metadata, call: Grpc.ServerInterceptingCallInterface): Credentials {
  const [authorization] = metadata.get('authorization');
  const peer = call.getAuthContext().sslPeerCertificate;
  return {
    authorization: authorization?.toString(),
    certificate: peer === undefined ? undefined : { der: peer.raw },
  };
}

/**
 * grpc-js ends a call by itself through `sendStatus` of the innermost call, past every interceptor; so it is wrapped there. Ours
 * always carry details, its own never do.
 */
function tellTransportFailures(
  call: Grpc.ServerInterceptingCallInterface,
  refuse: (error: HeliographError) => Grpc.StatusObject,
  ledger: DoorLedger,
): void {
  const send = call.sendStatus.bind(call);
  call.sendStatus = (status) => {
    const isOwn = status.code === 0 || (status.metadata?.get(DETAILS).length ?? 0) > 0;
    if (isOwn) return send(status);
    const error = transportError(status);
    if (error !== undefined) return send(refuse(error));
    const [reason, hint] = status.code === DEADLINE_EXCEEDED ? LATE : BROKEN;
    ledger.refused(reason, hint, { grpcStatus: status.code, why: status.details });
    send(status);
  };
}

const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;
const LATE = [
  'deadline_exceeded',
  'The sender gave up before its body was durable; raise OTEL_EXPORTER_OTLP_TIMEOUT.',
] as const;
const BROKEN = ['bad_grpc', 'The call broke the rules of gRPC.'] as const;

/** What grpc-js refused before the body came to us; undefined where its own words are the best there are. */
function transportError({ code, details }: Ending): HeliographError | undefined {
  if (code === RESOURCE_EXHAUSTED) return new HeliographError('body_too_large');
  if (code === INTERNAL && details.includes('decompress'))
    return new HeliographError('bad_encoding', 'the message could not be decompressed with the grpc-encoding it names');
  if (code === UNIMPLEMENTED && details.includes('encoding'))
    return new HeliographError('unsupported_encoding', 'grpc-encoding is none of identity, gzip, deflate');
  return undefined;
}

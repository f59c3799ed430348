/** How a sender's bodies travel: OTLP/HTTP on kept-alive connections, or gRPC as raw HTTP/2 with length-prefixed frames. */
import { Agent, request } from 'node:http';
import { connect } from 'node:http2';

export interface Transport {
  /** Sends one body and resolves with an HTTP status: 200 acked, 503 told to come again. Rejects when the connection fails. */
  send(body: Buffer): Promise<number>;
}

/** One kept-alive connection to `<origin>/v1/traces`. */
export function httpTransport(origin: string, headers: Record<string, string>): Transport {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = (body: Buffer): Promise<number> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        `${origin}/v1/traces`,
        { method: 'POST', agent, headers: { ...headers, 'content-length': body.length } },
        (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode ?? 0));
          response.on('error', reject);
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  return { send };
}

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const GRPC_OK = '0';
const GRPC_RETRYABLE = new Set(['8', '14']);

/** One HTTP/2 connection to a gRPC port. A body begins with five bytes that hold its frame. */
export function grpcTransport(origin: string): Transport {
  const session = connect(origin);
  let broken: Error | undefined;
  session.on('error', (error) => (broken = error));
  session.on('close', () => (broken ??= new Error('the connection was closed')));
  const send = (body: Buffer): Promise<number> =>
    new Promise((resolve, reject) => {
      if (broken !== undefined) return reject(broken);
      const stream = session.request({
        ':method': 'POST',
        ':path': EXPORT,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      let status: unknown;
      stream.on('response', (headers) => (status = headers['grpc-status']));
      stream.on('trailers', (trailers) => (status = trailers['grpc-status']));
      stream.on('error', reject);
      stream.on('close', () => {
        if (status === undefined) reject(new Error('no grpc-status'));
        else resolve(status === GRPC_OK ? 200 : GRPC_RETRYABLE.has(String(status)) ? 503 : 400);
      });
      stream.resume();
      stream.end(body);
    });
  return { send };
}

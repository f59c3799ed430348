/** Sends bodies over gRPC at the least cost: frames on a plain HTTP/2 session, without a gRPC library. */
import { connect } from 'node:http2';

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** `url` is `grpc://host:port`. The function resolves with 200 for OK and 503 for any other status; it rejects when the stream breaks. */
export function createGrpcSend(url: string): (body: Buffer) => Promise<number> {
  const session = connect(url.replace('grpc:', 'http:'), { settings: { enablePush: false } });
  return (body) =>
    new Promise((resolve, reject) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': EXPORT,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(body.length, 1);
      let status: unknown;
      stream.on('response', (headers) => (status = headers['grpc-status'] ?? status));
      stream.on('trailers', (trailers) => (status = trailers['grpc-status'] ?? status));
      stream.on('error', reject);
      stream.on('close', () => resolve(status === '0' || status === 0 ? 200 : 503));
      stream.resume();
      stream.write(prefix);
      stream.end(body);
    });
}

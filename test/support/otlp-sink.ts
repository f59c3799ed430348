import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type DecodedSpan, decodeFlat } from './otlp-decode.ts';

/** An OTLP/HTTP receiver that keeps what it gets. */
export interface OtlpSink {
  url: string;
  /** Every span so far, in order of arrival. */
  spans(): readonly DecodedSpan[];
  close(): Promise<void>;
}

/** Listens on a free loopback port. Takes uncompressed protobuf, as the Go SDK sends it. */
export async function startOtlpSink(): Promise<OtlpSink> {
  const spans: DecodedSpan[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      spans.push(...decodeFlat(Buffer.concat(chunks)));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans: () => spans,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

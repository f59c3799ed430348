/** Requests and answers as the bytes they are on the wire. */
import { connect, createServer, type AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface Exchange {
  request: Buffer;
  answer: Buffer;
}

export interface WireAnswer {
  status: string;
  headers: Record<string, string>;
  /** Decompressed. */
  body: Buffer;
}

export interface Recorder {
  port: number;
  /** Exchanges in the order of their connections. */
  exchanges(): Exchange[];
  close(): Promise<void>;
}

/** Stands between a client and `port`, and keeps what passes. Clients here send one request after another. */
export async function startRecorder(port: number): Promise<Recorder> {
  const connections: { request: Buffer[]; answer: Buffer[] }[] = [];
  const server = createServer((client) => {
    const kept: { request: Buffer[]; answer: Buffer[] } = { request: [], answer: [] };
    connections.push(kept);
    const target = connect(port, '127.0.0.1');
    client.on('data', (chunk) => (kept.request.push(chunk), target.write(chunk)));
    target.on('data', (chunk) => (kept.answer.push(chunk), client.write(chunk)));
    client.on('close', () => target.destroy());
    target.on('close', () => client.destroy());
    client.on('error', () => target.destroy());
    target.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    exchanges: () =>
      connections.flatMap(({ request, answer }) => {
        const answers = splitMessages(Buffer.concat(answer));
        return splitMessages(Buffer.concat(request)).map((each, index) => ({
          request: each,
          answer: answers[index] ?? Buffer.alloc(0),
        }));
      }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Sends the bytes and reads one answer. */
export function replay(port: number, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`no whole answer: ${Buffer.concat(chunks).toString('latin1')}`)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const [whole] = splitMessages(Buffer.concat(chunks));
      if (whole === undefined) return;
      resolve(whole);
      socket.destroy();
    });
  });
}

export function readAnswer(bytes: Buffer): WireAnswer {
  const { head, body } = readMessage(bytes) ?? { head: '', body: Buffer.alloc(0) };
  const [status = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { status, headers, body: headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body };
}

/** Whole HTTP messages laid end to end. */
function splitMessages(bytes: Buffer): Buffer[] {
  const out: Buffer[] = [];
  let rest = bytes;
  for (let next = readMessage(rest); next !== undefined; next = readMessage(rest)) {
    out.push(rest.subarray(0, next.end));
    rest = rest.subarray(next.end);
  }
  return out;
}

function readMessage(bytes: Buffer): { head: string; body: Buffer; end: number } | undefined {
  const blank = bytes.indexOf('\r\n\r\n');
  if (blank === -1) return undefined;
  const head = bytes.subarray(0, blank).toString('latin1');
  const start = blank + 4;
  if (/^transfer-encoding: *chunked/im.test(head)) return readChunks(bytes, head, start);
  const end = start + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return end > bytes.length ? undefined : { head, body: bytes.subarray(start, end), end };
}

function readChunks(
  bytes: Buffer,
  head: string,
  start: number,
): { head: string; body: Buffer; end: number } | undefined {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const line = bytes.indexOf('\r\n', at);
    if (line === -1) return undefined;
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    at = line + 2 + size + 2;
    if (at > bytes.length) return undefined;
    if (size === 0) return { head, body: Buffer.concat(parts), end: at };
    parts.push(bytes.subarray(line + 2, line + 2 + size));
  }
}

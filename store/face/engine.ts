/** The engine's HTTP interface as the face uses it: bytes to it, bytes from it, over connections that are kept. */
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { EngineException, toEngineException } from '../embedded/exception.ts';

/** Socket of the embedded engine, or `http(s)://user:password@host:port/…` of a server. */
export type EngineAddress = { url: string } | { socketPath: string };

export interface EngineCall {
  sql: string;
  /** Parameters of the URL: bounds, role, format. */
  parameters: URLSearchParams;
  /** The answer may be compressed with gzip. */
  gzip: boolean;
  signal: AbortSignal;
}

export interface FaceEngine {
  /** The answer as it comes, whatever its status. Throws `NETWORK_ERROR` where none comes. */
  call(call: EngineCall): Promise<IncomingMessage>;
  close(): void;
}

/** A statement that is silent for longer than any may run is lost. */
const SILENT_MS = 120_000;
const MAX_ERROR_BYTES = 64 * 1024;

/** Connections are opened as they are needed; `sockets` of them at most. */
export function createFaceEngine(address: EngineAddress, sockets: number): FaceEngine {
  const options = { keepAlive: true, maxSockets: sockets, scheduling: 'lifo' as const };
  const url = new URL('socketPath' in address ? 'http://engine' : address.url);
  const secure = url.protocol === 'https:';
  const agent = secure ? new HttpsAgent(options) : new HttpAgent(options);
  const send = secure ? httpsRequest : httpRequest;
  const target =
    'socketPath' in address
      ? { socketPath: address.socketPath }
      : {
          host: url.hostname.replace(/^\[|\]$/g, ''),
          port: url.port === '' ? (secure ? 8443 : 8123) : Number(url.port),
        };
  const authorization = basic(url);
  return {
    close: () => agent.destroy(),
    call: ({ sql, parameters, gzip, signal }) => {
      const body = Buffer.from(sql);
      if (gzip) parameters.set('enable_http_compression', '1');
      const path = `/?${parameters.toString()}`;
      const headers = {
        'content-type': 'text/plain; charset=utf-8',
        'content-length': body.length,
        ...(gzip && { 'accept-encoding': 'gzip' }),
        ...authorization,
      };
      const attempt = (mayRepeat: boolean): Promise<IncomingMessage> =>
        new Promise((resolve, reject) => {
          const call = send({ ...target, agent, signal, method: 'POST', path, timeout: SILENT_MS, headers });
          call.on('response', resolve);
          call.on('timeout', () => call.destroy(new Error('the engine is silent')));
          call.on('error', (error) => {
            // A kept connection may have been closed by the other side just as it was used, and a read may be repeated.
            if (mayRepeat && call.reusedSocket && wasReset(error)) attempt(false).then(resolve, reject);
            else reject(signal.aborted ? (signal.reason as Error) : unreachable(error));
          });
          call.end(body);
        });
      return attempt(true);
    },
  };
}

function basic(url: URL): Record<string, string> {
  if (url.username === '' && url.password === '') return {};
  const text = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` };
}

function wasReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

function unreachable(error: Error): EngineException {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'no answer';
  return new EngineException(210, 'NETWORK_ERROR', `The engine does not answer (${code})`);
}

/** The whole body as text. Throws the engine's exception where the status is not 200. */
export async function readAnswer(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const failed = answer.statusCode !== 200;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > (failed ? MAX_ERROR_BYTES : maxBytes)) {
      answer.destroy();
      if (failed) break;
      throw new EngineException(229, 'QUERY_IS_TOO_LARGE', `The statement's tree is over ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (failed) throw toEngineException(new Error(text.trim()));
  return text;
}

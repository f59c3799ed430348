import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CliIo } from '../../../app/cli/command.ts';
import { readTextFile } from '../../../app/config/environment.ts';

export interface CapturedIo extends CliIo {
  stdout: string;
  stderr: string;
}

/** A world outside that remembers what was printed. */
export function captureIo(given: Partial<CliIo> = {}): CapturedIo {
  const io: CapturedIo = {
    stdout: '',
    stderr: '',
    out: (text) => void (io.stdout += text),
    err: (text) => void (io.stderr += text),
    env: {},
    cwd: '/nowhere',
    readFile: readTextFile,
    colour: false,
    nodeVersion: '20.20.2',
    ...given,
  };
  return io;
}

export interface TestServer {
  port: number;
  url: string;
  requests: { url: string; authorization: string | undefined }[];
  close(): Promise<void>;
}

/** A real HTTP server on a free loopback port. */
export async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<TestServer> {
  const requests: TestServer['requests'] = [];
  const server: Server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', authorization: request.headers.authorization });
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Answers paths (without their query) from a table, everything else with 404. */
export function serveJson(answers: Record<string, unknown>, headers: Record<string, string> = {}): Promise<TestServer> {
  return serve((request, response) => {
    const body = answers[(request.url ?? '').split('?')[0] ?? ''];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body ?? { error: { code: 'not_found', message: 'nothing here' } }));
  });
}

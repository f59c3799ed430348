/** Every fault is a real one: a server on loopback that does what servers do. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { createTargetFetch } from '../../../app/background/target-fetch.ts';
import { systemClock } from '../../../core/clock.ts';
import type { TargetAnswer } from '../../../core/target-fetch.ts';
import { peerTest } from '../../support/peers.ts';

const SECRET = 'Bearer s3cr3t';
const LIMITS = { connectMs: 500, firstByteMs: 500, totalMs: 1000 };
const fetchTarget = createTargetFetch(systemClock, LIMITS);

const open: { server: Server; sockets: Set<Socket> }[] = [];
afterEach(() => {
  for (const { server, sockets } of open.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  open.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function get(
  url: string,
  more: { maxBytes?: number; signal?: AbortSignal; path?: string } = {},
): Promise<TargetAnswer> {
  const { maxBytes = 100_000, signal = new AbortController().signal, path = '/debug/vars?x=1' } = more;
  const target = { name: 't', service: 's', url, headers: { authorization: SECRET } };
  const answer = await fetchTarget({ target, path, durationMs: 0, maxBytes, signal });
  if (answer.outcome !== 'ok') expect(answer.body).toHaveLength(0);
  expect(answer.reason).not.toContain('s3cr3t');
  return answer;
}

async function answerOf(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  more?: Parameters<typeof get>[1],
): Promise<TargetAnswer> {
  return get(`http://127.0.0.1:${await listen(createServer(handle))}`, more);
}

/** The answer to a server that speaks no HTTP library's HTTP. */
async function rawAnswer(talk: (socket: Socket) => void): Promise<TargetAnswer> {
  const port = await listen(createTcpServer((socket) => socket.once('data', () => talk(socket))));
  return get(`http://127.0.0.1:${port}`);
}

describe('an answer', () => {
  test('is read whole; the headers go with the request, below the path of the URL', async () => {
    const asked: object[] = [];
    const server = createServer(({ url, headers }, response) => {
      asked.push({ url, authorization: headers.authorization, encoding: headers['accept-encoding'] });
      response.end('{"a":1}');
    });
    const port = await listen(server);
    for (const path of ['', '/', '/base', '/base/']) {
      const answer = await get(`http://127.0.0.1:${port}${path}`);
      expect(answer).toMatchObject({ outcome: 'ok', reason: '', bytes: 7 });
      expect(Buffer.from(answer.body).toString()).toBe('{"a":1}');
    }
    const below = (url: string): object => ({ url, authorization: SECRET, encoding: 'identity' });
    expect(asked).toEqual(
      ['/debug/vars?x=1', '/debug/vars?x=1', '/base/debug/vars?x=1', '/base/debug/vars?x=1'].map(below),
    );
  });

  test('may be compressed by a server that was not asked to', async () => {
    const answer = await answerOf((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello')),
    );
    expect(Buffer.from(answer.body).toString()).toBe('hello');
  });

  test('takes the password of the URL where there is one', async () => {
    let authorization: string | undefined;
    const server = createServer(({ headers }, response) => {
      ({ authorization } = headers);
      response.end('x');
    });
    const target = { name: 't', service: 's', url: `http://user:pw@127.0.0.1:${await listen(server)}`, headers: {} };
    await fetchTarget({ target, path: '/', durationMs: 0, maxBytes: 10, signal: new AbortController().signal });
    expect(authorization).toBe(`Basic ${Buffer.from('user:pw').toString('base64')}`);
  });
});

describe('a refusal', () => {
  test('404 is an answer of its own', async () => {
    expect(await answerOf((_, response) => response.writeHead(404).end('no'))).toMatchObject({
      outcome: 'not_mounted',
    });
  });

  test.each([401, 403, 500, 503])('%i is named by its status', async (status) => {
    const answer = await answerOf((_, response) => response.writeHead(status).end(`no: ${SECRET}`));
    expect(answer).toMatchObject({ outcome: 'refused', reason: `it answers ${status}`, complaint: `no: ${SECRET}` });
  });

  test('with an endless text is cut short', async () => {
    const answer = await answerOf((_, response) => {
      response.writeHead(500);
      const write = (): boolean => response.write('x'.repeat(10_000));
      response.on('drain', write);
      write();
    });
    expect(answer.outcome).toBe('refused');
    expect(answer.complaint.length).toBeLessThanOrEqual(2048);
  });

  test('a redirect is not followed, and its target is named by host alone', async () => {
    let asked = 0;
    const answer = await answerOf((_, response) => {
      asked += 1;
      response.writeHead(302, { location: 'https://login.example.com/in?token=abc' }).end();
    });
    expect(answer).toMatchObject({
      outcome: 'redirected',
      reason: 'it answers 302 to login.example.com; redirects are not followed',
    });
    expect(asked).toBe(1);
  });
});

describe('an answer that is too large', () => {
  test('is cut off while it comes', async () => {
    let sent = 0;
    const answer = await answerOf((_, response) => {
      const chunk = Buffer.alloc(65_536);
      const write = (): void => {
        while (sent < 1 << 30 && !response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', write);
        }
      };
      write();
    });
    expect(answer).toMatchObject({ outcome: 'too_large', reason: 'the answer is larger than 100000 bytes' });
    expect(sent).toBeLessThan(64 << 20);
  });

  test('is not begun when it says so beforehand', async () => {
    const answer = await answerOf((_, response) => response.writeHead(200, { 'content-length': 1 << 30 }).write('x'));
    expect(answer).toMatchObject({ outcome: 'too_large', bytes: 0 });
  });

  test('is not unpacked when it is a bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    const answer = await answerOf((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    expect(answer.outcome).toBe('too_large');
  });
});

describe('an answer that does not come, or not all of it', () => {
  test('silence', async () => {
    expect(await answerOf(() => {})).toMatchObject({ outcome: 'timeout', reason: 'no answer within 0.5 s' });
  });

  test('silence after the headers', async () => {
    const answer = await answerOf((_, response) => response.writeHead(200).flushHeaders());
    expect(answer).toMatchObject({ outcome: 'timeout', reason: 'no answer within 0.5 s' });
  });

  test('silence in the middle, and a drip that never ends', async () => {
    const end = { outcome: 'timeout', reason: 'no end of the answer within 1 s' };
    expect(await answerOf((_, response) => response.writeHead(200).write('x'))).toMatchObject(end);
    const drip = await answerOf((_, response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect(drip).toMatchObject(end);
  });

  test('a death half-way: of a length that was promised, of chunks, before the first byte', async () => {
    const broken = { outcome: 'broken_off', reason: 'the answer ended early' };
    const promised = await answerOf((_, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write('half', () => response.destroy());
    });
    expect(promised).toMatchObject(broken);
    const chunked = await answerOf((_, response) => {
      response.writeHead(200).write('half', () => response.destroy());
    });
    expect(chunked).toMatchObject(broken);
    expect(await rawAnswer((socket) => socket.destroy())).toMatchObject(broken);
  });

  test('gzip that ends early', async () => {
    const half = gzipSync('hello hello hello').subarray(0, 15);
    const answer = await answerOf((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(half));
    expect(answer.outcome).toBe('broken_off');
  });

  test('what is not HTTP', async () => {
    expect(await rawAnswer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))).toMatchObject({
      outcome: 'not_a_profile',
    });
  });
});

describe('no connection', () => {
  test('nobody listens', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const answer = await get(`http://127.0.0.1:${port}`);
    expect(answer).toMatchObject({ outcome: 'unreachable', reason: 'the connection is refused' });
  });

  test('a handshake that is never answered', async () => {
    const port = await listen(createTcpServer(() => {}));
    const answer = await get(`https://127.0.0.1:${port}`);
    expect(answer).toMatchObject({ outcome: 'timeout', reason: 'no connection within 0.5 s' });
  });

  peerTest('openssl', 'a certificate that nobody signed', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'heliograph-tls-'));
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    const made = spawnSync('openssl', ['req', ...kind, '-subj', '/CN=localhost', '-keyout', key, '-out', cert]);
    expect(made.status).toBe(0);
    let asked = 0;
    const options = { key: readFileSync(key), cert: readFileSync(cert) };
    const port = await listen(createTlsServer(options, (_, response) => void ((asked += 1), response.end('x'))));
    rmSync(dir, { recursive: true });
    const answer = await get(`https://127.0.0.1:${port}`);
    expect(answer).toMatchObject({ outcome: 'tls', reason: 'self-signed certificate' });
    expect(asked).toBe(0);
  });

  test('a server that speaks no TLS', async () => {
    const port = await listen(createServer((_, response) => response.end('x')));
    expect((await get(`https://127.0.0.1:${port}`)).outcome).toBe('tls');
  });
});

test('a signal ends the request with its reason', async () => {
  const stop = new AbortController();
  const reason = new Error('shutting down');
  const asked = answerOf(() => stop.abort(reason), { signal: stop.signal });
  await expect(asked).rejects.toBe(reason);
  await expect(get('http://127.0.0.1:9', { signal: stop.signal })).rejects.toBe(reason);
});

import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test as anyTest } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { createFace, type Face, type FaceAnswer } from '../../../store/face/face.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { type FaceServer, startFaceServer } from './face-server.ts';

/** Here the embedded engine plays the server. */
const test = anyTest.runIf(process.env['HELIOGRAPH_CLICKHOUSE_URL'] === undefined);

let engine: FaceServer;
beforeAll(async () => {
  engine = await startFaceServer();
});
afterAll(() => engine.stop());

const open: (() => unknown)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const ask = (face: Face, sql: string, signal = new AbortController().signal): Promise<FaceAnswer> =>
  face.answer({
    statement: Buffer.from(sql),
    parameters: new URLSearchParams(),
    format: undefined,
    database: undefined,
    gzip: false,
    signal,
  });

async function textOf({ body }: FaceAnswer): Promise<string> {
  if (Buffer.isBuffer(body)) return body.toString('latin1');
  const chunks: Buffer[] = [];
  for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function listen(listener: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => server.close());
  open.push(() => server.closeAllConnections());
  return { server, port: (server.address() as AddressInfo).port };
}

/** The engine by a TCP port, as a server is reached; keeps what it was asked. */
async function asServer(): Promise<{ port: number; asked: { url: string; authorization: string | undefined }[] }> {
  const asked: { url: string; authorization: string | undefined }[] = [];
  const { port } = await listen((request, response) => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization });
    const socketPath = engine.engine.engine?.socketPath ?? '';
    const onward = httpRequest({ socketPath, path: request.url, method: request.method, headers: request.headers });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  return { port, asked };
}

function faceOf(url: string, role: string, log = memoryLog()): Face {
  const face = createFace({ address: { url }, role, clock: systemClock, log });
  open.push(() => face.close());
  return face;
}

test('a server is reached by its URL, with its credentials, under role, bounds and readonly', async () => {
  const { port, asked } = await asServer();
  const face = faceOf(`http://reader:s%40cret@127.0.0.1:${port}/otherdb`, 'face');
  expect(await textOf(await ask(face, 'SELECT currentDatabase()'))).toBe('boards\n');
  expect(asked).toHaveLength(3); // what the engine is, the tree, the statement
  for (const { url, authorization } of asked) {
    expect(authorization).toBe(`Basic ${Buffer.from('reader:s@cret').toString('base64')}`);
    const parameters = new URL(url, 'http://x').searchParams;
    expect([parameters.get('role'), parameters.get('readonly')]).toEqual(['face', '1']);
    expect(url).not.toContain('s%40cret');
  }
  const statement = new URL(asked[2]?.url ?? '', 'http://x').searchParams;
  expect(statement.get('max_execution_time')).toBe('30');
  expect(statement.get('max_memory_usage')).toBe('536870912');
});

test('where the role is not granted, readers run without it, behind the other walls, and the log says so', async () => {
  const { port, asked } = await asServer();
  const log = memoryLog();
  const face = faceOf(`http://127.0.0.1:${port}`, 'no_such_role', log);
  expect(await textOf(await ask(face, 'SELECT 1'))).toBe('1\n');
  expect(new URL(asked.at(-1)?.url ?? '', 'http://x').searchParams.get('role')).toBeNull();
  expect(log.lines.map(({ level, fields }) => [level, fields])).toEqual([
    ['warn', { role: 'no_such_role', granted: false }],
  ]);
  for (const sql of [
    'SELECT * FROM heliograph.canary',
    'SELECT 1 IN people.canary',
    'WITH otel.otel_traces AS t SELECT * FROM t',
    "SELECT * FROM merge('heliograph', '.*')",
    'SELECT c.value FROM boards.otel_traces AS b, people.canary AS c',
    'DESC heliograph.canary',
  ])
    await expect(ask(face, sql), sql).rejects.toMatchObject({ engineCode: expect.any(Number) as number });
});

test('a role that hides nothing is told of, too', async () => {
  const { port } = await asServer();
  const log = memoryLog();
  await textOf(await ask(faceOf(`http://127.0.0.1:${port}`, 'loader', log), 'SELECT 1'));
  expect(log.lines[0]?.fields).toEqual({ role: 'loader', granted: true });
});

test('a connection that the engine closed while it lay idle costs nothing', async () => {
  let closed = 0;
  const { port: target } = await asServer();
  const { port } = await listen((request, response) => {
    // The second request of a connection finds it reset.
    const { socket } = request;
    const counted = socket as typeof socket & { requests?: number };
    counted.requests = (counted.requests ?? 0) + 1;
    if (counted.requests > 1) {
      closed++;
      socket.resetAndDestroy();
      return;
    }
    const onward = httpRequest({ port: target, path: request.url, method: request.method, headers: request.headers });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 0, { ...answer.headers, connection: 'keep-alive' });
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  const face = faceOf(`http://127.0.0.1:${port}`, 'face');
  for (let round = 0; round < 3; round++) expect(await textOf(await ask(face, 'SELECT 1'))).toBe('1\n');
  expect(closed).toBeGreaterThan(0);
});

test('an engine that breaks off gives its turn back', async () => {
  let asked = 0;
  const { port: target } = await asServer();
  const { port } = await listen((request, response) => {
    if (++asked === 3) {
      response.writeHead(200, { 'content-length': 100 });
      response.write('1\n', () => request.socket.destroy());
      return;
    }
    const onward = httpRequest({ port: target, path: request.url, method: request.method, headers: request.headers });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  const face = faceOf(`http://127.0.0.1:${port}`, 'face');
  await expect(ask(face, 'SELECT 1').then(textOf)).rejects.toThrow();
  expect(face.running()).toBe(0);
  expect(await textOf(await ask(face, 'SELECT 1'))).toBe('1\n');
});

test('an answer that nobody reads on is let go', async () => {
  const { port } = await asServer();
  const face = faceOf(`http://127.0.0.1:${port}`, 'face');
  const { body } = await ask(face, 'SELECT number FROM numbers(900000)');
  expect(face.running()).toBe(1);
  if (!Buffer.isBuffer(body)) body.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  expect(face.running()).toBe(0);
});

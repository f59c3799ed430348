import { gunzipSync, gzipSync } from 'node:zlib';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registerClickhouse } from '../../../app/http/clickhouse.ts';
import { systemClock } from '../../../core/clock.ts';
import { createAuth } from '../../../ingest/auth/token.ts';
import { createFace } from '../../../store/face/face.ts';
import { eventually, type HeliographProcess, spawnHeliograph } from '../../support/heliograph-process.ts';
import { quietLog } from '../../support/quiet-log.ts';
import { type FaceServer, startFaceServer, TOKEN } from '../../store/face/face-server.ts';

let server: FaceServer;
beforeAll(async () => {
  server = await startFaceServer();
});
afterAll(() => server.stop());

const bearer = { authorization: `Bearer ${TOKEN}` };
const basic = (text: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
});

describe('credentials, as ClickHouse clients carry them', () => {
  test.each<[string, Record<string, string>, string]>([
    ['Bearer', bearer, ''],
    ['Basic with any user', basic(`anyone:${TOKEN}`), ''],
    ['headers of their own', { 'x-clickhouse-user': 'grafana', 'x-clickhouse-key': TOKEN }, ''],
    ['parameters', {}, `&user=grafana&password=${TOKEN}`],
  ])('%s', async (_name, headers, query) => {
    const response = await fetch(`${server.url}?query=SELECT+1${query}`, { headers });
    expect([response.status, await response.text()]).toEqual([200, '1\n']);
  });

  test.each<[string, Record<string, string>, string]>([
    ['none', {}, ''],
    ['a wrong Bearer', { authorization: 'Bearer nonsense' }, ''],
    ['the token as the user', basic(`${TOKEN}:`), ''],
    ['a wrong key', { 'x-clickhouse-key': 'nonsense' }, ''],
    ['an empty key', { 'x-clickhouse-key': '' }, '&password='],
  ])('%s is refused in the words of ClickHouse', async (_name, headers, query) => {
    for (const path of ['', 'ping']) {
      const response = await fetch(`${server.url}${path}?query=SELECT+1${query}`, { headers });
      expect(response.status).toBe(401);
      expect(response.headers.get('x-clickhouse-exception-code')).toBe('516');
      expect(response.headers.get('www-authenticate')).toContain('Basic');
      expect(await response.text()).toMatch(/^Code: 516\. DB::Exception: .* \(AUTHENTICATION_FAILED\) \(version /);
    }
  });
});

describe('requests', () => {
  const post = (
    body: string | Buffer | FormData,
    query = '',
    headers: Record<string, string> = {},
  ): Promise<Response> => fetch(`${server.url}${query}`, { method: 'POST', body, headers: { ...bearer, ...headers } });

  test('ping', async () => {
    expect(await (await fetch(`${server.url}ping`, { headers: bearer })).text()).toBe('Ok.\n');
  });

  test('with and without the closing slash', async () => {
    const response = await fetch(`${server.url.slice(0, -1)}?query=SELECT+2`, { headers: bearer });
    expect(await response.text()).toBe('2\n');
  });

  test('a statement in the URL, in the body, or in both', async () => {
    expect(await (await post('SELECT 3')).text()).toBe('3\n');
    expect(await (await post('3', '?query=SELECT')).text()).toBe('3\n');
    expect((await post('')).status).toBe(400);
  });

  test('a compressed body', async () => {
    expect(await (await post(gzipSync('SELECT 4'), '', { 'content-encoding': 'gzip' })).text()).toBe('4\n');
    expect(
      (await post('SELECT 4', '', { 'content-encoding': 'gzip' })).headers.get('x-clickhouse-exception-code'),
    ).toBe('271');
    expect((await post('SELECT 4', '', { 'content-encoding': 'br' })).status).toBe(501);
  });

  test('a statement over its limit, plain or unpacked, is 413', async () => {
    const long = `SELECT '${'x'.repeat(300 * 1024)}'`;
    for (const [body, headers] of [
      [long, {}],
      [gzipSync(long), { 'content-encoding': 'gzip' }],
    ] as const) {
      const response = await post(body, '', headers);
      expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([413, '229']);
    }
  });

  test('a body in parts is not served', async () => {
    const form = new FormData();
    form.set('query', 'SELECT 1');
    expect((await post(form)).headers.get('x-clickhouse-exception-code')).toBe('48');
  });

  test('bytes that are no UTF-8 are refused', async () => {
    expect((await post(Buffer.from([0x53, 0xff, 0xfe]))).status).toBe(400);
  });

  test('the format of a header, of the URL, of the statement', async () => {
    const url = '?default_format=JSONEachRow';
    expect(await (await post('SELECT 1 AS a', url)).text()).toBe('{"a":1}\n');
    expect(await (await post('SELECT 1 AS a', url, { 'x-clickhouse-format': 'TSVWithNames' })).text()).toBe('a\n1\n');
    expect(await (await post('SELECT 1 AS a FORMAT JSONCompactEachRow', url)).text()).toBe('[1]\n');
    expect((await post('SELECT 1', '?default_format=Template')).headers.get('x-clickhouse-exception-code')).toBe('497');
  });

  test('another database is none', async () => {
    expect((await post('SELECT 1', '?database=otel')).headers.get('x-clickhouse-exception-code')).toBe('81');
    expect((await post('SELECT 1', '', { 'x-clickhouse-database': 'system' })).status).toBe(404);
    expect(await (await post('SELECT currentDatabase()', '?database=default')).text()).toBe('boards\n');
  });

  test('an answer is compressed where that is asked for, and says nothing of the machine', async () => {
    const { headers, body } = await raw('SELECT number FROM numbers(5000)', { 'accept-encoding': 'gzip' });
    expect(headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(body).toString().split('\n')).toHaveLength(5_001);
    expect(Object.keys(headers).filter((name) => name.startsWith('x-clickhouse'))).not.toContain(
      'x-clickhouse-server-display-name',
    );
    expect((await raw('SELECT 1', {})).headers['content-encoding']).toBeUndefined();
  });

  test('settings a driver sends along change nothing', async () => {
    expect(await (await post('SELECT 1', '?async_insert=1&max_threads=9&readonly=0&session_id=x')).text()).toBe('1\n');
  });

  test('other methods find nothing', async () => {
    expect((await fetch(server.url, { method: 'DELETE', headers: bearer })).status).toBe(404);
  });
});

function raw(
  sql: string,
  headers: Record<string, string>,
): Promise<{ headers: Record<string, unknown>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const call = httpRequest(server.url, { method: 'POST', headers: { ...bearer, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    });
    call.on('error', reject);
    call.end(sql);
  });
}

const SLOW = 'SELECT sum(sipHash64(number)) FROM numbers(1000000000000)';

async function runningStatements(): Promise<number> {
  const { rows } = await server.engine.store.query({
    sql: "SELECT count() FROM system.processes WHERE position(query, concat('numbers(', '1000000000000)')) > 0",
  });
  return Number(rows[0]?.[0]);
}

test('a reader who leaves has its statement ended, and gives back its turn', async () => {
  const leaving = new AbortController();
  const asked = fetch(server.url, { method: 'POST', body: SLOW, headers: bearer, signal: leaving.signal });
  await eventually(async () => ((await runningStatements()) === 1 ? true : undefined));
  expect(server.face.running()).toBe(1);
  leaving.abort();
  await expect(asked).rejects.toThrow();
  await eventually(async () => ((await runningStatements()) === 0 && server.face.running() === 0 ? true : undefined));
});

test('readers take turns: four at once, and the rest of the engine stays free', async () => {
  const leaving = new AbortController();
  const crowd = Array.from({ length: 10 }, () =>
    fetch(server.url, { method: 'POST', body: SLOW, headers: bearer, signal: leaving.signal }).catch(() => undefined),
  );
  await eventually(async () => ((await runningStatements()) === 4 ? true : undefined));
  expect((await server.engine.store.query({ sql: 'SELECT 1' })).rows).toEqual([[1]]);
  expect(server.face.running()).toBe(4);
  leaving.abort();
  await Promise.all(crowd);
  await eventually(async () => ((await runningStatements()) === 0 && server.face.running() === 0 ? true : undefined));
  expect((await server.ask('SELECT 1')).text).toBe('1\n');
});

test('without an engine, and before the views exist, the answer is 503 and says so', async () => {
  const face = createFace({
    address: { socketPath: '/nonexistent/engine.sock' },
    role: 'face',
    clock: systemClock,
    log: quietLog,
  });
  const app = fastify();
  let ready = false;
  registerClickhouse(app, { face, auth: createAuth(undefined), viewsReady: () => ready, log: quietLog });
  const early = await app.inject('/clickhouse/?query=SELECT+1');
  expect([early.statusCode, early.body]).toEqual([
    503,
    'Code: 210. DB::Exception: The tables are still being made (NETWORK_ERROR) (version unknown)\n',
  ]);
  ready = true;
  const unreachable = await app.inject('/clickhouse/?query=SELECT+1');
  expect([unreachable.statusCode, unreachable.body]).toEqual([
    503,
    'Code: 210. DB::Exception: The engine does not answer (ENOENT) (NETWORK_ERROR) (version unknown)\n',
  ]);
  await app.close();
  face.close();
});

describe('in the running product', () => {
  let dataDir: string;
  let heliograph: HeliographProcess;
  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'heliograph-face-'));
    heliograph = await spawnHeliograph(dataDir, { HELIOGRAPH_TOKEN: TOKEN });
  });
  afterAll(async () => {
    heliograph.child.kill('SIGTERM');
    expect(await heliograph.exited).toBe(0);
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('the face stands behind the token of the page, with an answer of its own', async () => {
    const url = `${heliograph.pageUrl}/clickhouse/?query=SELECT+name+FROM+system.databases`;
    expect(await (await fetch(url, { headers: basic(`grafana:${TOKEN}`) })).text()).toBe('boards\n');
    const refused = await fetch(url);
    expect([refused.status, refused.headers.get('x-clickhouse-exception-code')]).toEqual([401, '516']);
    // What is not the face keeps the page's own answer.
    const other = await fetch(`${heliograph.pageUrl}/clickhouse/other`);
    expect([other.status, other.headers.get('x-clickhouse-exception-code')]).toEqual([401, null]);
  });

  test('a name that is not this machine is refused', async () => {
    const { port } = new URL(heliograph.pageUrl);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      httpRequest(
        { host: '127.0.0.1', port, path: '/clickhouse/?query=SELECT+1', headers: { ...bearer, host: 'evil.example' } },
        (response) => (response.resume(), resolve(response.statusCode)),
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBe(400);
  });
});

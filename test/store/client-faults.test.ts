import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { SegmentLoad } from '../../core/ports.ts';
import { createStore } from '../../store/client.ts';
import { PINNED_BLOCK_SETTINGS } from '../../store/load.ts';
import { startMigratedEngine, type TestEngine } from '../support/engine.ts';
import { memoryLog } from '../support/memory-log.ts';

/** What becomes of a request on its way to the engine; `undefined` lets it pass. */
type Fault = (incoming: IncomingMessage, response: ServerResponse) => true | undefined;

let engine: TestEngine;
let proxy: Server;
let fault: Fault = () => undefined;
let seen: IncomingMessage[] = [];
const dir = mkdtempSync(join(tmpdir(), 'heliograph-'));

beforeAll(async () => {
  engine = await startMigratedEngine();
  proxy = createServer((incoming, response) => {
    seen.push(incoming);
    if (fault(incoming, response) === true) return;
    const call = request({
      socketPath: engine.engine?.socketPath,
      path: incoming.url,
      method: incoming.method,
      headers: incoming.headers,
    });
    incoming.pipe(call);
    call.on('response', (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)));
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  fault = () => undefined;
  seen = [];
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await engine.stop();
  rmSync(dir, { recursive: true, force: true });
});

const log = memoryLog();
const open = (requestTimeoutMs = 5000) =>
  createStore({
    url: `http://team:pass%20word@127.0.0.1:${(proxy.address() as AddressInfo).port}/otel`,
    log,
    requestTimeoutMs,
  });

// On a server of the team's there is nothing to proxy to.
const onEmbedded = it.runIf(process.env['HELIOGRAPH_CLICKHOUSE_URL'] === undefined);

onEmbedded('sends credentials and database of the URL, and logs neither', async () => {
  const store = open();
  expect((await store.query({ sql: 'SELECT currentDatabase()' })).rows).toEqual([['otel']]);
  expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('team:pass word').toString('base64')}`);
  await expect(store.query({ sql: 'SELECT broken' })).rejects.toMatchObject({ code: 'query_failed' });
  expect(JSON.stringify(log.lines)).not.toMatch(/pass/);
  await store.close();
});

onEmbedded('sends a read again when its connection was reset, once, and nothing else', async () => {
  const store = open();
  fault = (incoming) => (seen.length === 1 ? (incoming.socket.resetAndDestroy(), true) : undefined);
  expect((await store.query({ sql: '-- why\n(SELECT 1)' })).rows).toEqual([[1]]);
  expect(seen).toHaveLength(2);

  fault = (incoming) => (incoming.socket.resetAndDestroy(), true);
  seen = [];
  await expect(store.query({ sql: 'SELECT 1' })).rejects.toMatchObject({ code: 'store_unavailable' });
  expect(seen).toHaveLength(2);
  seen = [];
  await expect(store.command({ sql: 'CREATE DATABASE again' })).rejects.toMatchObject({ code: 'store_unavailable' });
  await expect(store.insertRows('t', [{ a: 1 }])).rejects.toMatchObject({ code: 'store_unavailable' });
  expect(seen).toHaveLength(2);
  await store.close();
});

onEmbedded('reports silence as a time-out and a cut answer as unavailable', async () => {
  const store = open(200);
  fault = () => true;
  await expect(store.query({ sql: 'SELECT 1' })).rejects.toMatchObject({ code: 'store_timeout' });
  fault = (_, response) => {
    response.writeHead(200).write('{"meta": [');
    setTimeout(() => response.destroy(), 20);
    return true;
  };
  await expect(store.query({ sql: 'SELECT 1' })).rejects.toMatchObject({ code: 'store_unavailable' });
  await store.close();
});

onEmbedded('gives a server the bytes of a segment, and each row once', async () => {
  const path = join(dir, 'segment.ndjson');
  writeFileSync(path, '{"source":"by bytes","minute":1700000040}\n{"source":"by bytes","minute":1700000100}\n');
  const segment: SegmentLoad = {
    token: 'bytes-1',
    signal: 'source_minutes',
    team: 'crew',
    path,
    loNs: 0n,
    hiNs: 2n ** 63n,
    settings: PINNED_BLOCK_SETTINGS,
  };
  const store = open();
  await store.load(segment);
  await store.load(segment);
  await engine.store.load(segment);
  const { rows } = await store.query({
    sql: "SELECT team, count() FROM heliograph.source_minutes WHERE source = 'by bytes' GROUP BY team",
  });
  expect(rows).toEqual([['crew', 2]]);
  await expect(store.load({ ...segment, token: 'bytes-2', path: join(dir, 'nowhere') })).rejects.toMatchObject({
    code: 'query_failed',
    message: expect.stringContaining('ENOENT') as string,
  });
  await store.close();
});

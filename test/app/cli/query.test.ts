import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../app/cli/commands.ts';
import { runCli } from '../../../app/cli/program.ts';
import { captureIo, serve, serveJson, type TestServer } from './harness.ts';

const answer = {
  columns: [
    { name: 'route', type: 'String', unit: '' },
    { name: 'rate', type: 'Float64', unit: '1/s' },
    { name: 'p95_ms', type: 'Nullable(Float64)', unit: 'ms' },
  ],
  rows: [
    { route: '/a', rate: 1.5, p95_ms: null },
    { route: '/checkout,now', rate: 20, p95_ms: 12.345678 },
  ],
  meta: { n: 12, coverage: 0.5, asOf: '2026-01-01T00:00:00Z' },
};
const views = {
  views: [
    {
      name: 'latency_by_route',
      question: 'How slow?',
      parameters: [{ name: 'from', type: 'DateTime' }],
      columns: answer.columns,
    },
  ],
};

let server: TestServer;
beforeEach(async () => {
  server = await serveJson({ '/api/query/latency_by_route': answer, '/api/query': views });
});
afterEach(() => server.close());

async function query(args: string[], env: Record<string, string> = {}) {
  const io = captureIo({ env });
  const code = await runCli(['query', '--port', String(server.port), ...args], COMMANDS, io);
  return { code, stdout: io.stdout, stderr: io.stderr };
}

describe('a view', () => {
  test('as a table, unknown as a dash, with what it rests on', async () => {
    expect(await query(['latency_by_route'])).toEqual({
      code: 0,
      stderr: '',
      stdout: `route          rate (1/s)   p95_ms
-------------  ----------  -------
/a                    1.5        -
/checkout,now          20  12.3457

2 rows, n = 12, coverage 50 %, as of 2026-01-01T00:00:00Z
`,
    });
  });

  test('as CSV and as JSON', async () => {
    const csv = await query(['latency_by_route', '--csv']);
    expect(csv.stdout).toBe('route,rate,p95_ms\n/a,1.5,\n"/checkout,now",20,12.345678\n');
    const json = await query(['latency_by_route', '--json']);
    expect(JSON.parse(json.stdout)).toEqual(answer);
  });

  test('only what was given is sent, and it is encoded', async () => {
    await query(['latency_by_route']);
    await query(['latency_by_route', '--from', 'now-6h', '--step', '300', '--param', 'service=a&b=c']);
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/api/query/latency_by_route',
      '/api/query/latency_by_route?from=now-6h&step=300&service=a%26b%3Dc',
    ]);
  });

  test('the token goes along as Basic password, and only when there is one', async () => {
    await query(['latency_by_route']);
    await query(['latency_by_route'], { HELIOGRAPH_TOKEN: 't0ken' });
    const basic = `Basic ${Buffer.from('heliograph:t0ken').toString('base64')}`;
    expect(server.requests.map(({ authorization }) => authorization)).toEqual([undefined, basic]);
  });
});

test('without a view, the views', async () => {
  const { code, stdout } = await query([]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^latency_by_route {2}from +route, rate \(1\/s\), p95_ms$/m);
});

describe('what can go wrong is one line', () => {
  test('an unknown view: the reason of the API', async () => {
    expect(await query(['nope'])).toEqual({ code: 1, stdout: '', stderr: 'error: not_found: nothing here\n' });
  });

  test('a wrong token', async () => {
    const locked = await serve((_, response) => response.writeHead(401).end());
    const { code, stderr } = await query(['x', '--port', String(locked.port)]);
    expect([code, stderr]).toEqual([
      1,
      `error: unauthenticated: ${locked.url} wants its token: set HELIOGRAPH_TOKEN\n`,
    ]);
    await locked.close();
  });

  test('nobody there', async () => {
    await server.close();
    const { code, stderr } = await query(['x']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /no Heliograph answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\); start one with: heliograph serve/,
    );
    server = await serveJson({});
  });

  test('somebody else there', async () => {
    const other = await serve((_, response) => response.end('<html>'));
    const { code, stderr } = await query(['x', '--port', String(other.port)]);
    expect([code, stderr]).toEqual([
      1,
      `error: bad_request: ${other.url}/api/query/x answered 200 and not as Heliograph does\n`,
    ]);
    await other.close();
  });

  test.each([
    [['x', '--param', 'service'], '--param service: must be name=value'],
    [['x', '--json', '--csv'], '--json and --csv exclude each other'],
  ])('%j is wrong usage', async (args, reason) => {
    expect(await query(args)).toEqual({ code: 2, stdout: '', stderr: `error: ${reason}\n` });
  });
});

test('with port 0 the address is the one the running instance wrote down', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'heliograph-query-'));
  const io = captureIo();
  const argv = ['query', '--port', '0', '--data-dir', dataDir, '--csv', 'latency_by_route'];
  expect(await runCli(argv, COMMANDS, io)).toBe(2);
  expect(io.stderr).toContain('port is 0');
  writeFileSync(
    join(dataDir, 'instance.json'),
    JSON.stringify({ pid: 1, pageUrl: server.url, otlpUrl: 'http://127.0.0.1:1' }),
  );
  expect(await runCli(argv, COMMANDS, io)).toBe(0);
  expect(io.stdout).toContain('/checkout');
  rmSync(dataDir, { recursive: true });
});

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { findView } from '../../../analyzers/index.ts';
import { goroutinesOf, ordersLastMinute, switchOn } from '../../../scripts/lib/demo/observe.mjs';

let server: Server | undefined;
afterEach(() => void server?.close());

const asked: string[] = [];

async function answering(status: number, body: string): Promise<string> {
  asked.length = 0;
  const listening = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(status, { connection: 'close' }).end(body);
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

const row = (time: string, service: string, route: string, count: number) => ({
  time: `2026-11-25T${time}Z`,
  service,
  route,
  count,
  p50_ms: 40,
  p95_ms: 60,
});

test('the last whole minute of checkout’s orders counts, whatever the order of the rows', async () => {
  const rows = [
    row('10:02:00', 'checkout', '/orders', 1500),
    row('10:03:00', 'checkout', '/orders', 20), // still running
    row('10:01:00', 'checkout', '/orders', 1400),
    row('10:02:00', 'checkout', '/orders/{id}', 1),
    row('10:02:00', 'storefront', '/orders', 2),
  ];
  const url = await answering(200, JSON.stringify({ rows }));
  const now = Date.parse('2026-11-25T10:03:10Z');
  expect(await ordersLastMinute(url, now)).toEqual({
    minuteMs: Date.parse('2026-11-25T10:02:00Z'),
    count: 1500,
    p50Ms: 40,
    p95Ms: 60,
  });
  const query = new URL(url + (asked[0]?.split(' ')[1] ?? ''));
  const view = findView(query.pathname.split('/').at(-1) ?? '');
  const known = view?.parameters.map(({ name }) => name) ?? [];
  expect([...query.searchParams.keys()].filter((name) => !known.includes(name))).toEqual([]);
  expect(view?.columns.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(rows[0] ?? {})));
});

test('where nothing is known nothing is said', async () => {
  const url = await answering(200, '{"rows":[]}');
  expect(await ordersLastMinute(url, Date.now())).toBeUndefined();
  server?.close();
  expect(await ordersLastMinute(await answering(503, ''), Date.now())).toBeUndefined();
});

test('a switch that does not turn says why', async () => {
  expect(await goroutinesOf(await answering(200, '{"goroutines":42}'))).toBe(42);
  server?.close();
  const url = await answering(404, 'no switch "slow" here; there is: []\n');
  await expect(switchOn(url, 'slow')).rejects.toThrow(
    'the switch slow did not turn: no switch "slow" here; there is: []',
  );
  expect(asked).toEqual(['POST /switch/slow?on=true']);
});

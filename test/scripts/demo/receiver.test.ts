import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startReceiver } from '../../../scripts/lib/demo/receiver.mjs';
import { isSigned, signatureOf } from '../../../scripts/lib/demo/signature.mjs';

const SECRET = 'a secret of the test';
const BODY = JSON.stringify({
  version: '4',
  status: 'firing',
  alerts: [
    { status: 'firing', labels: { alertname: 'LatencyIncrease', attempt: 1 }, annotations: { summary: 'slow' } },
  ],
});

const alerts: { labels: Record<string, string> }[] = [];
const refused: string[] = [];
let receiver: Awaited<ReturnType<typeof startReceiver>>;

beforeAll(async () => {
  receiver = await startReceiver({
    secret: SECRET,
    onAlert: (alert) => alerts.push(alert),
    onRefused: (reason) => refused.push(reason),
  });
});
beforeEach(() => {
  alerts.length = 0;
  refused.length = 0;
});
afterAll(() => receiver.close());

async function deliver(body: string, headers: Record<string, string>): Promise<number> {
  const response = await fetch(receiver.url, { method: 'POST', body, headers });
  await response.arrayBuffer();
  return response.status;
}

const signed = (body: string, extra: Record<string, string> = {}): Record<string, string> => ({
  'x-heliograph-signature-256': signatureOf(SECRET, body),
  ...extra,
});

test('signs as GitHub does, by its own test vector', () => {
  const [secret, body] = ["It's a Secret to Everybody", 'Hello, World!'];
  const header = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  expect(signatureOf(secret, body)).toBe(header);
  expect(isSigned(secret, body, header)).toBe(true);
  for (const wrong of [undefined, '', 'sha256=', header.slice(0, -1), `${header.slice(0, -1)}8`, header.toUpperCase()])
    expect(isSigned(secret, body, wrong)).toBe(false);
});

test('a signed delivery is taken, its values are text', async () => {
  expect(await deliver(BODY, signed(BODY))).toBe(200);
  expect(alerts).toEqual([
    { status: 'firing', labels: { alertname: 'LatencyIncrease', attempt: '1' }, annotations: { summary: 'slow' } },
  ]);
  expect(refused).toEqual([]);
});

test('the same delivery again is answered and not told again', async () => {
  expect(await deliver(BODY, signed(BODY, { 'idempotency-key': 'one' }))).toBe(200);
  expect(await deliver(BODY, signed(BODY, { 'idempotency-key': 'one' }))).toBe(200);
  expect(await deliver(BODY, signed(BODY, { 'idempotency-key': 'two' }))).toBe(200);
  expect(alerts).toHaveLength(2);
});

test('what is not signed, or signed for another body, is refused and does not use the key up', async () => {
  const key = { 'idempotency-key': 'three' };
  expect(await deliver(BODY, key)).toBe(401);
  expect(await deliver(`${BODY} `, { ...signed(BODY), ...key })).toBe(401);
  expect(await deliver(BODY, { 'x-heliograph-signature-256': signatureOf('another secret', BODY), ...key })).toBe(401);
  expect(alerts).toEqual([]);
  expect(refused).toHaveLength(3);
  expect(await deliver(BODY, signed(BODY, key))).toBe(200);
  expect(alerts).toHaveLength(1);
});

test('a body that is no webhook of version 4 is refused', async () => {
  for (const body of ['{', 'null', '[]', '{"version":"3","alerts":[]}', '{"version":"4"}'])
    expect(await deliver(body, signed(body))).toBe(400);
  expect(alerts).toEqual([]);
});

test('only POST, and no body without end', async () => {
  expect((await fetch(receiver.url)).status).toBe(405);
  const huge = 'x'.repeat(5 * 1024 * 1024);
  const outcome = await deliver(huge, signed(huge)).catch(() => 413); // the connection may close while it is sent
  expect(outcome).toBe(413);
  expect(alerts).toEqual([]);
});

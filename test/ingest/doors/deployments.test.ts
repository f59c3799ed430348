import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/heliograph-process.ts';
import { type MainPort, type MainPortOptions, startMainPort } from '../../support/main-port.ts';

let port: MainPort;
const open = async (options: MainPortOptions = {}): Promise<void> => {
  port = await startMainPort(options);
};
afterEach(() => port.stop());

const JSON_TYPE = { 'content-type': 'application/json' };

async function post(body: string | Buffer, headers: Record<string, string> = JSON_TYPE) {
  const response = await fetch(`${port.url}/v1/deployments`, { method: 'POST', body, headers });
  const json = (await response.json()) as { error?: { code: string; message: string } };
  return { status: response.status, json, headers: response.headers };
}

const EVENT = { id: 'deploy-1', service: 'checkout', version: '1.4.2', kind: 'hotfix', status: 'success' };

describe('what is taken', () => {
  test('an object, an array and lines, durable before the answer', async () => {
    await open();
    expect(await post(JSON.stringify(EVENT))).toMatchObject({ status: 200, json: { accepted: 1, rejected: [] } });
    const array = JSON.stringify([
      { ...EVENT, id: 'b' },
      { ...EVENT, id: 'c' },
    ]);
    expect((await post(array)).json).toEqual({ accepted: 2, rejected: [] });
    const lines = `${JSON.stringify({ ...EVENT, id: 'd' })}\n${JSON.stringify({ ...EVENT, id: 'e' })}\n`;
    expect((await post(lines, { 'content-type': 'application/x-ndjson' })).json).toEqual({ accepted: 2, rejected: [] });
    expect((await port.rows('deployments')).map(({ id }) => id)).toEqual(['deploy-1', 'b', 'c', 'd', 'e']);
    expect(port.doors.ledger.totals()).toMatchObject([{ hook: 'deployments', outcome: 'stored', count: 5 }]);
  });

  test('gzip is undone', async () => {
    await open();
    const answer = await post(gzipSync(JSON.stringify(EVENT)), { ...JSON_TYPE, 'content-encoding': 'gzip' });
    expect(answer.status).toBe(200);
    expect(await port.rows('deployments')).toMatchObject([EVENT]);
  });

  test('good events of a mixed body are stored, the others named by index, field and rule, and kept', async () => {
    await open();
    const body = JSON.stringify([EVENT, { service: 'checkout' }, { ...EVENT, kind: 'urgent' }]);
    expect(await post(body)).toMatchObject({
      status: 200,
      json: {
        accepted: 1,
        rejected: [
          { index: 1, field: 'id', rule: 'is required' },
          { index: 2, field: 'kind', rule: 'must be one of planned, rollback, hotfix, or absent' },
        ],
      },
    });
    expect(await port.rows('deployments')).toHaveLength(1);
    const [kept] = await eventually(async () => {
      const found = await port.quarantined();
      return found.length > 0 ? found : undefined;
    });
    expect(kept?.reason).toContain('id is required 1');
    expect(readFileSync(kept?.path ?? '', 'utf8')).toBe(body);
  });
});

describe('what is refused', () => {
  test('a body without one good event', async () => {
    await open();
    expect(await post('[{"id": "a"}]')).toMatchObject({
      status: 400,
      json: { accepted: 0, rejected: [{ index: 0, field: 'service', rule: 'is required' }] },
    });
    expect(port.journal.stats().bodies).toBe(0);
  });

  test.each([
    ['[]', 'the body holds no event'],
    ['', 'the body is not JSON'],
    ['{"id": ', 'the body is not JSON'],
    [JSON.stringify(Array.from({ length: 10_001 }, () => ({}))), 'the body holds more than 10000 events'],
  ])('%.20s', async (body, message) => {
    await open();
    expect(await post(body)).toMatchObject({ status: 400, json: { error: { code: 'bad_request', message } } });
  });

  test.each<Record<string, string>>([
    {},
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'multipart/form-data; boundary=x' },
  ])('a body that any site can make a browser send: %j', async (headers) => {
    await open();
    // A Buffer body gives no type of its own, as a Blob without one in a browser.
    const answer = await post(Buffer.from(JSON.stringify(EVENT)), headers);
    expect(answer).toMatchObject({ status: 415, json: { error: { code: 'unsupported_media_type' } } });
    expect(port.journal.stats().bodies).toBe(0);
  });

  test('without the token, or with another', async () => {
    await open({ token: 'of-the-api' });
    expect((await post(JSON.stringify(EVENT))).status).toBe(401);
    expect((await post(JSON.stringify(EVENT), { ...JSON_TYPE, authorization: 'Bearer guess' })).status).toBe(401);
    expect((await post(JSON.stringify(EVENT), { ...JSON_TYPE, authorization: 'Bearer of-the-api' })).status).toBe(200);
  });

  test('more than 4 MiB, packed or not', async () => {
    await open();
    const large = JSON.stringify({ ...EVENT, padding: 'x'.repeat(4 * 1024 * 1024) });
    const plain = await post(large).catch((error: unknown) => error);
    expect(plain instanceof Error || (plain as { status: number }).status === 413).toBe(true);
    const packed = await post(gzipSync(large), { ...JSON_TYPE, 'content-encoding': 'gzip' });
    expect(packed).toMatchObject({ status: 413, json: { error: { code: 'body_too_large' } } });
    expect((await post('x', { ...JSON_TYPE, 'content-encoding': 'gzip' })).json.error?.code).toBe('bad_encoding');
    expect((await post('x', { ...JSON_TYPE, 'content-encoding': 'br' })).json.error?.code).toBe('unsupported_encoding');
  });

  test('while the journal is full, with a time to come back', async () => {
    await open({ maxBacklogBytes: 8 });
    const answer = await post(JSON.stringify(EVENT));
    expect(answer).toMatchObject({ status: 503, json: { error: { code: 'journal_full' } } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(port.doors.ledger.totals()).toMatchObject([{ outcome: 'journal_full', count: 1 }]);
  });
});

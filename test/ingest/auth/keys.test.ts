import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { createKeyRing, hashOf, keyLine, keyOf, parseKeys } from '../../../ingest/auth/keys.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { openTestDoor, type TestDoor } from './tls-door.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-keys-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const HASH = 'ab'.repeat(32);
const line = (name: string, key: string, rate = { spans: 0, bytes: 0 }): string =>
  keyLine({ name, team: 'shop', hash: hashOf(key), created: '2026-01-01', rate });

async function post(door: TestDoor, authorization?: string): Promise<Response> {
  const headers = {
    'content-type': 'application/x-protobuf',
    ...(authorization === undefined ? {} : { authorization }),
  };
  return fetch(`${door.url}/v1/traces`, { method: 'POST', headers, body: new Uint8Array() });
}

test('a written line reads as what was written', () => {
  const record = { name: 'ci/1', team: 'shop', hash: HASH, created: '2026-01-01', rate: { spans: 5, bytes: 7 } };
  expect(parseKeys(`# comment\n\n${keyLine(record)}`)).toEqual([record]);
});

test.each([
  ['one word', 'line 1: must be'],
  [`a b sha256:${HASH.slice(2)}`, 'line 1: must be'],
  [`a b sha512:${HASH}`, 'line 1: must be'],
  [`a b hgk_${HASH}`, 'line 1: must be'],
  [`a! b sha256:${HASH}`, 'name and team'],
  [`a b sha256:${HASH} spans=0`, 'spans is not'],
  [`a b sha256:${HASH} colour=red`, 'colour is not'],
  [`a b sha256:${HASH}\na c sha256:${HASH}`, 'line 2: the name stands twice'],
])('%j is refused', (text, reason) => {
  expect(() => parseKeys(text)).toThrow(reason);
});

test('the ring finds a key and nothing that is like one', () => {
  const key = keyOf(randomBytes(32));
  const ring = createKeyRing(parseKeys(line('a', key)));
  expect(ring.find(key)?.name).toBe('a');
  for (const other of [key.slice(0, -1), `${key}A`, key.toLowerCase(), keyOf(randomBytes(32)), '', hashOf(key)])
    expect(ring.find(other)).toBeUndefined();
});

test('a key writes as its team; a wrong, cut or missing one and its hash do not; nothing of any stands in the log', async () => {
  const path = join(dir, 'doors');
  const key = keyOf(randomBytes(32));
  writeFileSync(path, line('ci', key));
  const door = await openTestDoor({ 'auth.keysFile': path, token: 'instance-token' }, new FakeClock());
  const wrong = keyOf(randomBytes(32));
  const tried = [
    `Bearer ${key}`,
    `bearer  ${key}`,
    'Bearer instance-token',
    `Bearer ${wrong}`,
    `Bearer ${key.slice(0, 20)}`,
  ];
  const more = [`Basic ${key}`, key, `Bearer ${hashOf(key)}`, undefined, 'Bearer other-token'];
  const statuses: number[] = [];
  for (const header of [...tried, ...more]) statuses.push((await post(door, header)).status);
  expect(statuses).toEqual([200, 200, 200, 401, 401, 401, 401, 401, 401, 401]);
  expect(door.senders).toEqual([
    { team: 'shop', key: 'ci' },
    { team: 'shop', key: 'ci' },
    { team: '', key: '' },
  ]);
  expect(door.refusals()).toEqual({ key_unknown: 2, bearer_missing: 3, unauthenticated: 2 });
  const log = JSON.stringify(door.lines);
  for (const secret of [key, wrong, key.slice(4, 16), hashOf(key), 'instance-token', 'other-token'])
    expect(log).not.toContain(secret);
  await door.close();
});

test('a file that changes: a new key is let in, a revoked one is not, a broken file changes nothing', async () => {
  const path = join(dir, 'changing');
  const [old, young] = [keyOf(randomBytes(32)), keyOf(randomBytes(32))];
  const clock = new FakeClock();
  writeFileSync(path, line('old', old));
  const door = await openTestDoor({ 'auth.keysFile': path }, clock);
  const both = async (): Promise<number[]> => {
    await clock.advance(1000);
    return [(await post(door, `Bearer ${old}`)).status, (await post(door, `Bearer ${young}`)).status];
  };
  expect(await both()).toEqual([200, 401]);
  writeFileSync(path, line('old', old) + line('young', young));
  expect(await both()).toEqual([200, 200]);
  writeFileSync(path, `${line('old', old)}something else\n`);
  expect(await both()).toEqual([200, 200]);
  writeFileSync(path, line('young', young));
  expect(await both()).toEqual([401, 200]);
  rmSync(path);
  expect(await both()).toEqual([401, 200]);
  await door.close();
});

test('keys rotate under load without one failed call', async () => {
  const path = join(dir, 'rotating');
  let key = keyOf(randomBytes(32));
  writeFileSync(path, line('k0', key));
  const door = await openTestDoor({ 'auth.keysFile': path }, systemClock);
  const statuses = new Map<number, number>();
  let isOver = false;
  const sender = async (): Promise<void> => {
    while (!isOver) {
      const { status } = await post(door, `Bearer ${key}`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const senders = [sender(), sender(), sender()];
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  for (let round = 1; round <= 3; round++) {
    const next = keyOf(randomBytes(32));
    writeFileSync(`${path}.new`, line(`k${round - 1}`, key) + line(`k${round}`, next));
    renameSync(`${path}.new`, path);
    await wait(1100);
    key = next; // what senders are given in between
    await wait(50);
    writeFileSync(`${path}.new`, line(`k${round}`, next));
    renameSync(`${path}.new`, path);
  }
  await wait(1100);
  isOver = true;
  await Promise.all(senders);
  expect([...statuses.keys()]).toEqual([200]);
  expect(door.senders.at(-1)?.key).toBe('k3');
  await door.close();
}, 20_000);

test('a key over its rate waits as long as it is told to, its neighbours do not', async () => {
  const path = join(dir, 'rates');
  const [slow, other] = [keyOf(randomBytes(32)), keyOf(randomBytes(32))];
  writeFileSync(path, line('slow', slow, { spans: 5, bytes: 0 }) + line('other', other));
  const clock = new FakeClock();
  const door = await openTestDoor({ 'auth.keysFile': path }, clock);
  // Each body is ten spans, and ten are what a key of five a second may send at once.
  expect((await post(door, `Bearer ${slow}`)).status).toBe(200);
  const refused = await post(door, `Bearer ${slow}`);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  expect((await post(door, `Bearer ${other}`)).status).toBe(200);
  await clock.advance(1000);
  expect((await post(door, `Bearer ${slow}`)).status).toBe(200);
  const later = await post(door, `Bearer ${slow}`);
  const waitS = Number(later.headers.get('retry-after'));
  expect(waitS).toBe(2);
  await clock.advance((waitS - 1) * 1000);
  expect((await post(door, `Bearer ${slow}`)).status).toBe(429);
  await clock.advance(1000);
  expect((await post(door, `Bearer ${slow}`)).status).toBe(200);
  expect(door.refusals()).toEqual({ over_budget_spans: 3 });
  await door.close();
});

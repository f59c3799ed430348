import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { type Authority, createAuthority, type Leaf, selfSigned } from '../../support/pki.ts';
import { agentOf, call, openTestDoor, type TestDoor } from './tls-door.ts';

let dir: string;
let root: Authority;
let inter: Authority;
let server: Leaf;
let cart: Leaf;
let files: Record<string, string>;
let clock: FakeClock;
let door: TestDoor;

const RULES = '[{ san: "spiffe://prod/*", team: shop }, { san: "*.ingest.example.com", team: search }]';
const SERVER = { san: 'DNS:localhost,IP:127.0.0.1', usage: 'serverAuth' } as const;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-tls-'));
  root = createAuthority(dir);
  inter = root.intermediate('inter');
  server = root.leaf('server', SERVER);
  cart = root.leaf('cart', { san: 'URI:spiffe://prod/cart' });
});
afterAll(() => rmSync(dir, { recursive: true }));

beforeEach(async () => {
  const live = mkdtempSync(join(dir, 'live-'));
  files = {
    cert: join(live, 'tls.crt'),
    key: join(live, 'tls.key'),
    ca: join(live, 'ca.crt'),
    crl: join(live, 'ca.crl'),
  };
  copyFileSync(server.certFile, files['cert'] ?? '');
  copyFileSync(server.keyFile, files['key'] ?? '');
  writeFileSync(files['ca'] ?? '', readFileSync(root.certFile, 'utf8') + readFileSync(inter.certFile, 'utf8'));
  copyFileSync(root.crl(), files['crl'] ?? '');
  clock = new FakeClock(Date.now());
  door = await openTestDoor(tlsFlags({ 'tls.crlFile': files['crl'] ?? '' }), clock);
});
afterEach(() => door.close());

function tlsFlags(more: Record<string, string> = {}): Record<string, string> {
  return {
    'tls.certFile': files['cert'] ?? '',
    'tls.keyFile': files['key'] ?? '',
    'tls.clientCaFile': files['ca'] ?? '',
    'auth.certificates': RULES,
    ...more,
  };
}

/** What the door does when its files have changed and its job comes round. */
async function refresh(): Promise<void> {
  await clock.advance(2000);
  await door.access.tls?.material.refresh();
}

test('a client certificate with a name on the list writes as the team of its rule', async () => {
  const search = inter.leaf('search', { san: 'DNS:eu.ingest.example.com' });
  expect((await call(door.url, agentOf(cart, root.certFile))).status).toBe(200);
  expect((await call(door.url, agentOf(search, root.certFile))).status).toBe(200);
  expect(door.senders).toEqual([
    { team: 'shop', key: 'cert:spiffe://prod/cart' },
    { team: 'search', key: 'cert:eu.ingest.example.com' },
  ]);
});

describe('refused in the handshake, and counted by its reason', () => {
  const cases: [string, string, () => Leaf | undefined, object?][] = [
    ['no certificate', 'certificate_missing', () => undefined],
    [
      'another authority',
      'certificate_untrusted',
      () => createAuthority(dir, 'foreign').leaf('f', { san: 'URI:spiffe://prod/cart' }),
    ],
    ['self-signed', 'certificate_untrusted', () => selfSigned(dir, 'URI:spiffe://prod/cart')],
    [
      'expired',
      'certificate_expired',
      () => root.leaf('old', { san: 'URI:spiffe://prod/cart', fromDays: -3, toDays: -1 }),
    ],
    [
      'not yet valid',
      'certificate_not_yet_valid',
      () => root.leaf('soon', { san: 'URI:spiffe://prod/cart', fromDays: 1 }),
    ],
    [
      'made for servers',
      'certificate_purpose',
      () => root.leaf('eku', { san: 'URI:spiffe://prod/cart', usage: 'serverAuth' }),
    ],
    [
      'TLS 1.1',
      'tls_version',
      () => cart,
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    ],
  ];
  test.each(cases)('%s: %s', async (_name, reason, leaf, more) => {
    await expect(call(door.url, agentOf(leaf(), root.certFile, more))).rejects.toThrow();
    await expect.poll(() => door.refusals()).toEqual({ [reason]: 1 });
    expect(door.senders).toEqual([]);
  });

  test('TLS 1.2, where 1.3 is the least', async () => {
    const strict = await openTestDoor(tlsFlags({ 'tls.minVersion': 'TLSv1.3' }), clock);
    const old = agentOf(cart, root.certFile, { maxVersion: 'TLSv1.2' });
    await expect(call(strict.url, old)).rejects.toThrow();
    await expect.poll(() => strict.refusals()).toEqual({ tls_version: 1 });
    expect((await call(strict.url, agentOf(cart, root.certFile))).status).toBe(200);
    await strict.close();
  });
});

describe('refused by the call, with the reason in the answer', () => {
  test.each([
    ['a name on no list', 'URI:spiffe://staging/cart'],
    ['a URI that only begins alike', 'URI:spiffe://prod.evil.example/cart'],
    ['a label too many', 'DNS:a.b.ingest.example.com'],
    ['a URI written into a DNS name', 'DNS:spiffe.prod.cart'],
    ['no name at all', ''],
  ])('%s', async (name, san) => {
    const leaf = root.leaf(name.replaceAll(' ', '-'), { san });
    const answer = await call(door.url, agentOf(leaf, root.certFile));
    expect([answer.status, door.refusals()]).toEqual([403, { certificate_not_allowed: 1 }]);
  });

  test('revoked while its connection lives', async () => {
    const leaf = root.leaf('taken', { san: 'URI:spiffe://prod/taken' });
    const agent = agentOf(leaf, root.certFile);
    const before = await call(door.url, agent);
    root.revoke(leaf);
    copyFileSync(root.crl(), files['crl'] ?? '');
    await refresh();
    const after = await call(door.url, agent);
    expect([before.status, after.status, after.localPort]).toEqual([200, 401, before.localPort]);
    expect(after.text).toContain('revocation list');
    expect((await call(door.url, agentOf(cart, root.certFile))).status).toBe(200);
    expect(door.refusals()).toEqual({ certificate_revoked: 1 });
  });

  test('below an intermediate that was revoked', async () => {
    const lost = root.intermediate('lost');
    writeFileSync(files['ca'] ?? '', readFileSync(files['ca'] ?? '', 'utf8') + readFileSync(lost.certFile, 'utf8'));
    await refresh();
    const agent = agentOf(lost.leaf('below', { san: 'URI:spiffe://prod/below' }), root.certFile);
    expect((await call(door.url, agent)).status).toBe(200);
    root.revoke({ certFile: lost.certFile } as Leaf);
    copyFileSync(root.crl(), files['crl'] ?? '');
    await refresh();
    expect((await call(door.url, agent)).status).toBe(401);
  });

  test('expired while its connection lives', async () => {
    const agent = agentOf(cart, root.certFile);
    expect((await call(door.url, agent)).status).toBe(200);
    clock.stepWall(8 * 86_400_000);
    expect((await call(door.url, agent)).status).toBe(401);
    expect(door.refusals()).toEqual({ certificate_expired: 1 });
  });

  test('its authority taken off the file while its connection lives', async () => {
    const agent = agentOf(cart, root.certFile);
    expect((await call(door.url, agent)).status).toBe(200);
    copyFileSync(createAuthority(dir, 'successor').certFile, files['ca'] ?? '');
    await refresh();
    expect((await call(door.url, agent)).status).toBe(401);
    expect(door.refusals()).toEqual({ certificate_untrusted: 1 });
  });
});

describe('files that change', () => {
  test('a new server certificate is shown to new connections, and no live one is cut', async () => {
    const agent = agentOf(cart, root.certFile);
    const before = await call(door.url, agent);
    const renewed = root.leaf('renewed', SERVER);
    copyFileSync(renewed.certFile, files['cert'] ?? '');
    copyFileSync(renewed.keyFile, files['key'] ?? '');
    await refresh();
    const live = await call(door.url, agent);
    const fresh = await call(door.url, agentOf(cart, root.certFile));
    expect([live.status, live.localPort, live.serverSerial]).toEqual([200, before.localPort, before.serverSerial]);
    expect(fresh.status).toBe(200);
    expect(fresh.serverSerial).not.toBe(before.serverSerial);
  });

  test.each([
    ['a key that does not fit', 'key', (): string => readFileSync(cart.keyFile, 'utf8')],
    ['half a certificate', 'cert', (): string => readFileSync(server.certFile, 'utf8').slice(0, 200)],
    ['no authority', 'ca', (): string => 'nothing\n'],
    ['a broken revocation list', 'crl', (): string => '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n'],
    [
      'a revocation list of somebody else',
      'crl',
      (): string => readFileSync(createAuthority(dir, 'other').crl(), 'utf8'),
    ],
  ])('%s leaves the old one in place and is said loudly, once', async (_name, file, text) => {
    writeFileSync(files[file] ?? '', text());
    await refresh();
    await refresh();
    expect((await call(door.url, agentOf(cart, root.certFile))).status).toBe(200);
    expect(door.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { message: 'cannot be used', fields: { keptOld: true } },
    ]);
  });

  test('a revocation list past its date still revokes, and that it is late is said once', async () => {
    const leaf = root.leaf('long', { san: 'URI:spiffe://prod/long', toDays: 20 });
    root.revoke(leaf);
    copyFileSync(root.crl(), files['crl'] ?? '');
    await refresh();
    clock.stepWall(8 * 86_400_000);
    await refresh();
    await refresh();
    expect((await call(door.url, agentOf(leaf, root.certFile))).status).toBe(401);
    expect(door.lines.filter(({ message }) => message.includes('out of date'))).toHaveLength(1);
  });
});

test('a connection that is too old is closed after the call under way', async () => {
  const agent = agentOf(cart, root.certFile);
  const first = await call(door.url, agent);
  clock.stall(3_600_001);
  const last = await call(door.url, agent);
  const next = await call(door.url, agent);
  expect([first.headers['connection'], last.headers['connection'], last.localPort]).toEqual([
    'keep-alive',
    'close',
    first.localPort,
  ]);
  expect(next.localPort).not.toBe(first.localPort);
});

test('files that cannot be used keep the door from opening', async () => {
  writeFileSync(files['key'] ?? '', 'no key');
  await expect(openTestDoor(tlsFlags(), clock)).rejects.toMatchObject({ code: 'bad_config' });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fetchBytes } from '../../../ingest/auth/fetch.ts';
import { keysFromFile, keysFromUrl } from '../../../ingest/auth/jwks.ts';
import { createJwtCheck, type JwtCheck, type JwtOptions } from '../../../ingest/auth/jwt.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { createAuthority } from '../../support/pki.ts';
import { agentOf, call, openTestDoor } from './tls-door.ts';
import { thumbprintOf } from '../../../ingest/auth/x509.ts';
import { X509Certificate } from 'node:crypto';

interface Pair {
  publicKey: CryptoKey;
  privateKey: CryptoKey;
}

const OPTIONS: JwtOptions = {
  issuer: 'https://id.example.com',
  audience: 'heliograph',
  algorithms: ['EdDSA', 'ES256'],
  teamClaim: 'team',
  clockToleranceMs: 5000,
  maxAgeMs: 3_600_000,
  bound: false,
};

let dir: string;
let path: string;
let clock: FakeClock;
let check: JwtCheck;
let pair: Pair;
let stranger: Pair;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-jwt-'));
  pair = await generateKeyPair('EdDSA', { extractable: true });
  stranger = await generateKeyPair('EdDSA', { extractable: true });
});
afterAll(() => rmSync(dir, { recursive: true }));
beforeEach(async () => {
  clock = new FakeClock();
  path = join(mkdtempSync(join(dir, 'each-')), 'jwks.json');
  await publish([pair, 'one']);
  check = createJwtCheck(OPTIONS, keysFromFile(path, clock, memoryLog()), clock);
});

async function jwks(...keys: [Pair, string][]): Promise<string> {
  const published = await Promise.all(
    keys.map(async ([{ publicKey }, kid]) => ({ ...(await exportJWK(publicKey)), kid })),
  );
  return JSON.stringify({ keys: published });
}

async function publish(...keys: [Pair, string][]): Promise<void> {
  writeFileSync(path, await jwks(...keys));
}

const nowS = (): number => Math.floor(clock.nowMs() / 1000);

interface TokenInput {
  claims?: JWTPayload;
  key?: CryptoKey | Uint8Array;
  header?: Record<string, string>;
}

/** A good token but for what is given; a claim of undefined is left out. */
function token({ claims = {}, key = pair.privateKey, header = {} }: TokenInput = {}): Promise<string> {
  const all = {
    iss: OPTIONS.issuer,
    aud: OPTIONS.audience,
    sub: 'cart',
    team: 'shop',
    iat: nowS(),
    exp: nowS() + 300,
    ...claims,
  };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(given).setProtectedHeader({ alg: 'EdDSA', kid: 'one', ...header }).sign(key);
}

test('a good token writes as the team it names', async () => {
  expect(await check.verify(await token(), undefined)).toEqual({ team: 'shop', key: 'jwt:cart' });
  expect(await check.verify(await token({ header: { typ: 'at+jwt' } }), undefined)).toMatchObject({ team: 'shop' });
});

test('a subject that is an address is not kept as it is', async () => {
  const { key } = await check.verify(await token({ claims: { sub: 'someone@example.com' } }), undefined);
  expect(key).toMatch(/^jwt:[0-9a-f]{12}$/);
});

test.each<[string, string, () => Promise<string> | string]>([
  ['expired', 'jwt_expired', () => token({ claims: { exp: nowS() - 60 } })],
  ['too old', 'jwt_expired', () => token({ claims: { iat: nowS() - 7200, exp: nowS() + 7200 } })],
  ['from the future by nbf', 'jwt_claim_nbf', () => token({ claims: { nbf: nowS() + 60 } })],
  ['from the future by iat', 'jwt_claim_iat', () => token({ claims: { iat: nowS() + 600 } })],
  ['of another issuer', 'jwt_claim_iss', () => token({ claims: { iss: 'https://evil.example.com' } })],
  ['for another audience', 'jwt_claim_aud', () => token({ claims: { aud: 'elsewhere' } })],
  ['without exp', 'jwt_claim_exp', () => token({ claims: { exp: undefined } as unknown as JWTPayload })],
  ['without iat', 'jwt_claim_iat', () => token({ claims: { iat: undefined } as unknown as JWTPayload })],
  ['without iss', 'jwt_claim_iss', () => token({ claims: { iss: undefined } as unknown as JWTPayload })],
  ['without aud', 'jwt_claim_aud', () => token({ claims: { aud: undefined } as unknown as JWTPayload })],
  ['without a team', 'jwt_no_team', () => token({ claims: { team: undefined } })],
  ['with a team that is no name', 'jwt_no_team', () => token({ claims: { team: '../shop' } })],
  ['with teams', 'jwt_no_team', () => token({ claims: { team: ['shop'] } })],
  ['signed by somebody else', 'jwt_signature', () => token({ key: stranger.privateKey })],
  ['with an unknown key', 'jwt_unknown_key', () => token({ header: { kid: 'two' } })],
  [
    'unsigned',
    'jwt_algorithm',
    () => new UnsecuredJWT({ iss: OPTIONS.issuer, team: 'shop' }).setAudience('heliograph').encode(),
  ],
  [
    'signed HS256 with the public key',
    'jwt_algorithm',
    async () => token({ key: new TextEncoder().encode(await exportSPKI(pair.publicKey)), header: { alg: 'HS256' } }),
  ],
  ['too long', 'jwt_oversized', () => token({ claims: { padding: 'x'.repeat(9000) } })],
  ['cut short', 'jwt_signature', async () => (await token()).slice(0, -2)],
  ['without a signature', 'jwt_signature', async () => `${(await token()).split('.').slice(0, 2).join('.')}.`],
  ['not a token', 'jwt_malformed', () => 'a.b.c'],
  ['one word', 'jwt_malformed', () => 'word'],
])('%s: %s', async (_name, reason, make) => {
  const text = await make();
  // The second time the answer comes from what is remembered.
  for (let round = 0; round < 2; round++)
    await expect(check.verify(text, undefined)).rejects.toMatchObject({ code: 'unauthenticated', reason });
});

test('the clock of the issuer may be a little off', async () => {
  expect(await check.verify(await token({ claims: { exp: nowS() - 4 } }), undefined)).toMatchObject({ team: 'shop' });
  expect(await check.verify(await token({ claims: { nbf: nowS() + 4 } }), undefined)).toMatchObject({ team: 'shop' });
});

test('what is remembered ends with the token', async () => {
  const text = await token({ claims: { exp: nowS() + 20 } });
  await check.verify(text, undefined);
  await clock.advance(24_000);
  await check.verify(text, undefined);
  await clock.advance(2000);
  await expect(check.verify(text, undefined)).rejects.toMatchObject({ reason: 'jwt_expired' });
});

test('a token is replayed after its key was taken back: what was remembered does not help it', async () => {
  const text = await token();
  await check.verify(text, undefined);
  await publish([stranger, 'one']);
  await clock.advance(1000);
  await expect(check.verify(text, undefined)).rejects.toMatchObject({ reason: 'jwt_signature' });
  await publish([stranger, 'two']);
  await clock.advance(1000);
  await expect(check.verify(text, undefined)).rejects.toMatchObject({ reason: 'jwt_unknown_key' });
  expect(
    await check.verify(await token({ key: stranger.privateKey, header: { kid: 'two' } }), undefined),
  ).toMatchObject({ team: 'shop' });
});

test('a key set with a private or a symmetric key in it is not used', async () => {
  const log = memoryLog();
  const source = keysFromFile(path, clock, log);
  expect((await source.keys())?.keys).toHaveLength(1);
  writeFileSync(path, JSON.stringify({ keys: [await exportJWK(pair.privateKey)] }));
  await clock.advance(1000);
  expect((await source.keys())?.keys).toHaveLength(1);
  writeFileSync(path, JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }));
  await clock.advance(1000);
  expect((await source.keys())?.keys[0]?.kty).toBe('OKP');
  expect(JSON.stringify(log.lines)).not.toContain('c2VjcmV0');
});

test('keys of an endpoint: fetched once, again for an unknown key but not for every one, never by a redirect', async () => {
  let asked = 0;
  let body = await jwks([pair, 'one']);
  const server: Server = createServer((request, response) => {
    asked += 1;
    if (request.url === '/moved') return void response.writeHead(302, { location: '/jwks' }).end();
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const log = memoryLog();
  check = createJwtCheck(OPTIONS, keysFromUrl(`${base}/jwks`, fetchBytes, clock, log), clock);
  await check.verify(await token(), undefined);
  await check.verify(await token({ claims: { sub: 'other' } }), undefined);
  expect(asked).toBe(1);
  for (let i = 0; i < 5; i++)
    await expect(check.verify(await token({ header: { kid: `none-${i}` } }), undefined)).rejects.toMatchObject({
      reason: 'jwt_unknown_key',
    });
  expect(asked).toBe(1); // within the half minute after the first
  body = await jwks([pair, 'one'], [stranger, 'two']);
  await clock.advance(30_000);
  expect(
    await check.verify(await token({ key: stranger.privateKey, header: { kid: 'two' } }), undefined),
  ).toMatchObject({ team: 'shop' });
  expect(asked).toBe(2);
  const moved = createJwtCheck(OPTIONS, keysFromUrl(`${base}/moved`, fetchBytes, clock, log), clock);
  await expect(moved.verify(await token(), undefined)).rejects.toMatchObject({ reason: 'jwks_unavailable' });
  server.close();
  server.closeAllConnections();
  await clock.advance(300_000);
  expect(await check.verify(await token(), undefined)).toMatchObject({ team: 'shop' }); // the old keys, while the endpoint is away
  await clock.advance(86_400_000);
  await expect(check.verify(await token(), undefined)).rejects.toMatchObject({ code: 'too_busy' });
});

test('over mutual TLS a token counts on the connection of its own certificate alone, and no token is logged', async () => {
  const root = createAuthority(dir);
  const server = root.leaf('server', { san: 'DNS:localhost', usage: 'serverAuth' });
  const cart = root.leaf('cart', { san: 'URI:spiffe://prod/cart' });
  const other = root.leaf('other', { san: 'URI:spiffe://prod/other' });
  const realClock = new FakeClock(Date.now());
  clock = realClock;
  const door = await openTestDoor(
    {
      'tls.certFile': server.certFile,
      'tls.keyFile': server.keyFile,
      'tls.clientCaFile': root.certFile,
      'auth.certificates': '[{ san: "spiffe://prod/*", team: shop }]',
      'auth.jwt.issuer': OPTIONS.issuer,
      'auth.jwt.audience': OPTIONS.audience,
      'auth.jwt.jwksFile': path,
      'auth.jwt.bound': 'true',
    },
    realClock,
  );
  const bind = (pem: Buffer): JWTPayload => ({ cnf: { 'x5t#S256': thumbprintOf(new X509Certificate(pem).raw) } });
  const tokens = [
    await token({ claims: bind(readFileSync(cart.certFile)) }),
    await token(),
    await token({ claims: bind(readFileSync(other.certFile)) }),
    await token({ claims: { cnf: { jkt: 'x' } } }),
    await token({ claims: { ...bind(readFileSync(cart.certFile)), team: 'search' } }),
  ];
  const agent = agentOf(cart, root.certFile);
  const statuses: number[] = [];
  for (const text of tokens) statuses.push((await call(door.url, agent, { authorization: `Bearer ${text}` })).status);
  statuses.push((await call(door.url, agent)).status);
  expect(statuses).toEqual([200, 401, 401, 401, 403, 401]);
  expect(door.senders).toEqual([{ team: 'shop', key: 'jwt:cart' }]);
  expect(door.refusals()).toEqual({ jwt_unbound: 1, jwt_bound_to_another: 2, team_mismatch: 1, bearer_missing: 1 });
  const log = JSON.stringify(door.lines);
  for (const text of tokens) for (const part of text.split('.').slice(1)) expect(log).not.toContain(part);
  await door.close();
});

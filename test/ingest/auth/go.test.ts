import { execFile, spawnSync } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect } from 'vitest';
import { OTLP_COLLECTORS } from '../../../collectors/index.ts';
import { encodeStatus } from '../../../collectors/otlp/response.ts';
import { systemClock } from '../../../core/clock.ts';
import { assetPath } from '../../../core/paths.ts';
import { grpcCredentials } from '../../../ingest/auth/tls.ts';
import { thumbprintOf } from '../../../ingest/auth/x509.ts';
import { createOtlpGrpcDoor } from '../../../ingest/doors/otlp-grpc.ts';
import { eventually, spawnHeliograph } from '../../support/heliograph-process.ts';
import { peerTest } from '../../support/peers.ts';
import { type Authority, createAuthority, type Leaf } from '../../support/pki.ts';
import { quietLog } from '../../support/quiet-log.ts';
import { openTestDoor, type TestDoor } from './tls-door.ts';

const run = promisify(execFile);
const SERVER = { san: 'DNS:localhost,IP:127.0.0.1', usage: 'serverAuth' } as const;
const ISSUER = 'https://id.example.com';

let dir: string;
let root: Authority;
let server: Leaf;
let cart: Leaf;
let other: Leaf;
let privateKey: CryptoKey;
let flags: Record<string, string>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-go-'));
  root = createAuthority(dir);
  server = root.leaf('server', SERVER);
  cart = root.leaf('cart', { san: 'URI:spiffe://prod/cart' });
  other = root.leaf('other', { san: 'URI:spiffe://prod/other' });
  const pair = await generateKeyPair('ES256', { extractable: true });
  privateKey = pair.privateKey;
  writeFileSync(join(dir, 'jwks.json'), JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k' }] }));
  copyFileSync(root.crl(), join(dir, 'ca.crl'));
  flags = {
    'tls.certFile': server.certFile,
    'tls.keyFile': server.keyFile,
    'tls.clientCaFile': root.certFile,
    'tls.crlFile': join(dir, 'ca.crl'),
    'auth.certificates': '[{ san: "spiffe://prod/*", team: shop }]',
    'auth.jwt.issuer': ISSUER,
    'auth.jwt.audience': 'heliograph',
    'auth.jwt.jwksFile': join(dir, 'jwks.json'),
    'auth.jwt.bound': 'true',
  };
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Path of a fresh token that is bound to `leaf`. */
async function tokenFile(leaf: Leaf, expiresIn = '5m'): Promise<string> {
  const token = await new SignJWT({
    team: 'shop',
    cnf: { 'x5t#S256': thumbprintOf(new X509Certificate(leaf.cert).raw) },
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .setIssuer(ISSUER)
    .setAudience('heliograph')
    .setSubject('cart')
    .setIssuedAt()
    .setExpirationTime(expiresIn)
    .sign(privateKey);
  const path = join(mkdtempSync(join(dir, 'token-')), 'token');
  writeFileSync(path, `${token}\n`);
  return path;
}

let built: string | undefined;
function goPeer(): string {
  if (built !== undefined) return built;
  const binary = join(dir, 'go-mtls');
  const { stderr } = spawnSync('go', ['build', '-o', binary, '.'], {
    cwd: assetPath('test/peers/go-mtls'),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  built = binary;
  return binary;
}

/** What the Go program says. */
async function send(kind: 'grpc' | 'http', port: number, leaf: Leaf | undefined, token: string): Promise<string> {
  const args = [kind, `127.0.0.1:${port}`, root.certFile, leaf?.certFile ?? '-', leaf?.keyFile ?? '-', token];
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
  return run(goPeer(), args, { env }).then(
    ({ stdout }) => stdout.trim(),
    (error: { stdout: string }) => error.stdout.trim(),
  );
}

/** The gRPC door behind the same admission. */
async function openGrpc(door: TestDoor): Promise<{ port: number; close(): Promise<void> }> {
  const { tls, admission, ledger } = door.access;
  if (tls === undefined) throw new Error('no TLS');
  const grpcDoor = createOtlpGrpcDoor({
    collectors: OTLP_COLLECTORS,
    receive: door.receive,
    admission,
    ledger,
    encodeStatus,
    credentials: () => grpcCredentials(tls.material),
    maxConnectionAgeMs: tls.maxConnectionAgeMs,
    clock: systemClock,
    log: quietLog,
  });
  await grpcDoor.listen({ host: '127.0.0.1', port: 0 });
  const { port } = grpcDoor.server.address() as AddressInfo;
  return { port, close: () => grpcDoor.close(100) };
}

peerTest('go', 'the Go SDK over gRPC: mutual TLS with a token per call, and every other way refused', async () => {
  const door = await openTestDoor(flags, systemClock);
  const grpc = await openGrpc(door);
  expect(await send('grpc', grpc.port, cart, await tokenFile(cart))).toBe('ok');
  expect(door.senders).toEqual([{ team: 'shop', key: 'jwt:cart' }]);
  const foreign = createAuthority(dir, 'foreign').leaf('cart', { san: 'URI:spiffe://prod/cart' });
  const staging = root.leaf('staging', { san: 'URI:spiffe://staging/cart' });
  const old = root.leaf('old', { san: 'URI:spiffe://prod/old', fromDays: -3, toDays: -1 });
  const token = await tokenFile(cart);
  for (const [leaf, file, said] of [
    [undefined, token, /certificate required|connection|EOF|reset|pipe/],
    [foreign, token, /unknown certificate authority|bad certificate|connection|EOF|reset|pipe/],
    [old, token, /expired certificate|bad certificate|connection|EOF|reset|pipe/],
    [staging, token, /PermissionDenied.*no rule of auth.certificates/s],
    [cart, '-', /Unauthenticated/],
    [other, token, /Unauthenticated/],
    [cart, await tokenFile(cart, '-1h'), /Unauthenticated/],
  ] as const)
    expect(await send('grpc', grpc.port, leaf, file)).toMatch(said);
  expect(door.senders).toHaveLength(1);
  expect(door.refusals()).toMatchObject({
    certificate_not_allowed: 1,
    bearer_missing: 1,
    jwt_bound_to_another: 1,
    jwt_expired: 1,
  });
  // A revocation, without a restart.
  root.revoke(other);
  copyFileSync(root.crl(), join(dir, 'ca.crl'));
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await door.access.tls?.material.refresh();
  expect(await send('grpc', grpc.port, other, await tokenFile(other))).toMatch(/Unauthenticated/);
  expect(door.refusals()).toMatchObject({ certificate_revoked: 1 });
  expect(await send('grpc', grpc.port, cart, token)).toBe('ok');
  await grpc.close();
  await door.close();
});

peerTest(
  'go',
  'the Go SDK over HTTP into a running Heliograph: mutual TLS, tokens, a certificate that is renewed',
  async () => {
    const live = { cert: join(dir, 'live.crt'), key: join(dir, 'live.key') };
    copyFileSync(server.certFile, live.cert);
    copyFileSync(server.keyFile, live.key);
    const env = Object.fromEntries(
      Object.entries({ ...flags, 'tls.certFile': live.cert, 'tls.keyFile': live.key }).map(([key, value]) => [
        `HELIOGRAPH_${key
          .replaceAll('.', '_')
          .replace(/([a-z])([A-Z])/g, '$1_$2')
          .toUpperCase()}`,
        value,
      ]),
    );
    const heliograph = await spawnHeliograph(join(dir, 'data'), env);
    const { port } = new URL(heliograph.otlpUrl);
    expect(new URL(heliograph.otlpUrl).protocol).toBe('https:');
    const token = await tokenFile(cart);
    expect(await send('http', Number(port), cart, token)).toBe('ok');
    expect(await send('http', Number(port), undefined, token)).toMatch(/certificate required/);
    expect(await send('http', Number(port), cart, '-')).toMatch(/401/);
    const renewed = root.leaf('renewed-http', SERVER);
    writeFileSync(live.key, renewed.key);
    writeFileSync(live.cert, renewed.cert);
    await eventually(async () => (heliograph.stderr().split('TLS certificates').length > 2 ? true : undefined));
    expect(await send('http', Number(port), cart, token)).toBe('ok');
    const services = async (): Promise<Map<string, number>> => {
      const answer = await fetch(`${heliograph.pageUrl}/api/query/services?from=now-1h&to=now%2B5m`);
      const { rows } = (await answer.json()) as { rows: { service: string; span_count: number }[] };
      return new Map(rows.map(({ service, span_count }) => [service, Number(span_count)]));
    };
    // Twenty spans a run, two runs; and Heliograph's own, which have a door of their own.
    await eventually(async () => ((await services()).get('go-mtls-http') === 40 ? true : undefined));
    await eventually(async () => ((await services()).has('heliograph') ? true : undefined));
    const status = (await (await fetch(`${heliograph.pageUrl}/api/status`)).json()) as {
      doors: { otlpHttp: { refused: { reason: string }[] } };
    };
    expect(status.doors.otlpHttp.refused.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['certificate_missing', 'bearer_missing']),
    );
    heliograph.child.kill('SIGTERM');
    expect(await heliograph.exited).toBe(0);
  },
);

/**
 * What letting a call in costs, by the way it comes in: remembered from an earlier call, and new. `npm run bench -- admission [calls=20000]`
 */
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { systemClock } from '../core/clock.ts';
import type { Admission, Credentials } from '../ingest/auth/admission.ts';
import { createAdmission } from '../ingest/auth/admit.ts';
import { createAuth } from '../ingest/auth/token.ts';
import { type CertificateCheck, createCertificateCheck } from '../ingest/auth/certificates.ts';
import { readRevocationLists } from '../ingest/auth/crl.ts';
import { keysFromFile } from '../ingest/auth/jwks.ts';
import { createJwtCheck, type JwtCheck } from '../ingest/auth/jwt.ts';
import { createKeyRing, hashOf, keyLine, keyOf, parseKeys } from '../ingest/auth/keys.ts';
import { createRateBudgets } from '../ingest/auth/rate.ts';
import { watchFiles } from '../ingest/auth/watched.ts';
import { readPemCertificates, thumbprintOf } from '../ingest/auth/x509.ts';
import { createAuthority } from '../test/support/pki.ts';
import { quietLog } from '../test/support/quiet-log.ts';
import { printTable } from './support/table.ts';

const calls = Number(process.argv[2] ?? 20_000);
const newOnes = Math.min(calls, 2000);
const dir = mkdtempSync(join(tmpdir(), 'heliograph-bench-'));
const [clock, log] = [systemClock, quietLog];
const shared = { auth: createAuth(undefined), keys: undefined, jwt: undefined, certificates: undefined, clock };
const admissionOf = (parts: Partial<Parameters<typeof createAdmission>[0]>): Admission =>
  createAdmission({ ...shared, budgets: createRateBudgets(clock), defaultRate: { spans: 0, bytes: 0 }, ...parts });

/** CPU microseconds a call. */
async function cost(admission: Admission, credentials: readonly Credentials[], times: number): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) await admission.admit(credentials[i % credentials.length] as Credentials);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

const bearer = (token: string, certificate?: Credentials['certificate']): Credentials => ({
  authorization: `Bearer ${token}`,
  certificate,
});

async function jwtOf(
  algorithm: string,
): Promise<{ check(): JwtCheck; tokens(n: number, thumbprint?: string): Promise<string[]> }> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const path = join(dir, `${algorithm}.json`);
  writeFileSync(path, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] }));
  const options = {
    issuer: 'i',
    audience: 'a',
    algorithms: [algorithm],
    teamClaim: 'team',
    clockToleranceMs: 0,
    maxAgeMs: 1e7,
    bound: false,
  };
  return {
    check: () => createJwtCheck(options, keysFromFile(path, clock, log), clock),
    tokens: (n, thumbprint) =>
      Promise.all(
        Array.from({ length: n }, (_, i) =>
          new SignJWT({
            team: 'shop',
            jti: String(i),
            ...(thumbprint === undefined ? {} : { cnf: { 'x5t#S256': thumbprint } }),
          })
            .setProtectedHeader({ alg: algorithm, kid: 'k' })
            .setIssuer('i')
            .setAudience('a')
            .setIssuedAt()
            .setExpirationTime('1h')
            .sign(privateKey),
        ),
      ),
  };
}

const rows: (string | number)[][] = [];
const token = admissionOf({ auth: createAuth('token') });
rows.push(['token of the instance', await cost(token, [bearer('token')], calls), '']);

const key = keyOf(randomBytes(32));
const others = Array.from({ length: 1000 }, (_, i) =>
  keyLine({ name: `k${i}`, team: 't', hash: hashOf(`${i}`), created: '', rate: { spans: 0, bytes: 0 } }),
);
const keysPath = join(dir, 'keys');
writeFileSync(
  keysPath,
  others.join('') +
    keyLine({ name: 'mine', team: 'shop', hash: hashOf(key), created: '', rate: { spans: 1e9, bytes: 0 } }),
);
const keys = watchFiles({
  what: 'keys',
  paths: [keysPath],
  read: ([text]) => createKeyRing(parseKeys(String(text))),
  clock,
  log,
});
rows.push(['API key, one of 1,001, with a rate', await cost(admissionOf({ keys }), [bearer(key)], calls), '']);

for (const algorithm of ['EdDSA', 'ES256', 'RS256']) {
  const jwt = await jwtOf(algorithm);
  const fresh = (await jwt.tokens(newOnes)).map((each) => bearer(each));
  const uncached = await cost(admissionOf({ jwt: jwt.check() }), fresh, newOnes);
  const cached = admissionOf({ jwt: jwt.check() });
  await cached.admit(fresh[0] as Credentials);
  rows.push([`JWT, ${algorithm}`, await cost(cached, fresh.slice(0, 1), calls), uncached]);
}

const root = createAuthority(dir);
const leaf = root.leaf('cart', { san: 'URI:spiffe://prod/cart' });
const peer = { der: new X509Certificate(leaf.cert).raw, issuers: [] };
const authorities = readPemCertificates(readFileSync(root.certFile, 'utf8'));
const list = readRevocationLists(readFileSync(root.crl()), authorities);
const certificates = createCertificateCheck({
  rules: [{ san: 'spiffe://prod/*', team: 'shop' }],
  authorities: () => authorities,
  revocations: () => list,
  ocsp: undefined,
  clock,
});
const forgetting: CertificateCheck = {
  check: (each) => (certificates.reset(), certificates.check(each)),
  reset: certificates.reset,
};
const shown = [{ authorization: undefined, certificate: peer }];
rows.push([
  'client certificate, revocation list',
  await cost(admissionOf({ certificates }), shown, calls),
  await cost(admissionOf({ certificates: forgetting }), shown, newOnes),
]);
const bound = await jwtOf('ES256');
const both = (await bound.tokens(newOnes, thumbprintOf(peer.der))).map((each) => bearer(each, peer));
const together = admissionOf({ certificates, jwt: bound.check() });
const first = await cost(together, both, newOnes);
rows.push(['client certificate and bound JWT, ES256', await cost(together, both.slice(-1), calls), first]);
printTable(['CPU us a call', 'remembered', 'new'], rows);
rmSync(dir, { recursive: true });

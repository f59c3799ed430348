import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fetch } from '../../../ingest/auth/fetch.ts';
import { fetchBytes } from '../../../ingest/auth/fetch.ts';
import { createOcspCheck, type OcspCheck } from '../../../ingest/auth/ocsp.ts';
import { type CertificateFacts, readPemCertificates } from '../../../ingest/auth/x509.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { type Authority, createAuthority, type Leaf } from '../../support/pki.ts';
import { agentOf, call, openTestDoor } from './tls-door.ts';

let dir: string;
let root: Authority;
let issuer: CertificateFacts;
let port: number;
let url: string;
let responder: ChildProcess;
let clock: FakeClock;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-ocsp-'));
  root = createAuthority(dir);
  issuer = factsOf({ certFile: root.certFile });
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
  clock = new FakeClock(Date.now());
});
afterAll(() => rmSync(dir, { recursive: true }));

function factsOf({ certFile }: { certFile: string }): CertificateFacts {
  const [facts] = readPemCertificates(readFileSync(certFile, 'utf8'));
  if (facts === undefined) throw new Error('no certificate');
  return facts;
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}

/** The responder of openssl, which reads the authority's index at its start. */
async function withResponder(signer: Leaf, run: () => Promise<void>, more: string[] = []): Promise<void> {
  responder = spawn(
    'openssl',
    [
      'ocsp',
      '-port',
      String(port),
      '-index',
      root.indexFile,
      '-CA',
      root.certFile,
      '-rsigner',
      signer.certFile,
      '-rkey',
      signer.keyFile,
      ...more,
    ],
    { stdio: 'pipe' },
  );
  const exited = new Promise((resolve) => responder.once('exit', resolve));
  try {
    await new Promise<void>((resolve) => {
      for (const stream of [responder.stdout, responder.stderr])
        stream?.on('data', (chunk) => void (/waiting for OCSP client|ACCEPT/.test(String(chunk)) && resolve()));
    });
    await run();
  } finally {
    responder.kill('SIGKILL');
    await exited;
  }
}

function checkOf(
  policy: 'soft' | 'hard',
  fetch: Fetch = fetchBytes,
): { check: OcspCheck; asked(): number; log: ReturnType<typeof memoryLog> } {
  let count = 0;
  const counting: Fetch = (request) => {
    count += 1;
    return fetch(request);
  };
  const log = memoryLog();
  return {
    check: createOcspCheck({ policy, url: undefined, fetch: counting, nonce: () => randomBytes(16), clock, log }),
    asked: () => count,
    log,
  };
}

const status = async (check: OcspCheck, leaf: Leaf): Promise<string> => {
  try {
    await check(factsOf(leaf), issuer);
    return 'passes';
  } catch (error) {
    return (error as { reason: string }).reason;
  }
};

test('a real responder: good passes, revoked does not; each is asked for once until its answer runs out', async () => {
  const signer = root.leaf('signer', { usage: 'OCSPSigning' });
  const [good, bad] = [root.leaf('good', { ocspUrl: url }), root.leaf('bad', { ocspUrl: url })];
  root.revoke(bad);
  const { check, asked, log } = checkOf('hard');
  await withResponder(signer, async () => {
    for (let round = 0; round < 3; round++) {
      expect(await status(check, good)).toBe('passes');
      expect(await status(check, bad)).toBe('certificate_revoked');
    }
    expect([asked(), log.lines]).toEqual([2, []]);
  }, ['-nmin', '30']);
  // The responder is gone; what it said holds until it runs out.
  await clock.advance(20 * 60_000);
  expect(await status(check, good)).toBe('passes');
  await clock.advance(11 * 60_000);
  expect(await status(check, good)).toBe('certificate_status_unknown');
}, 30_000);

test('an answer of somebody else’s signer counts for nothing', async () => {
  const signer = createAuthority(dir, 'foreign').leaf('signer', { usage: 'OCSPSigning' });
  const notASigner = root.leaf('client-signer', { usage: 'clientAuth' });
  const leaf = root.leaf('third', { ocspUrl: url });
  for (const wrong of [signer, notASigner]) {
    await withResponder(wrong, async () => {
      expect(await status(checkOf('hard').check, leaf)).toBe('certificate_status_unknown');
      const { check, log } = checkOf('soft');
      expect(await status(check, leaf)).toBe('passes');
      expect(log.lines[0]?.fields['reason']).toMatch(/not signed by the issuer/);
    });
  }
}, 30_000);

test('no responder: soft lets pass, hard does not, and it is left alone for half a minute', async () => {
  const leaf = root.leaf('alone', { ocspUrl: url });
  const [soft, hard] = [checkOf('soft'), checkOf('hard')];
  for (let round = 0; round < 3; round++) {
    expect(await status(soft.check, leaf)).toBe('passes');
    expect(await status(hard.check, leaf)).toBe('certificate_status_unknown');
  }
  expect([soft.asked(), hard.asked()]).toEqual([1, 1]);
  await clock.advance(30_000);
  await status(soft.check, leaf);
  expect(soft.asked()).toBe(2);
  expect(await status(hard.check, root.leaf('mute'))).toBe('certificate_status_unknown');
});

test('an answer that is replayed is for another question', async () => {
  const signer = root.leaf('signer-2', { usage: 'OCSPSigning' });
  const leaf = root.leaf('replayed', { ocspUrl: url });
  let kept: Buffer | undefined;
  const replaying: Fetch = async (request) => (kept ??= await fetchBytes(request));
  await withResponder(signer, async () => {
    expect(await status(checkOf('hard', replaying).check, leaf)).toBe('passes');
  });
  expect(await status(checkOf('hard', replaying).check, leaf)).toBe('certificate_status_unknown');
  const { check, log } = checkOf('hard', replaying);
  await status(check, leaf);
  expect(log.lines[0]?.fields['reason']).toMatch(/nonce/);
}, 30_000);

test('at the door: revoked by the responder alone, while the connection lives', async () => {
  const signer = root.leaf('signer-3', { usage: 'OCSPSigning' });
  const server = root.leaf('server', { san: 'DNS:localhost', usage: 'serverAuth' });
  const leaf = root.leaf('cart', { san: 'URI:spiffe://prod/cart', ocspUrl: url });
  const door = await openTestDoor(
    {
      'tls.certFile': server.certFile,
      'tls.keyFile': server.keyFile,
      'tls.clientCaFile': root.certFile,
      'tls.ocsp': 'hard',
      'auth.certificates': '[{ san: "spiffe://prod/*", team: shop }]',
    },
    clock,
  );
  const agent = agentOf(leaf, root.certFile);
  await withResponder(signer, async () => expect((await call(door.url, agent)).status).toBe(200));
  root.revoke(leaf);
  await clock.advance(300_000);
  await withResponder(signer, async () => {
    const answer = await call(door.url, agent);
    expect([answer.status, door.refusals()]).toEqual([401, { certificate_revoked: 1 }]);
  });
  await door.close();
}, 30_000);

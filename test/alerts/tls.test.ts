/** Certificates are verified: a receiver that cannot prove its name is not told. */
import { createSign, generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createPost } from '../../app/alerts/post.ts';
import { systemClock } from '../../core/clock.ts';

const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const oid = (hex: string): Buffer => der(6, Buffer.from(hex, 'hex'));

/** A certificate for localhost that nobody but itself has signed. */
function selfSigned(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(0x30, oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const name = der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from('localhost')))));
  const validity = der(0x30, der(0x17, Buffer.from('250101000000Z')), der(0x17, Buffer.from('491231000000Z')));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const body = der(0x30, der(2, Buffer.from([1])), algorithm, name, validity, name, spki);
  const signature = createSign('sha256').update(body).sign(privateKey);
  const cert = der(0x30, body, algorithm, der(3, Buffer.from([0]), signature)).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${cert}\n-----END CERTIFICATE-----\n`,
  };
}

test('a certificate that nobody vouches for is no receiver', async () => {
  let asked = 0;
  const server: Server = createServer(selfSigned(), (_, response) => {
    asked += 1;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
  const request = { url, headers: {}, body: Buffer.from('{}') };
  const result = await createPost(systemClock)(request, new AbortController().signal);
  expect(result).toMatchObject({ kind: 'unreachable', reason: expect.stringMatching(/self-signed certificate/) });
  expect(asked).toBe(0);
  server.closeAllConnections();
  server.close();
});

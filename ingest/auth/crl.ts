/** Certificate revocation lists (RFC 5280), read into a set that a call can look into. */
import { child, children, type Der, expectTag, integerHex, readDer, TAG, timeMs } from './der.ts';
import { isSignedBy } from './signed.ts';
import type { CertificateFacts } from './x509.ts';

export interface RevocationList {
  /** `issuer:serial`, as `revocationKey` writes it. */
  revoked: ReadonlySet<string>;
  /** When a newer list was due; Infinity where it says nothing. */
  nextUpdateMs: number;
}

export function revocationKey({ issuer, serial }: { issuer: string; serial: string }): string {
  return `${issuer}:${serial}`;
}

/** Reads PEM (one list or several) or one DER list. Throws where one is broken or not signed by one of `authorities`. */
export function readRevocationLists(bytes: Buffer, authorities: readonly CertificateFacts[]): RevocationList {
  const pem = bytes.toString('latin1').match(/-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g);
  const lists = pem?.map((block) => Buffer.from(block.replace(/-----[^-]+-----/g, ''), 'base64')) ?? [bytes];
  const revoked = new Set<string>();
  let nextUpdateMs = Number.POSITIVE_INFINITY;
  for (const list of lists) nextUpdateMs = Math.min(nextUpdateMs, readList(readDer(list), authorities, revoked));
  return { revoked, nextUpdateMs };
}

function readList(list: Der, authorities: readonly CertificateFacts[], revoked: Set<string>): number {
  const [content, algorithm, signature] = children(expectTag(list, TAG.SEQUENCE));
  const fields = children(expectTag(content, TAG.SEQUENCE));
  if (fields[0]?.tag === TAG.INTEGER) fields.shift(); // the version
  const issuer = Buffer.from(expectTag(fields[1], TAG.SEQUENCE).whole).toString('hex');
  const isSigned = authorities.some(
    ({ subject, certificate }) =>
      subject === issuer &&
      isSignedBy(expectTag(content), expectTag(algorithm), expectTag(signature), certificate.publicKey),
  );
  if (!isSigned) throw new Error('a list in it is not signed by a certificate of tls.clientCaFile');
  const rest = fields.slice(3);
  const next = rest[0]?.tag === TAG.UTC_TIME || rest[0]?.tag === TAG.GENERALIZED_TIME ? rest.shift() : undefined;
  const entries = rest[0]?.tag === TAG.SEQUENCE ? children(rest[0]) : [];
  for (const entry of entries) revoked.add(revocationKey({ issuer, serial: integerHex(child(entry, 0, TAG.INTEGER)) }));
  return next === undefined ? Number.POSITIVE_INFINITY : timeMs(next);
}

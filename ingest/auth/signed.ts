/** What certificates, revocation lists and OCSP answers have in common: signed content, an algorithm, a signature. */
import { type KeyObject, verify } from 'node:crypto';
import { bitOctets, child, type Der, expectTag, oidText, TAG } from './der.ts';

/** Digest by the OID of the signature's algorithm; null where the algorithm has its own. SHA-1 and MD5 are not among them. */
const DIGESTS: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
  '1.3.101.113': null,
};

/** Whether `signature` (BIT STRING) over `content` was made by `key`; false too for an algorithm that is not taken. */
export function isSignedBy(content: Der, algorithm: Der, signature: Der, key: KeyObject): boolean {
  const digest = DIGESTS[oidText(child(algorithm, 0, TAG.OID))];
  if (digest === undefined) return false;
  try {
    return verify(digest, content.whole, key, bitOctets(expectTag(signature, TAG.BIT_STRING)));
  } catch {
    return false; // a key of another kind than the algorithm
  }
}

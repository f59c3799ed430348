/** The two messages of OCSP (RFC 6960): the question about one certificate, and the answer held against it. */
import { createHash, type KeyObject, timingSafeEqual, X509Certificate } from 'node:crypto';
import {
  bitOctets,
  child,
  children,
  type Der,
  expectTag,
  integerHex,
  oidText,
  readDer,
  TAG,
  timeMs,
  writeDer,
} from './der.ts';
import { isSignedBy } from './signed.ts';
import type { CertificateFacts } from './x509.ts';

export interface OcspAnswer {
  status: 'good' | 'revoked' | 'unknown';
  /** Unix ms; undefined where the responder has newer information at any time. */
  nextUpdateMs: number | undefined;
}

const SHA1 = Buffer.from('300906052b0e03021a0500', 'hex');
const NONCE_OID = Buffer.from('06092b0601050507300102', 'hex');
const BASIC = '1.3.6.1.5.5.7.48.1.1';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const STATUS_TAGS: Readonly<Record<number, OcspAnswer['status']>> = { 0x80: 'good', 0xa1: 'revoked', 0x82: 'unknown' };
/** Clocks of responders may be this far ahead of ours. */
const SKEW_MS = 300_000;

/** SHA-1 names the issuer here and protects nothing: it is what every responder understands. */
function certId(subject: CertificateFacts, issuer: CertificateFacts): Buffer {
  const key = child(readDer(issuer.certificate.publicKey.export({ type: 'spki', format: 'der' })), 1, TAG.BIT_STRING);
  const sha1 = (bytes: Uint8Array): Buffer => createHash('sha1').update(bytes).digest();
  return writeDer(
    TAG.SEQUENCE,
    SHA1,
    writeDer(TAG.OCTET_STRING, sha1(Buffer.from(issuer.subject, 'hex'))),
    writeDer(TAG.OCTET_STRING, sha1(bitOctets(key))),
    writeDer(TAG.INTEGER, serialOctets(subject)),
  );
}

function serialOctets({ serial }: CertificateFacts): Buffer {
  const octets = Buffer.from(serial, 'hex');
  return (octets[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), octets]) : octets;
}

/** The question whether `subject` is revoked. */
export function encodeOcspRequest(subject: CertificateFacts, issuer: CertificateFacts, nonce: Uint8Array): Buffer {
  const sequence = (...parts: Uint8Array[]): Buffer => writeDer(TAG.SEQUENCE, ...parts);
  const extension = sequence(NONCE_OID, writeDer(TAG.OCTET_STRING, writeDer(TAG.OCTET_STRING, nonce)));
  const request = sequence(sequence(certId(subject, issuer)));
  return sequence(sequence(request, writeDer(0xa2, sequence(extension))));
}

/** Reads an answer. Throws with the reason where it is none, not signed by the issuer or its delegate, about another certificate or out of date. */
export function readOcspResponse(
  bytes: Uint8Array,
  subject: CertificateFacts,
  issuer: CertificateFacts,
  nonce: Uint8Array,
  nowMs: number,
): OcspAnswer {
  const [status, body] = children(expectTag(readDer(bytes), TAG.SEQUENCE));
  if (status?.tag !== TAG.ENUMERATED || status.content[0] !== 0 || body === undefined)
    throw new Error(`the responder answers with status ${status?.content[0] ?? 'none'}`);
  const [type, value] = children(child(body, 0, TAG.SEQUENCE));
  if (type === undefined || oidText(type) !== BASIC) throw new Error('the answer is of an unknown type');
  const [data, algorithm, signature, certificates] = children(readDer(expectTag(value, TAG.OCTET_STRING).content));
  const keys = [issuer.certificate.publicKey, ...delegates(certificates, issuer, nowMs)];
  if (!keys.some((key) => isSignedBy(expectTag(data), expectTag(algorithm), expectTag(signature), key)))
    throw new Error('the answer is not signed by the issuer or a responder of its own');
  const fields = children(expectTag(data, TAG.SEQUENCE));
  // The name of the responder, before the answers, may carry the same tag as the extensions behind them.
  const at = fields.findIndex(({ tag }) => tag === TAG.SEQUENCE);
  checkNonce(
    fields.slice(at + 1).find(({ tag }) => tag === 0xa1),
    nonce,
  );
  const answers = children(expectTag(fields[at]));
  const mine = answers.find((answer) => isAbout(child(answer, 0, TAG.SEQUENCE), certId(subject, issuer)));
  if (mine === undefined) throw new Error('the answer is about another certificate');
  return readSingle(mine, nowMs);
}

function isAbout(id: Der, wanted: Buffer): boolean {
  const [, names, keys, serial] = children(id);
  const [, wantedNames, wantedKeys, wantedSerial] = children(readDer(wanted));
  const same = (a: Der | undefined, b: Der | undefined): boolean =>
    a !== undefined && b !== undefined && Buffer.compare(a.content, b.content) === 0;
  return (
    same(names, wantedNames) &&
    same(keys, wantedKeys) &&
    integerHex(expectTag(serial)) === integerHex(expectTag(wantedSerial))
  );
}

function readSingle(single: Der, nowMs: number): OcspAnswer {
  const [, state, thisUpdate, ...rest] = children(single);
  const status = STATUS_TAGS[state?.tag ?? -1];
  if (status === undefined) throw new Error('the answer holds no status');
  if (timeMs(expectTag(thisUpdate, TAG.GENERALIZED_TIME)) > nowMs + SKEW_MS)
    throw new Error('the answer is from the future');
  const next = rest.find(({ tag }) => tag === 0xa0);
  const nextUpdateMs = next === undefined ? undefined : timeMs(child(next, 0, TAG.GENERALIZED_TIME));
  if (nextUpdateMs !== undefined && nextUpdateMs < nowMs) throw new Error('the answer is out of date');
  return { status, nextUpdateMs };
}

/** A responder may leave the nonce out; one that answers with another is answering somebody else. */
function checkNonce(extensions: Der | undefined, nonce: Uint8Array): void {
  if (extensions === undefined) return;
  for (const extension of children(child(extensions, 0, TAG.SEQUENCE))) {
    const parts = children(extension);
    if (Buffer.compare(parts[0]?.whole ?? new Uint8Array(), NONCE_OID) !== 0) continue;
    const answered = readDer(expectTag(parts.at(-1)).content).content;
    if (answered.length !== nonce.length || !timingSafeEqual(answered, nonce)) throw new Error('the nonce is another');
  }
}

/** Keys of the certificates in the answer that the issuer made for signing such answers. */
function delegates(certificates: Der | undefined, issuer: CertificateFacts, nowMs: number): KeyObject[] {
  if (certificates === undefined) return [];
  return children(child(certificates, 0, TAG.SEQUENCE))
    .map(({ whole }) => new X509Certificate(whole))
    .filter(
      (each) =>
        each.checkIssued(issuer.certificate) &&
        each.verify(issuer.certificate.publicKey) &&
        (each.keyUsage ?? []).includes(OCSP_SIGNING) &&
        Date.parse(each.validFrom) <= nowMs &&
        nowMs <= Date.parse(each.validTo),
    )
    .map((each) => each.publicKey);
}

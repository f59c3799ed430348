/** What Heliograph wants to know of a certificate, read once and kept: names from the bytes themselves, not from rendered text. */
import { createHash, X509Certificate } from 'node:crypto';
import { child, children, type Der, integerHex, oidText, readDer, TAG } from './der.ts';

export interface CertificateFacts {
  /** base64url of SHA-256 over the DER: the claim `cnf.x5t#S256` of a token that is bound to it (RFC 8705). */
  thumbprint: string;
  certificate: X509Certificate;
  /** Lower hex, no leading zeroes. */
  serial: string;
  /** DER of the issuer's name, hex. */
  issuer: string;
  subject: string;
  /** Unix ms, inclusive. */
  notBeforeMs: number;
  notAfterMs: number;
  dnsNames: readonly string[];
  uris: readonly string[];
  /** Of the authority information access; undefined where it names none. */
  ocspUrl: string | undefined;
}

const SUBJECT_ALT_NAME = '2.5.29.17';
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;
const URI = 0x86;

/** Reads a certificate. Throws where it is not one. */
export function readCertificate(der: Uint8Array): CertificateFacts {
  const certificate = new X509Certificate(der);
  const fields = children(child(readDer(der), 0, TAG.SEQUENCE));
  if (fields[0]?.tag === 0xa0) fields.shift(); // the version
  const [serial, , issuer, , subject, , ...rest] = fields;
  if (serial === undefined || issuer === undefined || subject === undefined) throw new RangeError('not a certificate');
  const names = alternativeNames(rest.find(({ tag }) => tag === EXTENSIONS));
  return {
    thumbprint: thumbprintOf(der),
    certificate,
    serial: integerHex(serial),
    issuer: hexOf(issuer),
    subject: hexOf(subject),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
    dnsNames: names.filter(({ tag }) => tag === DNS_NAME).map(textOf),
    uris: names.filter(({ tag }) => tag === URI).map(textOf),
    ocspUrl: /^OCSP - URI:(\S+)$/m.exec(certificate.infoAccess ?? '')?.[1],
  };
}

export function thumbprintOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('base64url');
}

/** Every certificate of a PEM text. Throws where there is none or one cannot be read. */
export function readPemCertificates(pem: string): CertificateFacts[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('there is no PEM certificate in it');
  return blocks.map((block) => readCertificate(new X509Certificate(block).raw));
}

function hexOf({ whole }: Der): string {
  return Buffer.from(whole).toString('hex');
}

/** A name with anything but printable ASCII in it matches no rule: it is read as nothing. */
function textOf({ content }: Der): string {
  const text = Buffer.from(content).toString('latin1');
  return /^[\x21-\x7e]+$/.test(text) ? text : '';
}

function alternativeNames(extensions: Der | undefined): Der[] {
  if (extensions === undefined) return [];
  for (const extension of children(child(extensions, 0, TAG.SEQUENCE))) {
    const parts = children(extension);
    const [id, value] = [parts[0], parts.at(-1)];
    if (id === undefined || value === undefined || oidText(id) !== SUBJECT_ALT_NAME) continue;
    return children(readDer(value.content));
  }
  return [];
}

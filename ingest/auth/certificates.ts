/** Whether the certificate of a connection still lets its sender write: asked for every call, as connections outlast what was true at their beginning. */
import { HeliographError } from '../../core/errors.ts';
import type { Clock, Sender } from '../../core/ports.ts';
import { type RevocationList, revocationKey } from './crl.ts';
import type { OcspCheck } from './ocsp.ts';
import type { Rate } from './rate.ts';
import { createRecent } from './recent.ts';
import { type CertificateFacts, readCertificate, thumbprintOf } from './x509.ts';

/** A certificate as a door hands it over; TLS has verified it when the connection began. */
export interface PeerCertificate {
  der: Uint8Array;
  /** Of those that the peer sent with it, nearest first; absent where the door cannot tell. */
  issuers?: readonly Uint8Array[];
}

/** Who may write with a certificate that carries a name like `san`. */
export interface CertificateRule {
  /** `spiffe://prod/*` (any path below) or `*.ingest.example.com` (one label). */
  san: string;
  team: string;
  spansPerSecond?: number | undefined;
  bytesPerSecond?: number | undefined;
}

export interface CertifiedSender {
  sender: Sender;
  rate: Rate | undefined;
  thumbprint: string;
}

export interface CertificateCheck {
  /** Throws `unauthenticated` or `forbidden`, with a reason. */
  check(peer: PeerCertificate | undefined): CertifiedSender | Promise<CertifiedSender>;
  /** New certificates of authorities: what was worked out with the old ones is forgotten. */
  reset(): void;
}

export interface CertificateDeps {
  rules: readonly CertificateRule[];
  authorities(): readonly CertificateFacts[];
  revocations(): RevocationList | undefined;
  ocsp: OcspCheck | undefined;
  clock: Clock;
}

interface Judged {
  facts: CertificateFacts;
  /** Issuers as far as they are known, nearest first; ends with one of the authorities where `isTrusted`. */
  chain: readonly CertificateFacts[];
  isTrusted: boolean;
  granted: CertifiedSender | undefined;
}

const CAPACITY = 10_000;
const MAX_CHAIN = 8;

export function createCertificateCheck(deps: CertificateDeps): CertificateCheck {
  const rules = deps.rules.map((rule) => ({ rule, matches: matcherOf(rule.san) }));
  const judged = createRecent<Judged>(CAPACITY);
  const judge = (peer: PeerCertificate): Judged => {
    const id = `${thumbprintOf(peer.der)}${peer.issuers === undefined ? '' : '+'}`;
    const known = judged.get(id);
    if (known !== undefined) return known;
    const facts = readCertificate(peer.der);
    const { chain, isTrusted } = chainOf(facts, deps.authorities(), (peer.issuers ?? []).map(readCertificate));
    const found = { facts, chain, isTrusted: isTrusted || peer.issuers === undefined, granted: grant(facts, rules) };
    judged.set(id, found);
    return found;
  };
  return {
    reset: () => judged.clear(),
    check(peer) {
      if (peer === undefined) throw refused('certificate_missing', 'a client certificate is asked for');
      const { facts, chain, isTrusted, granted } = judge(peer);
      const nowMs = deps.clock.nowMs();
      if (nowMs < facts.notBeforeMs)
        throw refused('certificate_not_yet_valid', 'the client certificate is not valid yet');
      if (nowMs > facts.notAfterMs) throw refused('certificate_expired', 'the client certificate has expired');
      if (!isTrusted)
        throw refused('certificate_untrusted', 'no authority of tls.clientCaFile stands behind the client certificate');
      const revoked = deps.revocations()?.revoked;
      if (revoked !== undefined && [facts, ...chain].some((each) => revoked.has(revocationKey(each))))
        throw refused('certificate_revoked', 'the client certificate, or one above it, is on the revocation list');
      if (granted === undefined)
        throw new HeliographError(
          'forbidden',
          'no rule of auth.certificates matches a name in the client certificate',
          {
            reason: 'certificate_not_allowed',
          },
        );
      const status = deps.ocsp?.(facts, chain[0]);
      return status === undefined ? granted : status.then(() => granted);
    },
  };
}

function chainOf(
  leaf: CertificateFacts,
  authorities: readonly CertificateFacts[],
  sent: readonly CertificateFacts[],
): { chain: CertificateFacts[]; isTrusted: boolean } {
  const chain: CertificateFacts[] = [];
  const isIssuerOf = (below: CertificateFacts) => (each: CertificateFacts) =>
    below.certificate.checkIssued(each.certificate) && below.certificate.verify(each.certificate.publicKey);
  for (let at = leaf; chain.length < MAX_CHAIN; ) {
    const authority = authorities.find(isIssuerOf(at));
    if (authority !== undefined) {
      chain.push(authority);
      if (authority.subject === authority.issuer || authority === at) return { chain, isTrusted: true };
      at = authority; // an intermediate of the file: the one above it may be there too
      continue;
    }
    const next = sent.find(isIssuerOf(at));
    if (next === undefined || next.thumbprint === at.thumbprint) break;
    chain.push(next);
    at = next;
  }
  return { chain, isTrusted: chain.some((each) => authorities.includes(each)) };
}

type CompiledRule = { rule: CertificateRule; matches(facts: CertificateFacts): string | undefined };

/** The first rule that matches counts. */
function grant(facts: CertificateFacts, rules: readonly CompiledRule[]): CertifiedSender | undefined {
  for (const { rule, matches } of rules) {
    const name = matches(facts);
    if (name === undefined) continue;
    const { team, spansPerSecond = 0, bytesPerSecond = 0 } = rule;
    const rate = spansPerSecond + bytesPerSecond > 0 ? { spans: spansPerSecond, bytes: bytesPerSecond } : undefined;
    return { sender: { team, key: `cert:${name}` }, rate, thumbprint: facts.thumbprint };
  }
  return undefined;
}

/** A pattern with a scheme is held against URIs alone, any other against DNS names alone. */
function matcherOf(pattern: string): (facts: CertificateFacts) => string | undefined {
  const isUri = pattern.includes('://');
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
    .join(isUri ? '.*' : '[^.]*');
  const whole = new RegExp(`^${source}$`, isUri ? '' : 'i');
  return ({ uris, dnsNames }) => (isUri ? uris : dnsNames).find((name) => name !== '' && whole.test(name));
}

function refused(reason: string, message: string): HeliographError {
  return new HeliographError('unauthenticated', message, { reason });
}

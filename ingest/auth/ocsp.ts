/** Whether a certificate's issuer has taken it back, asked of its responder and remembered until the answer runs out. */
import { HeliographError } from '../../core/errors.ts';
import type { Clock, Log } from '../../core/ports.ts';
import { type Fetch, reasonOf } from './fetch.ts';
import { encodeOcspRequest, type OcspAnswer, readOcspResponse } from './ocsp-message.ts';
import { createRecent } from './recent.ts';
import type { CertificateFacts } from './x509.ts';

export interface OcspDeps {
  /** soft: what cannot be known passes; hard: only `good` passes. */
  policy: 'soft' | 'hard';
  /** Asked instead of the responder that the certificate names. */
  url: string | undefined;
  fetch: Fetch;
  /** 16 fresh bytes. */
  nonce(): Uint8Array;
  clock: Clock;
  log: Log;
}

/** Resolves where the certificate may be used. Throws `unauthenticated` with a reason otherwise. Never called in a handshake. */
export type OcspCheck = (subject: CertificateFacts, issuer: CertificateFacts | undefined) => void | Promise<void>;

interface Known {
  status: OcspAnswer['status'] | 'unavailable';
  untilMs: number;
}

const CAPACITY = 10_000;
const TIMEOUT_MS = 3000;
const MAX_BYTES = 65_536;
/** An answer without an end, and the longest that one with an end is believed. */
const DEFAULT_LIFE_MS = 300_000;
const LONGEST_LIFE_MS = 86_400_000;
/** A responder that failed is left alone for this long. */
const RETRY_MS = 30_000;

export function createOcspCheck(deps: OcspDeps): OcspCheck {
  const { policy, clock } = deps;
  const known = createRecent<Known>(CAPACITY);
  const asking = new Map<string, Promise<Known>>();
  const ask = async (subject: CertificateFacts, issuer: CertificateFacts | undefined): Promise<Known> => {
    const found = await askResponder(deps, subject, issuer);
    known.set(subject.thumbprint, found);
    asking.delete(subject.thumbprint);
    return found;
  };
  const judge = ({ status }: Known): void => {
    if (status === 'good' || (status !== 'revoked' && policy === 'soft')) return;
    const reason = status === 'revoked' ? 'certificate_revoked' : 'certificate_status_unknown';
    throw new HeliographError('unauthenticated', `the issuer of the client certificate says: ${status}`, { reason });
  };
  return (subject, issuer) => {
    const last = known.get(subject.thumbprint);
    if (last !== undefined && clock.nowMs() < last.untilMs) return judge(last);
    const question = asking.get(subject.thumbprint) ?? ask(subject, issuer);
    asking.set(subject.thumbprint, question);
    return question.then(judge);
  };
}

async function askResponder(
  { url: configured, fetch, nonce: draw, clock, log }: OcspDeps,
  subject: CertificateFacts,
  issuer: CertificateFacts | undefined,
): Promise<Known> {
  const url = configured ?? subject.ocspUrl;
  const unavailable = (reason: string): Known => {
    log.warn({ serial: subject.serial, reason }, 'OCSP status of a client certificate not known');
    return { status: 'unavailable', untilMs: clock.nowMs() + RETRY_MS };
  };
  if (issuer === undefined) return unavailable('its issuer is not in tls.clientCaFile');
  if (url === undefined) return unavailable('it names no responder and tls.ocspUrl is not set');
  try {
    const nonce = draw();
    const body = { bytes: encodeOcspRequest(subject, issuer, nonce), type: 'application/ocsp-request' };
    const answer = await fetch({ url, body, maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS });
    const nowMs = clock.nowMs();
    const { status, nextUpdateMs } = readOcspResponse(answer, subject, issuer, nonce, nowMs);
    return { status, untilMs: Math.min(nextUpdateMs ?? nowMs + DEFAULT_LIFE_MS, nowMs + LONGEST_LIFE_MS) };
  } catch (error) {
    return unavailable(reasonOf(error));
  }
}

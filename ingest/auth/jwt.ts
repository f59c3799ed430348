/** Bearer tokens that an issuer signs (RFC 7519): verified once, remembered by their hash for a minute at most. */
import { createHash } from 'node:crypto';
import type { JSONWebKeySet, JWTPayload } from 'jose';
import { HeliographError } from '../../core/errors.ts';
import type { Clock, Sender } from '../../core/ports.ts';
import type { KeySetSource } from './jwks.ts';
import { isName } from './keys.ts';
import { createRecent } from './recent.ts';

export interface JwtOptions {
  issuer: string;
  audience: string;
  algorithms: readonly string[];
  teamClaim: string;
  clockToleranceMs: number;
  maxAgeMs: number;
  /** Whether every token must be bound to the client certificate of its connection. */
  bound: boolean;
}

export interface JwtCheck {
  /** `thumbprint` is that of the client certificate. Throws `unauthenticated` with a reason. */
  verify(token: string, thumbprint: string | undefined): Promise<Sender>;
}

/** Proof that a token was right, or why it was not. */
type Verdict =
  | { sender: Sender; boundTo: string | undefined; untilMs: number }
  | { refusal: HeliographError; untilMs: number };

/** Longer ones are refused before they are hashed. */
const MAX_LENGTH = 8192;
const CAPACITY = 10_000;
const CACHE_MS = 60_000;
/** A wrong token that is sent again and again costs a signature once in this time. */
const REFUSED_CACHE_MS = 5000;

export function createJwtCheck(options: JwtOptions, source: KeySetSource, clock: Clock): JwtCheck {
  const known = createRecent<Verdict>(CAPACITY);
  let keysInUse: JSONWebKeySet | undefined;
  const judge = async (token: string, keys: JSONWebKeySet | undefined): Promise<Verdict> => {
    const nowMs = clock.nowMs();
    try {
      const payload = await verified(token, keys, options, source, nowMs);
      const untilMs = Math.min(nowMs + CACHE_MS, Number(payload.exp) * 1000 + options.clockToleranceMs);
      return { sender: senderOf(payload, options.teamClaim), boundTo: boundTo(payload), untilMs };
    } catch (error) {
      if (error instanceof HeliographError && error.code !== 'unauthenticated') throw error;
      return { refusal: asRefusal(error), untilMs: nowMs + REFUSED_CACHE_MS };
    }
  };
  return {
    async verify(token, thumbprint) {
      if (token.length > MAX_LENGTH)
        throw refused('jwt_oversized', `the token is longer than ${MAX_LENGTH} characters`);
      const keys = await source.keys();
      if (keys !== keysInUse) known.clear(); // whoever signed what was remembered may be gone
      keysInUse = keys;
      const hash = createHash('sha256').update(token).digest('base64url');
      let verdict = known.get(hash);
      if (verdict === undefined || clock.nowMs() >= verdict.untilMs) {
        verdict = await judge(token, keys);
        known.set(hash, verdict);
      }
      if ('refusal' in verdict) throw verdict.refusal;
      checkBinding(verdict.boundTo, thumbprint, options.bound);
      return verdict.sender;
    },
  };
}

async function verified(
  token: string,
  keys: JSONWebKeySet | undefined,
  options: JwtOptions,
  source: KeySetSource,
  nowMs: number,
): Promise<JWTPayload> {
  const { createLocalJWKSet, errors, jwtVerify } = await import('jose');
  const verify = async (with_: JSONWebKeySet | undefined): Promise<JWTPayload> => {
    if (with_ === undefined)
      throw new HeliographError('too_busy', 'the keys of the token issuer are not known yet', {
        retryAfterSeconds: 5,
        reason: 'jwks_unavailable',
      });
    const { payload } = await jwtVerify(token, createLocalJWKSet(with_), {
      issuer: options.issuer,
      audience: options.audience,
      algorithms: [...options.algorithms],
      requiredClaims: ['exp', 'iat'],
      clockTolerance: options.clockToleranceMs / 1000,
      maxTokenAge: options.maxAgeMs / 1000,
      currentDate: new Date(nowMs),
    });
    return payload;
  };
  try {
    return await verify(keys);
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    const newer = await source.keys(true);
    if (newer === keys) throw error;
    return verify(newer);
  }
}

function checkBinding(boundTo: string | undefined, thumbprint: string | undefined, mustBeBound: boolean): void {
  if (boundTo === undefined) {
    if (mustBeBound) throw refused('jwt_unbound', 'the token is not bound to a client certificate (cnf x5t#S256)');
    return;
  }
  if (boundTo !== thumbprint) throw refused('jwt_bound_to_another', 'the token is bound to another client certificate');
}

/** '' where the claim is there but not as RFC 8705 has it: that matches no certificate. */
function boundTo(payload: JWTPayload): string | undefined {
  const cnf = payload['cnf'];
  if (cnf === undefined) return undefined;
  const value = typeof cnf === 'object' && cnf !== null ? (cnf as Record<string, unknown>)['x5t#S256'] : undefined;
  return typeof value === 'string' ? value : '';
}

/** A subject may be a person's address: what is not a plain name stands as its hash. */
function senderOf(payload: JWTPayload, teamClaim: string): Sender {
  const team = payload[teamClaim];
  if (typeof team !== 'string' || !isName(team))
    throw refused('jwt_no_team', `the token's claim "${teamClaim}" names no team`);
  const subject = payload.sub ?? '';
  const key = isName(subject) ? subject : createHash('sha256').update(subject).digest('hex').slice(0, 12);
  return { team, key: `jwt:${key}` };
}

const REASONS: Readonly<Record<string, readonly [reason: string, message: string]>> = {
  ERR_JWT_EXPIRED: ['jwt_expired', 'the token has expired or is older than auth.jwt.maxAge'],
  ERR_JOSE_ALG_NOT_ALLOWED: [
    'jwt_algorithm',
    'the token is signed with an algorithm that auth.jwt.algorithms does not list',
  ],
  ERR_JWKS_NO_MATCHING_KEY: ['jwt_unknown_key', 'the token is signed with a key that the issuer does not publish'],
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: ['jwt_unknown_key', 'the token names no key (kid) and the issuer publishes several'],
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: ['jwt_signature', 'the signature of the token is wrong'],
};

function asRefusal(error: unknown): HeliographError {
  if (error instanceof HeliographError) return error;
  const { code = '', claim } = error as { code?: string; claim?: string };
  const known = REASONS[code];
  if (known !== undefined) return refused(...known);
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') {
    const name = String(claim);
    return refused(`jwt_claim_${name}`, `the token's claim "${name}" is missing or wrong`);
  }
  return refused('jwt_malformed', 'the token is not a JWT that can be verified');
}

function refused(reason: string, message: string): HeliographError {
  return new HeliographError('unauthenticated', message, { reason });
}

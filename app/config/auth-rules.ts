/** Rules between the settings of who may write. */
import type { Config } from './schema.ts';

/** What is wrong, one sentence each, beginning with the key. A key that was refused by itself is not blamed a second time. */
export function authRules({ auth, tls }: Config, refused: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const isSet = (key: string, value: unknown): boolean => value !== undefined || refused.has(key);
  const needs = (when: boolean, key: string, need: boolean, text: string): void => {
    if (when && !need) problems.push(`${key}: ${text}`);
  };
  const cert = isSet('tls.certFile', tls.certFile);
  const key = isSet('tls.keyFile', tls.keyFile);
  const clientCa = isSet('tls.clientCaFile', tls.clientCaFile);
  const needsCa = 'is refused without tls.clientCaFile, no client certificate is asked for';
  needs(cert, 'tls.certFile', key, 'is refused without tls.keyFile');
  needs(key, 'tls.keyFile', cert, 'is refused without tls.certFile');
  needs(clientCa, 'tls.clientCaFile', cert && key, 'is refused without tls.certFile and tls.keyFile');
  const hasRules = auth.certificates.length > 0 || refused.has('auth.certificates');
  needs(
    clientCa,
    'tls.clientCaFile',
    hasRules,
    'is refused without a rule in auth.certificates, nobody would be let in',
  );
  needs(auth.certificates.length > 0, 'auth.certificates', clientCa, needsCa);
  needs(tls.crlFile !== undefined, 'tls.crlFile', clientCa, needsCa);
  needs(tls.ocsp !== 'off', 'tls.ocsp', clientCa, needsCa);
  needs(auth.jwt.bound, 'auth.jwt.bound', clientCa, needsCa);
  const { issuer, audience, jwksUrl, jwksFile } = auth.jwt;
  const hasJwt = [issuer, audience, jwksUrl, jwksFile].some((value) => value !== undefined) || auth.jwt.bound;
  needs(hasJwt, 'auth.jwt.issuer', isSet('auth.jwt.issuer', issuer), 'is required where tokens are taken');
  needs(hasJwt, 'auth.jwt.audience', isSet('auth.jwt.audience', audience), 'is required where tokens are taken');
  const sources = [isSet('auth.jwt.jwksUrl', jwksUrl), isSet('auth.jwt.jwksFile', jwksFile)].filter(Boolean).length;
  needs(hasJwt, 'auth.jwt.jwksUrl', sources === 1, 'takes jwksUrl or jwksFile, one of the two');
  return problems;
}

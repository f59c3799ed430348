/** Every way in, as one admission: client certificate, then key, token of an issuer or token of the instance, then the budget. */
import { HeliographError } from '../../core/errors.ts';
import type { Clock, Sender } from '../../core/ports.ts';
import type { Admission, Credentials } from './admission.ts';
import type { Auth } from './token.ts';
import type { CertificateCheck, CertifiedSender } from './certificates.ts';
import type { JwtCheck } from './jwt.ts';
import { KEY_PREFIX, type KeyRing } from './keys.ts';
import type { Rate, RateBudgets } from './rate.ts';
import type { Watched } from './watched.ts';

export interface AdmitDeps {
  /** The token of the instance. */
  auth: Auth;
  keys: Watched<KeyRing> | undefined;
  jwt: JwtCheck | undefined;
  certificates: CertificateCheck | undefined;
  budgets: RateBudgets;
  /** Of senders that no key and no rule gives a rate of its own. */
  defaultRate: Rate;
  clock: Clock;
}

interface Admitted {
  sender: Sender;
  rate: Rate | undefined;
}

const ANYONE: Admitted = { sender: { team: '', key: '' }, rate: undefined };

/**
 * A certificate is asked for where there is a check for it. A bearer is asked for where keys or tokens of an issuer are set up, and
 * where the instance has a token and no certificate does its work; whoever shows certificate and bearer must be of one team in both.
 */
export function createAdmission(deps: AdmitDeps): Admission {
  const { auth, keys, jwt, certificates, budgets, defaultRate } = deps;
  const asksBearer = keys !== undefined || jwt !== undefined || (auth.required && certificates === undefined);
  return {
    async admit(credentials) {
      const certified = await certificates?.check(credentials.certificate);
      const bearer = asksBearer ? await checkBearer(deps, credentials, certified) : undefined;
      const { sender, rate } = together(bearer, certified);
      budgets.check(sender, rate ?? defaultRate);
      return sender;
    },
  };
}

async function checkBearer(
  { auth, keys, jwt }: AdmitDeps,
  { authorization }: Credentials,
  certified: CertifiedSender | undefined,
): Promise<Admitted> {
  const token = bearerOf(authorization);
  if (token === undefined)
    throw refused('bearer_missing', 'the request carries no "Authorization: Bearer" with a key or token');
  if (keys !== undefined && token.startsWith(KEY_PREFIX)) {
    const record = (await keys.fresh())?.find(token);
    if (record === undefined) throw refused('key_unknown', 'the API key is not, or no longer, one of auth.keysFile');
    return {
      sender: { team: record.team, key: record.name },
      rate: record.rate.spans + record.rate.bytes > 0 ? record.rate : undefined,
    };
  }
  if (auth.required && auth.allowsSecret(token)) return ANYONE;
  if (jwt !== undefined) return { sender: await jwt.verify(token, certified?.thumbprint), rate: undefined };
  throw new HeliographError('unauthenticated');
}

function together(bearer: Admitted | undefined, certified: CertifiedSender | undefined): Admitted {
  if (bearer === undefined || certified === undefined) return bearer ?? certified ?? ANYONE;
  const [named, held] = [bearer.sender.team, certified.sender.team];
  if (named !== '' && named !== held)
    throw new HeliographError('forbidden', 'the certificate and the key or token name different teams', {
      reason: 'team_mismatch',
    });
  if (named === '') return certified;
  return { sender: bearer.sender, rate: bearer.rate ?? certified.rate };
}

function bearerOf(header: string | undefined): string | undefined {
  const match = header === undefined ? null : /^bearer +(\S+) *$/i.exec(header);
  return match?.[1];
}

function refused(reason: string, message: string): HeliographError {
  return new HeliographError('unauthenticated', message, { reason });
}

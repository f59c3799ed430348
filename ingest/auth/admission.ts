/** Who may write through the OTLP doors, and as whom. */
import { HeliographError } from '../../core/errors.ts';
import type { Sender } from '../../core/ports.ts';
import type { PeerCertificate } from './certificates.ts';
import type { Auth } from './token.ts';

/** What a call shows of its sender. */
export interface Credentials {
  /** Value of the `authorization` header or metadata entry. */
  authorization: string | undefined;
  /** Verified client certificate of the connection; undefined on a plain one. */
  certificate: PeerCertificate | undefined;
}

/** Decides before a body is read. */
export interface Admission {
  /** Throws `unauthenticated`; `too_busy` where the sender's budget is spent. */
  admit(credentials: Credentials): Sender | Promise<Sender>;
}

const ANYONE: Sender = { team: '', key: '' };

/** The one token of the instance, or none: everybody it lets in is the same sender. */
export function admitByToken(auth: Auth): Admission {
  return {
    admit({ authorization }) {
      if (auth.allowsBearer(authorization)) return ANYONE;
      throw new HeliographError('unauthenticated');
    },
  };
}

/** Who may write and read: one token, compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Decides on the value of an `Authorization` header. */
export interface Auth {
  /** Whether a token is set at all; without one every header passes. */
  readonly required: boolean;
  /** `Bearer <token>`, for doors and scrapes. */
  allowsBearer(header: string | undefined): boolean;
  /** `Bearer <token>`, or `Basic` with the token as password and any user name, for people and SQL clients. */
  allows(header: string | undefined): boolean;
  /** The bare token, for clients that have a header or a field of their own for it. */
  allowsSecret(secret: string | undefined): boolean;
}

export function createAuth(token: string | undefined): Auth {
  if (token === undefined) {
    return { required: false, allowsBearer: () => true, allows: () => true, allowsSecret: () => true };
  }
  const expected = digest(token);
  // Digests have one length, so the comparison tells nothing of the token's.
  const matches = (candidate: string | undefined): boolean =>
    candidate !== undefined && timingSafeEqual(digest(candidate), expected);
  return {
    required: true,
    allowsBearer: (header) => matches(credentials(header, 'bearer')),
    allows: (header) => matches(credentials(header, 'bearer')) || matches(basicPassword(header)),
    allowsSecret: matches,
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function credentials(header: string | undefined, scheme: string): string | undefined {
  const space = header?.indexOf(' ') ?? -1;
  if (header === undefined || space === -1 || header.slice(0, space).toLowerCase() !== scheme) return undefined;
  return header.slice(space + 1).trim();
}

function basicPassword(header: string | undefined): string | undefined {
  const encoded = credentials(header, 'basic');
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon === -1 ? undefined : decoded.slice(colon + 1);
}

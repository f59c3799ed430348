// @ts-check
/** Signatures of webhooks, as GitHub and Heliograph write them: `sha256=` and the hex HMAC of the raw body. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The header's value for a body.
 * @param {string} secret
 * @param {string | Buffer} body the bytes as sent, never a body parsed and written again
 */
export function signatureOf(secret, body) {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/**
 * Whether a header signs a body. Takes the same time for every wrong header of the right length.
 * @param {string} secret
 * @param {string | Buffer} body
 * @param {string | undefined} header absent where the sender gave none
 */
export function isSigned(secret, body, header) {
  const expected = Buffer.from(signatureOf(secret, body));
  const given = Buffer.from(header ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

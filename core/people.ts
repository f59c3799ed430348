/**
 * People without their names: a pseudonym that only the holder of the key can compute, and the sealed record that only the
 * holder of the key can open. Two keys are derived, so that neither use tells anything of the other.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';

/** A name and an address as a source tells them; '' where it does not. */
export interface Person {
  name: string;
  email: string;
}

export interface People {
  /** 16 hex digits, the same for every spelling of an address; '' for a person of whom nothing is known. */
  pseudonymOf(person: Person): string;
  /** base64 of nonce, ciphertext and tag over the person; opens under the same pseudonym alone. */
  seal(pseudonym: string, person: Person): string;
  /** Undefined where the record was sealed with another key, for another pseudonym, or is damaged. */
  open(pseudonym: string, sealed: string): Person | undefined;
}

/** Shorter keys are refused: they could be guessed. */
export const KEY_BYTES_MIN = 32;

/** In place of a pseudonym: the record by which a key is recognised. No pseudonym looks like it. */
export const KEY_CHECK = 'key-check';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PSEUDONYM_DIGITS = 16; // 64 bits: two of a million people meet with a chance of one in 37 million

/** `random` gives that many unpredictable bytes. Throws RangeError for a key that is too short. */
export function createPeople(key: Uint8Array, random: (count: number) => Uint8Array): People {
  if (key.byteLength < KEY_BYTES_MIN) throw new RangeError(`a key of people has at least ${KEY_BYTES_MIN} bytes`);
  const derive = (use: string): Buffer => Buffer.from(hkdfSync('sha256', key, '', `heliograph people ${use} v1`, 32));
  const pseudonymKey = derive('pseudonym');
  const sealKey = derive('identity');
  return {
    pseudonymOf(person) {
      const identity = canonicalIdentity(person);
      if (identity === '') return '';
      return createHmac('sha256', pseudonymKey).update(identity).digest('hex').slice(0, PSEUDONYM_DIGITS);
    },
    seal(pseudonym, { name, email }) {
      const nonce = random(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealKey, nonce).setAAD(Buffer.from(pseudonym));
      const text = Buffer.concat([cipher.update(JSON.stringify({ name, email }), 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64');
    },
    open(pseudonym, sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
      const options = { authTagLength: TAG_BYTES };
      const decipher = createDecipheriv('aes-256-gcm', sealKey, bytes.subarray(0, NONCE_BYTES), options)
        .setAAD(Buffer.from(pseudonym))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
        return JSON.parse(text.toString('utf8')) as Person;
      } catch {
        return undefined;
      }
    },
  };
}

/** Login in a provider's no-reply address: GitHub's `ID+login@` and `login@`, GitLab's `ID-login@`. */
const NOREPLY = /^(?:\d+\+)?([^@+]+)@users\.noreply\.github\.com$|^\d+-([^@]+)@users\.noreply\.gitlab\.com$/;

/** Login of a no-reply address in lower case, undefined for any other address. */
export function noreplyLogin(email: string): string | undefined {
  const match = NOREPLY.exec(email.trim().toLowerCase());
  return match?.[1] ?? match?.[2];
}

/**
 * What makes two mentions one person: the address in lower case, no-reply addresses without their number; where there is no
 * address the name. The space keeps a name from being taken for an address. '' where nothing is known.
 */
export function canonicalIdentity({ name, email }: Person): string {
  const address = email.trim().normalize('NFC').toLowerCase();
  if (address === '') {
    const alone = name.trim().normalize('NFC').toLowerCase();
    return alone === '' ? '' : `name ${alone}`;
  }
  const login = noreplyLogin(address);
  return login === undefined
    ? address
    : `${login}@users.noreply.${address.endsWith('gitlab.com') ? 'gitlab' : 'github'}.com`;
}

/** Unpacking a profile: gzip as the format wants it, or plain protobuf, which its readers take too. */
import { gunzipSync } from 'node:zlib';

/** Why bytes are no profile. `offset` is the byte of the unpacked profile, 0 where it could not be unpacked. */
export interface ProfileReject {
  ok: false;
  offset: number;
  rule: string;
  /** Whether the bytes end before the profile does: an answer that was broken off. */
  cutShort: boolean;
  /** Whether a limit was passed. */
  tooLarge: boolean;
}

export function reject(offset: number, rule: string, kind?: 'cutShort' | 'tooLarge'): ProfileReject {
  return { ok: false, offset, rule, cutShort: kind === 'cutShort', tooLarge: kind === 'tooLarge' };
}

/** Unpacks at most `maxBytes`; more is not even unpacked. */
export function unpack(bytes: Uint8Array, maxBytes: number): { ok: true; bytes: Uint8Array } | ProfileReject {
  if (bytes.length === 0) return reject(0, 'there are no bytes', 'cutShort');
  if (bytes[0] === 0x3c) return reject(0, 'it begins with "<", as HTML does');
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    return bytes.length > maxBytes ? reject(0, tooLargeRule(maxBytes), 'tooLarge') : { ok: true, bytes };
  }
  try {
    return { ok: true, bytes: gunzipSync(bytes, { maxOutputLength: maxBytes, chunkSize: 256 * 1024 }) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') return reject(0, tooLargeRule(maxBytes), 'tooLarge');
    if (code === 'Z_BUF_ERROR') return reject(0, 'the gzip data ends early', 'cutShort');
    return reject(0, 'the gzip data is damaged');
  }
}

const tooLargeRule = (maxBytes: number): string => `it unpacks to more than ${maxBytes} bytes`;

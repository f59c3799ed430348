/** Base64 into bytes: the standard alphabet and the URL-safe one, with padding or without, as protobuf's JSON mapping wants. */
import type { ByteWriter } from '../byte-writer.ts';

const NONE = 255;
const PADDING = 0x3d;
const VALUES = new Uint8Array(256).fill(NONE);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value;
VALUES['-'.charCodeAt(0)] = 62;
VALUES['_'.charCodeAt(0)] = 63;

/** Appends what `start..end` of `bytes` stands for; false where it is not base64. */
export function appendBase64(out: ByteWriter, bytes: Uint8Array, start: number, end: number): boolean {
  let stop = end;
  while (stop > start && end - stop < 2 && bytes[stop - 1] === PADDING) stop--;
  if ((stop - start) % 4 === 1 || (stop < end && (end - start) % 4 !== 0)) return false;
  let bits = 0;
  let held = 0;
  for (let p = start; p < stop; p++) {
    const value = VALUES[bytes[p] as number] as number;
    if (value === NONE) return false;
    held = ((held << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.byte((held >>> bits) & 0xff);
    }
  }
  return true;
}

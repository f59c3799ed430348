/**
 * JSON strings as Go's encoder writes them with HTML escaping off. Bytes in, bytes out: a TextDecoder replaces a run of
 * broken bytes by one U+FFFD, Go replaces each.
 */
import type { ByteWriter } from './byte-writer.ts';

const SHORT_ESCAPES: Record<number, string> = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** Appends `start..end`, taken as UTF-8, as a JSON string with its quotes. */
export function appendJsonString(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  out.ascii('"');
  let copied = start;
  let p = start;
  while (p < end) {
    const byte = bytes[p] as number;
    const size = byte < 0x80 ? 1 : sequenceSize(bytes, p, end);
    const escape = byte < 0x80 ? asciiEscape(byte) : wideEscape(bytes, p, size);
    if (escape !== '') {
      out.copy(bytes, copied, p);
      out.ascii(escape);
      copied = p + Math.max(size, 1);
    }
    p += Math.max(size, 1);
  }
  out.copy(bytes, copied, end);
  out.ascii('"');
}

function asciiEscape(byte: number): string {
  if (byte >= 0x20 && byte !== 34 && byte !== 92) return '';
  return SHORT_ESCAPES[byte] ?? `\\u${byte.toString(16).padStart(4, '0')}`;
}

/** Size 0 is a byte that begins no character. U+2028 and U+2029 end a line in JavaScript, so Go escapes them always. */
function wideEscape(bytes: Uint8Array, at: number, size: number): string {
  if (size === 0) return '\\ufffd';
  if (size !== 3 || bytes[at] !== 0xe2 || bytes[at + 1] !== 0x80) return '';
  const last = bytes[at + 2];
  return last === 0xa8 ? '\\u2028' : last === 0xa9 ? '\\u2029' : '';
}

/** Bytes of the UTF-8 character at `at`, a byte >= 0x80; 0 where there is none (cut off, overlong, surrogate, above U+10FFFF). */
function sequenceSize(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number;
  const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || end - at < size) return 0;
  const second = bytes[at + 1] as number;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let i = 2; i < size; i++) if (((bytes[at + i] as number) & 0xc0) !== 0x80) return 0;
  return size;
}

/** Git's bytes as text: people's names, which may lie about their encoding, and paths, which have none. */
import { isUtf8 } from 'node:buffer';

const REPLACEMENT = '\ufffd';
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Bytes that git writes with a letter. */
const LETTERS: Readonly<Record<number, string>> = { 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r' };

/** UTF-8, or Latin-1 where it is not: a commit that names no encoding but was written in another one. */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  if (!text.includes(REPLACEMENT) || isUtf8(bytes.subarray(start, end))) return text;
  return bytes.toString('latin1', start, end);
}

/**
 * A path as it is where it is UTF-8, else as git quotes it: `"caf\351.txt"`. A path that begins with a quotation mark is quoted
 * too, so that no path can pass for the quoted form of another.
 */
export function decodePath(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  if (bytes[start] !== QUOTE && (!text.includes(REPLACEMENT) || isUtf8(bytes.subarray(start, end)))) return text;
  let quoted = '"';
  for (let at = start; at < end; at++) quoted += quotedByte(bytes[at] ?? 0);
  return `${quoted}"`;
}

function quotedByte(byte: number): string {
  const letter = LETTERS[byte];
  if (letter !== undefined) return `\\${letter}`;
  if (byte === QUOTE || byte === BACKSLASH) return `\\${String.fromCharCode(byte)}`;
  if (byte < 0x20 || byte >= 0x7f) return `\\${byte.toString(8).padStart(3, '0')}`;
  return String.fromCharCode(byte);
}

/** JSON with its large integers intact: those that a double would round come as bigint. */

export type ParsedJson = { ok: true; value: unknown } | { ok: false; rule: string; cutShort: boolean };

/** Strings and numbers. */
const TOKENS = /"[^"\\]*(?:\\[^][^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Integers that a double may round, and that may be meant. */
const LARGE = /^-?\d{16,40}$/;
/** Begins a string that was such an integer. No JSON text holds it unescaped. */
const MARK = '\u0000';

export function parseJson(bytes: Uint8Array): ParsedJson {
  const text = new TextDecoder().decode(bytes);
  try {
    const marked = text.replace(TOKENS, (token) => (LARGE.test(token) ? `"\\u0000${token}"` : token));
    return { ok: true, value: JSON.parse(marked, unmark) as unknown };
  } catch (error) {
    if (/^\s*</.test(text)) return { ok: false, rule: 'it begins with "<", as HTML does', cutShort: false };
    const begun = /^\s*\{/.test(text) && !/\}\s*$/.test(text);
    const rule =
      error instanceof RangeError ? 'its JSON is nested too deeply, or a string in it is too long' : 'it is not JSON';
    return { ok: false, rule: begun ? 'its JSON ends early' : rule, cutShort: begun };
  }
}

function unmark(_key: string, value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
  return /^-?\d+$/.test(value.slice(1)) ? BigInt(value.slice(1)) : value;
}

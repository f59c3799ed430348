/**
 * Reads JSON over bytes as they lie: a cursor, no tree. Numbers stay text until somebody wants them, so no integer passes
 * through a double. Bytes above 0x7f are not looked at: what is broken UTF-8 here is stored as it came, as in protobuf.
 */
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  hexDigit,
  isDigit,
  LETTER_F,
  LETTER_N,
  LETTER_T,
  LETTER_U,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './bytes.ts';
import { JsonError } from './errors.ts';

/** Objects and arrays within one value that nobody reads. */
export const MAX_SKIPPED_DEPTH = 512;

const SPACE = 0x20;
const DOT = 0x2e;
const PLUS = 0x2b;
const ZERO = 0x30;
const LOWER_E = 0x65;
const NULL = [0x6e, 0x75, 0x6c, 0x6c];
const TRUE = [0x74, 0x72, 0x75, 0x65];
const FALSE = [0x66, 0x61, 0x6c, 0x73, 0x65];
/** Letter after a backslash -> the byte it stands for. */
const ESCAPES: Record<number, number> = {
  0x22: 0x22,
  0x5c: 0x5c,
  0x2f: 0x2f,
  0x62: 8,
  0x66: 12,
  0x6e: 10,
  0x72: 13,
  0x74: 9,
};
const REPLACEMENT = 0xfffd;

export class JsonReader {
  readonly bytes: Uint8Array;
  /** Position of the next byte. */
  p = 0;
  /** What `string` found: the bytes between the quotes, and whether a backslash is among them. */
  start = 0;
  stop = 0;
  escaped = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.p = 3; // a byte order mark, which some write
  }

  /** Skips white space; the byte after it, undefined at the end. */
  peek(): number | undefined {
    const bytes = this.bytes;
    let p = this.p;
    let byte = bytes[p];
    while (byte === SPACE || byte === 10 || byte === 13 || byte === 9) byte = bytes[++p];
    this.p = p;
    return byte;
  }

  /** Takes the next byte that is not white space, which must be `byte`. */
  expect(byte: number, rule: string): void {
    if (this.peek() !== byte) throw this.error(rule);
    this.p++;
  }

  /** After a member or an element: true where another one follows, false where `close` ended them. */
  more(close: number): boolean {
    const byte = this.peek();
    if (byte !== COMMA && byte !== close)
      throw this.error(close === CLOSE_BRACE ? 'a comma or } must follow' : 'a comma or ] must follow');
    this.p++;
    return byte === COMMA;
  }

  error(rule: string, at = this.p): JsonError {
    return new JsonError(at, at >= this.bytes.length ? `the text ends where ${rule}` : rule);
  }

  /** Reads a string into `start`, `stop` and `escaped`; the cursor stands at its first quote. */
  string(): void {
    const bytes = this.bytes;
    const start = this.p + 1;
    this.escaped = false;
    for (let p = start; p < bytes.length; p++) {
      const byte = bytes[p] as number;
      if (byte === QUOTE) {
        this.start = start;
        this.stop = p;
        this.p = p + 1;
        return;
      }
      if (byte === BACKSLASH) {
        this.escaped = true;
        p++;
      } else if (byte < 0x20) throw this.error('a control character in a string must be escaped', p);
    }
    throw this.error('a string must be closed', bytes.length);
  }

  /**
   * The character that the backslash at `at` begins, and in `p` the position after it. Half a surrogate pair has no UTF-8 and
   * becomes U+FFFD.
   */
  escape(at: number, end: number): number {
    const letter = this.bytes[at + 1] as number;
    if (letter !== LETTER_U) {
      const byte = ESCAPES[letter];
      if (byte === undefined) throw this.error('an escape must be one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u', at);
      this.p = at + 2;
      return byte;
    }
    const unit = this.codeUnit(at, end);
    this.p = at + 6;
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (unit > 0xdbff || this.bytes[at + 6] !== BACKSLASH || this.bytes[at + 7] !== LETTER_U) return REPLACEMENT;
    const low = this.codeUnit(at + 6, end);
    if (low < 0xdc00 || low > 0xdfff) return REPLACEMENT;
    this.p = at + 12;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }

  private codeUnit(at: number, end: number): number {
    let unit = 0;
    for (let i = at + 2; i < at + 6; i++) {
      const digit = i < end ? hexDigit(this.bytes[i]) : -1;
      if (digit < 0) throw this.error('\\u must be followed by four hex digits', at);
      unit = unit * 16 + digit;
    }
    return unit;
  }

  /** Reads `null` where the next byte begins it. */
  null(): boolean {
    if (this.peek() !== LETTER_N) return false;
    this.literal(NULL);
    return true;
  }

  /** Reads `true` or `false`; undefined where neither begins here. */
  boolean(): boolean | undefined {
    const byte = this.peek();
    if (byte !== LETTER_T && byte !== LETTER_F) return undefined;
    this.literal(byte === LETTER_T ? TRUE : FALSE);
    return byte === LETTER_T;
  }

  private literal(word: readonly number[]): void {
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[this.p + i] !== word[i]) throw this.error('a value must stand');
    }
    this.p += word.length;
  }

  /** Moves over a number by JSON's grammar, at most to `end`; whether it is a plain integer. */
  number(end: number): boolean {
    const { bytes } = this;
    const begin = this.p;
    let p = bytes[begin] === MINUS ? begin + 1 : begin;
    const first = p;
    while (p < end && isDigit(bytes[p])) p++;
    if (p === first) throw this.error('a value must stand', begin);
    if (bytes[first] === ZERO && p > first + 1) throw this.error('a number must not begin with 0', begin);
    const integerEnd = p;
    if (p < end && bytes[p] === DOT) p = this.digits(p + 1, end, begin);
    if (p < end && ((bytes[p] as number) | SPACE) === LOWER_E) {
      p++;
      if (p < end && (bytes[p] === PLUS || bytes[p] === MINUS)) p++;
      p = this.digits(p, end, begin);
    }
    this.p = p;
    return p === integerEnd;
  }

  private digits(from: number, end: number, begin: number): number {
    let p = from;
    while (p < end && isDigit(this.bytes[p])) p++;
    if (p === from) throw this.error('a number must end in a digit', begin);
    return p;
  }

  /** Moves over any value, checking that it is JSON. Nothing recurses, so depth costs a byte each. */
  skip(): void {
    const closers: number[] = [];
    for (;;) {
      const byte = this.peek();
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (closers.length === MAX_SKIPPED_DEPTH) throw this.error(`values may nest ${MAX_SKIPPED_DEPTH} deep`);
        const close = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
        this.p++;
        if (this.peek() !== close) {
          closers.push(close);
          if (close === CLOSE_BRACE) this.skipKey();
          continue;
        }
        this.p++;
      } else if (byte === QUOTE) this.skipString();
      else if (this.boolean() === undefined && !this.null()) this.number(this.bytes.length);
      while (closers.length > 0 && !this.more(closers[closers.length - 1] as number)) closers.pop();
      if (closers.length === 0) return;
      if (closers[closers.length - 1] === CLOSE_BRACE) this.skipKey();
    }
  }

  private skipKey(): void {
    if (this.peek() !== QUOTE) throw this.error('a key must stand');
    this.skipString();
    this.expect(COLON, 'a colon must stand');
  }

  private skipString(): void {
    this.string();
    if (!this.escaped) return;
    const { start, stop, p: after } = this;
    for (let p = start; p < stop; ) {
      if (this.bytes[p] !== BACKSLASH) p++;
      else {
        this.escape(p, stop);
        p = this.p;
      }
    }
    this.p = after;
  }
}

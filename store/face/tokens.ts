/**
 * The lexical part of wall 1. A text is taken only where this lexer and the engine's must agree on every token; whatever the two
 * might read differently (typographic quotes, heredocs, hex strings, control characters) is refused, and comments never
 * reach the engine.
 */
import { type Token, tokenize } from '../embedded/lexer.ts';
import { syntaxError } from './refusal.ts';

/** Brackets open at once; the engine's parser recurses, and so does the check of its tree. */
const MAX_DEPTH = 100;
const MAX_TOKENS = 20_000;

const WORD = /^[A-Za-z_]\w*$/;
const NUMBER = /^[\w.]+$/;
const SYMBOLS = new Set('()[]{},.;+-*/%=<>!|:?');

/** The tokens of the text. Throws `SYNTAX_ERROR` for one that could be read in two ways. */
export function readTokens(text: string): Token[] {
  if (text.includes('\0')) throw syntaxError('A statement may not hold a zero byte');
  const tokens: Token[] = [];
  for (const token of tokenize(text)) {
    const before = tokens.at(-1);
    if (token.depth > MAX_DEPTH) throw syntaxError(`More than ${MAX_DEPTH} brackets are open at once`);
    if (tokens.length >= MAX_TOKENS) throw syntaxError(`A statement may have ${MAX_TOKENS} tokens`);
    refuseUnclear(token, before);
    tokens.push(token);
  }
  return tokens;
}

function refuseUnclear(token: Token, before: Token | undefined): void {
  const { kind, text } = token;
  const touches = before?.end === token.start;
  if (kind === 'word' && !WORD.test(text))
    throw syntaxError(`${excerpt(text)}: names beyond ASCII letters need quotes`);
  if (kind === 'number' && !NUMBER.test(text)) throw syntaxError(`${excerpt(text)} is no number`);
  if (kind === 'symbol' && !SYMBOLS.has(text)) throw syntaxError(`${excerpt(text)} is not understood here`);
  if (kind === 'string') {
    if (!text.startsWith("'")) throw syntaxError('A heredoc is not understood here; use quotes');
    if (!isClosed(text)) throw syntaxError('A string is not closed');
    // x'41', b'01' and whatever prefix comes next
    if (touches && before.kind !== 'symbol') throw syntaxError(`${excerpt(before.text + text)}: write unhex('…')`);
  }
  if (kind === 'quoted') refuseUnclearName(text);
}

/**
 * Names are printed into the engine's tree as they are. So they hold no line break, and nothing that looks like one of the tree's
 * own fields.
 */
function refuseUnclearName(quoted: string): void {
  const name = quoted.slice(1, -1);
  if (!isClosed(quoted) || name === '') throw syntaxError('A quoted name is empty or not closed');
  if (/[\p{Cc}\p{Zl}\p{Zp}\\]/u.test(name))
    throw syntaxError('A quoted name may not hold a backslash or a control character');
  if (/, \w+ ?: /.test(name)) throw syntaxError(`${excerpt(quoted)}: a name may not hold ", word: "`);
}

/** Whether a quoted token ends with a quote that closes it. */
function isClosed(text: string): boolean {
  const quote = text[0] ?? '';
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at === text.length - 1;
      at++;
    }
  }
  return false;
}

/** The text again, with each comment and blank as one space: what is judged is what runs. */
export function joinTokens(tokens: readonly Token[], write: (token: Token) => string = ({ text }) => text): string {
  let out = '';
  let end = tokens[0]?.start ?? 0;
  for (const token of tokens) {
    out += (token.start > end ? ' ' : '') + write(token);
    end = token.end;
  }
  return out;
}

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/**
 * A token as it goes into the statement whose tree is read: a string's control characters, written out or escaped, become
 * spaces. Where the tree prints a string as it is (`COLUMNS('…')`, `FROM '…'`, `COLLATE '…'`) no line of it can then be forged;
 * the shape of the tree is the same.
 */
export function withoutLineBreaks(token: Token): string {
  if (token.kind !== 'string') return token.text;
  return token.text
    .replace(CONTROL, ' ')
    .replace(/\\(?:x[0-9A-Fa-f]{2}|[\s\S])/g, (escape) => (/^\\[bfnrt0aveNx]/.test(escape) ? ' ' : escape));
}

/** A piece of the text for a message. */
export function excerpt(text: string): string {
  const line = text.replace(CONTROL, ' ');
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

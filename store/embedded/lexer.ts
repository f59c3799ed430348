/**
 * The outer lexical structure of ClickHouse SQL: enough to know keywords from names, strings and comments, and what stands
 * inside parentheses. Works on any string; positions are indices into it, so a body decoded as latin1 gives byte offsets.
 */

export interface Token {
  kind: 'word' | 'string' | 'quoted' | 'number' | 'symbol';
  text: string;
  start: number;
  end: number;
  /** Parentheses, brackets and braces open around the token; an opening one counts as outside itself. */
  depth: number;
}

const LINE_COMMENTS = ['--', '//', '# ', '#!'];
const SPACE = /\s/;
const WORD_START = /[A-Za-z_\u0080-\uffff]/;
const WORD = /[\w$\u0080-\uffff]*/y;
const NUMBER = /[\w.]*/y;
const HEREDOC = /\$(\w*)\$/y;

/** Tokens from `from` on, lazily: a caller that has seen enough never reads the data behind it. */
export function* tokenize(sql: string, from = 0): Generator<Token> {
  let at = from;
  let depth = 0;
  while (at < sql.length) {
    const blank = endOfBlank(sql, at);
    if (blank > at) {
      at = blank;
      continue;
    }
    const { kind, end } = scan(sql, at);
    const text = sql.slice(at, end);
    if (kind === 'symbol' && ')]}'.includes(text)) depth = Math.max(0, depth - 1);
    yield { kind, text, start: at, end, depth };
    if (kind === 'symbol' && '([{'.includes(text)) depth++;
    at = end;
  }
}

/** Index after the white space or comment at `at`; `at` itself where there is neither. Block comments nest. */
function endOfBlank(sql: string, at: number): number {
  const char = sql[at] ?? '';
  if (SPACE.test(char)) return at + 1;
  if (LINE_COMMENTS.some((mark) => sql.startsWith(mark, at))) {
    const end = sql.indexOf('\n', at);
    return end === -1 ? sql.length : end + 1;
  }
  if (!sql.startsWith('/*', at)) return at;
  let nesting = 1;
  let end = at + 2;
  while (end < sql.length && nesting > 0) {
    if (sql.startsWith('/*', end)) nesting++;
    else if (sql.startsWith('*/', end)) nesting--;
    else {
      end++;
      continue;
    }
    end += 2;
  }
  return end;
}

function scan(sql: string, at: number): { kind: Token['kind']; end: number } {
  const char = sql[at] ?? '';
  if (char === "'") return { kind: 'string', end: endOfQuoted(sql, at, char) };
  if (char === '"' || char === '`') return { kind: 'quoted', end: endOfQuoted(sql, at, char) };
  if (WORD_START.test(char)) return { kind: 'word', end: endOf(WORD, sql, at) };
  if (char >= '0' && char <= '9') return { kind: 'number', end: endOf(NUMBER, sql, at) };
  if (char === '$') {
    HEREDOC.lastIndex = at;
    const tag = HEREDOC.exec(sql)?.[0];
    const close = tag === undefined ? -1 : sql.indexOf(tag, at + tag.length);
    if (tag !== undefined && close !== -1) return { kind: 'string', end: close + tag.length };
  }
  return { kind: 'symbol', end: at + 1 };
}

function endOf(pattern: RegExp, sql: string, at: number): number {
  pattern.lastIndex = at;
  pattern.exec(sql);
  return Math.max(pattern.lastIndex, at + 1);
}

/** Quotes end at the same quote, unless a backslash stands before it or it is doubled. */
function endOfQuoted(sql: string, at: number, quote: string): number {
  let end = at + 1;
  while (end < sql.length) {
    if (sql[end] === '\\') end += 2;
    else if (sql[end] !== quote) end++;
    else if (sql[end + 1] === quote) end += 2;
    else return end + 1;
  }
  return sql.length;
}

/** Whether the token is this keyword (upper case), whatever its case in the text. */
export function isKeyword(token: Token | undefined, keyword: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === keyword;
}

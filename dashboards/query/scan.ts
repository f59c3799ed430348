/** Small readers of SQL text that know where quoted parts and comments end. They serve our own boards, not strangers' SQL. */

/** Index just past the quoted part that opens at `start`; the end of the text where it never closes. */
export function endOfQuoted(sql: string, start: number): number {
  const quote = sql[start];
  let at = start + 1;
  while (at < sql.length && sql[at] !== quote) at += sql[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, sql.length);
}

/** Whether a character opens a quoted part. */
export function isQuote(char: string | undefined): boolean {
  return char === "'" || char === '"' || char === '`';
}

/** Takes `--` and block comments out, as the data source does before it expands macros. */
export function stripComments(sql: string): string {
  let out = '';
  let at = 0;
  while (at < sql.length) {
    const pair = sql.slice(at, at + 2);
    if (isQuote(sql[at])) {
      const end = endOfQuoted(sql, at);
      out += sql.slice(at, end);
      at = end;
    } else if (pair === '--') {
      const end = sql.indexOf('\n', at);
      at = end < 0 ? sql.length : end;
    } else if (pair === '/*') {
      const end = sql.indexOf('*/', at + 2);
      at = end < 0 ? sql.length : end + 2;
    } else {
      out += sql[at];
      at += 1;
    }
  }
  return out;
}

/** Arguments of the call whose `(` stands at `open`, trimmed, and the index past its `)`. Undefined where it never closes. */
export function readArguments(sql: string, open: number): { args: string[]; end: number } | undefined {
  const args: string[] = [];
  let depth = 0;
  let from = open + 1;
  let at = open;
  while (at < sql.length) {
    const char = sql[at];
    if (isQuote(char)) {
      at = endOfQuoted(sql, at);
      continue;
    }
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    if (depth === 0 || (char === ',' && depth === 1)) {
      args.push(sql.slice(from, at).trim());
      from = at + 1;
    }
    if (depth === 0) return { args: args.length === 1 && args[0] === '' ? [] : args, end: at + 1 };
    at += 1;
  }
  return undefined;
}

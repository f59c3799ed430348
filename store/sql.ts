/**
 * Splits a `.sql` file into statements at semicolons that stand outside quotes and comments. Line comments in front of a
 * statement stay with it.
 */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let at = 0;
  while (at < text.length) {
    if (text[at] === ';') {
      statements.push(text.slice(start, at).trim());
      start = at + 1;
    }
    at = endOfToken(text, at);
  }
  statements.push(text.slice(start).trim());
  return statements.filter((statement) => withoutComments(statement) !== '');
}

/** The statement without its line comments; '' when it was nothing else. */
export function withoutComments(statement: string): string {
  let out = '';
  let at = 0;
  while (at < statement.length) {
    const end = endOfToken(statement, at);
    if (!statement.startsWith('--', at)) out += statement.slice(at, end);
    at = end;
  }
  return out.trim();
}

/** Index after the quoted text, line comment or single character that begins at `at`. */
function endOfToken(text: string, at: number): number {
  if (text.startsWith('--', at)) {
    const end = text.indexOf('\n', at);
    return end === -1 ? text.length : end;
  }
  const quote = text[at];
  if (quote !== "'" && quote !== '"' && quote !== '`') return at + 1;
  let end = at + 1;
  while (end < text.length && text[end] !== quote) end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}

/** A value as a ClickHouse string literal, for the few places where the engine takes no bound parameter (DDL, table functions). */
export function stringLiteral(value: string): string {
  return `'${value.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}

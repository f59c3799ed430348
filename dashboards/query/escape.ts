/**
 * A ClickHouse string literal that reads back as exactly `value` (lone surrogates, which UTF-8 cannot carry, arrive as
 * U+FFFD). The only way a value from outside enters a board's SQL. Grafana's own `singlequote` leaves backslashes alone;
 * ClickHouse takes them for escapes, so here they are doubled.
 */
export function sqlString(value: string): string {
  const body = value.replace(/[\\'\0]/g, (char) => (char === '\0' ? '\\0' : `\\${char}`));
  return `'${body}'`;
}

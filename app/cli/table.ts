/** Rows as text: an aligned table for people, CSV for programs. */

/** How a cell stands in its column. */
export type Align = 'left' | 'right';

/** Lines of an aligned table, the header first; columns are two spaces apart and lines have no trailing spaces. */
export function textTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly Align[] = [],
): string {
  const widths = header.map((name, i) => Math.max(width(name), ...rows.map((row) => width(row[i] ?? ''))));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => pad(cell, widths[i] ?? 0, align[i]))
      .join('  ')
      .trimEnd();
  return [header, widths.map((n) => '-'.repeat(n)), ...rows].map((cells) => `${line(cells)}\n`).join('');
}

/** A value as a person reads it; unknown is a dash, never a zero. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/[\p{Cc}]/gu, ' ');
}

/** RFC 4180 with LF line ends; unknown is empty. */
export function csvText(header: readonly string[], rows: readonly (readonly unknown[])[]): string {
  return [header, ...rows].map((row) => `${row.map(csvCell).join(',')}\n`).join('');
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function width(text: string): number {
  return Array.from(text).length;
}

function pad(text: string, to: number, align: Align = 'left'): string {
  const space = ' '.repeat(Math.max(0, to - width(text)));
  return align === 'right' ? space + text : text + space;
}

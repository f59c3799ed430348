/** Answers of the panel endpoint as columns, and long results as the wide series that a chart draws. */

export interface TargetResult {
  refId: string;
  columns: { name: string; type: string }[];
  rows: unknown[][];
  truncated: boolean;
}

export interface PanelMeta {
  from: number;
  to: number;
  stepSeconds: number;
  tookMs: number;
  n: number | null;
  /** What `n` counts: 'spans', 'commits' … */
  counted: string;
  coverage: number | null;
  asOf: string | null;
}

export interface PanelData {
  targets: TargetResult[];
  meta: PanelMeta;
}

export type ColumnKind = 'time' | 'number' | 'string';

export interface Series {
  /** As Grafana names it: the column, with its labels; a column called Value goes by its labels alone. */
  name: string;
  values: (number | null)[];
}

export interface Wide {
  /** Unix seconds, ascending. */
  times: number[];
  series: Series[];
}

/** What a ClickHouse column is to a panel. */
export function columnKind(type: string): ColumnKind {
  const bare = type.replace(/^(?:Nullable|LowCardinality)\((.*)\)$/, '$1');
  if (/^Date/.test(bare)) return 'time';
  return /^(?:U?Int|Float|Decimal)/.test(bare) ? 'number' : 'string';
}

/** Unix milliseconds of a time cell; null where it holds none. */
export function timeMs(cell: unknown): number | null {
  const ms = typeof cell === 'string' ? Date.parse(cell) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

/**
 * Long to wide: one series per value column and combination of labels, in order of first appearance. A step without any row
 * becomes null, so that a line breaks where nothing was received.
 */
export function toWide(target: TargetResult, stepSeconds: number): Wide {
  const kinds = target.columns.map((column) => columnKind(column.type));
  const timeIndex = kinds.indexOf('time');
  const labels = kinds.flatMap((kind, index) => (kind === 'string' ? [index] : []));
  const values = kinds.flatMap((kind, index) => (kind === 'number' ? [index] : []));
  const times = timeGrid(
    target.rows.map((row) => timeMs(row[timeIndex])),
    stepSeconds,
  );
  const position = new Map(times.map((time, index) => [time, index]));
  const series = new Map<string, Series>();
  for (const row of target.rows) {
    const at = position.get((timeMs(row[timeIndex]) ?? Number.NaN) / 1000);
    if (at === undefined) continue;
    for (const index of values) {
      const name = seriesName(
        target.columns[index]?.name ?? '',
        labels.map((label) => String(row[label])),
      );
      const line = series.get(name) ?? { name, values: new Array<number | null>(times.length).fill(null) };
      const cell = row[index];
      line.values[at] = typeof cell === 'number' ? cell : null;
      series.set(name, line);
    }
  }
  return { times, series: [...series.values()] };
}

function seriesName(column: string, labels: readonly string[]): string {
  if (labels.length === 0) return column;
  const text = labels.map((label) => (label === '' ? '(empty)' : label)).join(' ');
  return column === 'Value' ? text : `${column} ${text}`;
}

function timeGrid(cells: readonly (number | null)[], stepSeconds: number): number[] {
  const seen = [...new Set(cells.filter((ms) => ms !== null).map((ms) => ms / 1000))].sort((a, b) => a - b);
  return seen.flatMap((time, index) => {
    const next = seen[index + 1];
    return next !== undefined && next - time > stepSeconds * 1.5 ? [time, time + stepSeconds] : [time];
  });
}

/** Last value that is not null; null where all are. */
export function lastNotNull(values: readonly (number | null)[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

/** Largest value; null where all are null. */
export function maxOf(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>(
    (max, value) => (value !== null && (max === null || value > max) ? value : max),
    null,
  );
}

/** Heights of a stack, lowest series first: each value on top of those before it. A missing value adds nothing and stays missing. */
export function stacked(series: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const sums: number[] = [];
  return series.map((values) =>
    values.map((value, index) => {
      if (value === null) return null;
      sums[index] = (sums[index] ?? 0) + value;
      return sums[index] ?? null;
    }),
  );
}

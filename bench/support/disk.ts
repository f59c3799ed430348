/** Bytes on disk by table and column, of what is active. */
import { type BenchEngine, ask } from './engine-use.ts';

export interface TableBytes {
  table: string;
  rows: number;
  /** Everything the parts take: columns, indexes, marks, primary key. */
  bytes: number;
  columnBytes: number;
  /** Skip indexes. */
  indexBytes: number;
  markBytes: number;
  parts: number;
  /** Rows in compact parts, whose columns lie in one file and are not told apart. */
  compactRows: number;
}

export interface ColumnBytes {
  table: string;
  column: string;
  /** Compressed, in wide parts. */
  bytes: number;
  /** Rows of the wide parts. */
  rows: number;
}

const TABLES = `database IN ('otel', 'heliograph') AND active`;

/** Tables that hold rows, largest first. */
export async function tableBytes({ engine }: BenchEngine): Promise<TableBytes[]> {
  const text = await ask(
    engine,
    `SELECT concat(database, '.', table) AS name, sum(rows), sum(bytes_on_disk) AS bytes, sum(data_compressed_bytes),
       sum(secondary_indices_compressed_bytes), sum(marks_bytes), count(), sumIf(rows, part_type = 'Compact')
     FROM system.parts WHERE ${TABLES} GROUP BY name ORDER BY bytes DESC`,
  );
  return linesOf(text).map(([table = '', ...numbers]) => {
    const [rows = 0, bytes = 0, columnBytes = 0, indexBytes = 0, markBytes = 0, parts = 0, compactRows = 0] =
      numbers.map(Number);
    return { table, rows, bytes, columnBytes, indexBytes, markBytes, parts, compactRows };
  });
}

/** Columns of the wide parts, largest first within each table. */
export async function columnBytes({ engine }: BenchEngine): Promise<ColumnBytes[]> {
  const text = await ask(
    engine,
    `SELECT concat(database, '.', table) AS name, column, sum(column_data_compressed_bytes) AS bytes, sum(rows)
     FROM system.parts_columns WHERE ${TABLES} AND part_type = 'Wide' GROUP BY name, column ORDER BY name, bytes DESC`,
  );
  return linesOf(text).map(([table = '', column = '', bytes = '0', rows = '0']) => ({
    table,
    column,
    bytes: Number(bytes),
    rows: Number(rows),
  }));
}

/** Waits until the engine has used next to no CPU for two seconds, at most `limitMs`; merges are done then. */
export async function untilQuiet(cpu: () => number, limitMs: number): Promise<void> {
  const startedMs = performance.now();
  for (let quiet = 0; quiet < 4 && performance.now() - startedMs < limitMs; ) {
    const before = cpu();
    await new Promise((resolve) => setTimeout(resolve, 500));
    quiet = cpu() - before < 0.05 ? quiet + 1 : 0;
  }
}

function linesOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

/** Bounds of every query that a reader's request starts. */
import type { QueryResult } from '../../core/ports.ts';

/** Rows of one answer at most; more are cut off, and the answer says so. */
export const MAX_ROWS = 20_000;

/**
 * ClickHouse settings: ten seconds, a bounded result, and ISO times in UTC (`2026-01-02T03:04:05Z`) whatever the time zone of
 * the server.
 */
export const READ_SETTINGS: Readonly<Record<string, string | number>> = {
  max_execution_time: 10,
  max_result_rows: MAX_ROWS + 1,
  result_overflow_mode: 'break', // stops after the block that passes the bound; capRows cuts the rest
  date_time_output_format: 'iso',
};

/** The result with at most MAX_ROWS rows, and whether some were cut off. */
export function capRows(result: QueryResult): { rows: unknown[][]; truncated: boolean } {
  return { rows: result.rows.slice(0, MAX_ROWS), truncated: result.rows.length > MAX_ROWS };
}

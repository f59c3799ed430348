/** The tables a reader may read, beside what the role lets through. */

/** Of the engine's own, those that Grafana's editors and SQL clients read; the role shows of them what concerns `boards`. */
const SYSTEM_TABLES = new Set(['one', 'databases', 'tables', 'columns', 'functions']);

/** Whether the table may be read: one of `boards` (the current database), or one of the few of `system`. */
export function isReadableTable(database: string | undefined, table: string): boolean {
  if (database === undefined || database === 'boards') return true;
  return database === 'system' && SYSTEM_TABLES.has(table);
}

/** Whether rows may come from this table function: a view of `boards` with parameters, or a plain row of numbers. */
export function isReadableTableFunction(name: string): boolean {
  return /^boards\.\w+$/.test(name) || name === 'numbers';
}

/** What every rule is. A rule reads views and judges; whether an alert fires is the machine's to say. */
import type { Statement, Store } from '../../core/ports.ts';
import type { Evidence, OpenAlert, RuleName, Transition, Verdict } from '../types.ts';

/** What an evaluation works with. */
export interface RuleContext {
  store: Pick<Store, 'query'>;
  atMs: number;
  signal: AbortSignal;
}

export interface Rule {
  name: RuleName;
  forMs: number;
  clearForMs: number;
  /** Judges everything there is to judge, the worst first; `open` are this rule's own. Throws what the store throws. */
  evaluate(open: readonly OpenAlert[], context: RuleContext): Promise<Verdict[]>;
  /** What else is known of alerts that fire, by fingerprint. Never throws: what cannot be read is said in `notes`. */
  enrich(fired: readonly Transition[], context: RuleContext): Promise<ReadonlyMap<string, Evidence>>;
}

const QUERY_SETTINGS = { max_execution_time: 10 } as const;

/** Rows by column name. */
export async function readRows(
  { store, signal }: RuleContext,
  statement: Pick<Statement, 'sql' | 'params'>,
): Promise<Record<string, unknown>[]> {
  const { columns, rows } = await store.query({ ...statement, settings: QUERY_SETTINGS, signal });
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
}

/** Unix seconds, as a DateTime is bound. */
export function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

/** ISO time, UTC, milliseconds. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** What went wrong, in one line. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]?.slice(0, 300).trim() ?? '';
}

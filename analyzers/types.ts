/** What the registry knows of a view: enough for the API, the boards' lint and a person reading `/api/query`. */

export interface ViewParameter {
  name: string;
  /** ClickHouse type, as bound. */
  type: string;
  description: string;
  /** Bound where the caller names none; a parameter without one is required. Times and `step` have defaults of their own. */
  default?: string | number;
}

export interface ViewColumn {
  name: string;
  /** ClickHouse type, as returned. */
  type: string;
  /** '' where the column has none. */
  unit: string;
  description: string;
}

export interface View {
  /** Name in the `boards` database. */
  name: string;
  /** The question it answers, in a sentence. */
  question: string;
  description: string;
  parameters: readonly ViewParameter[];
  columns: readonly ViewColumn[];
  /** Column whose sum over the rows is `meta.n`; without one, n is the number of rows. */
  countColumn?: string;
  /** Columns the API sorts by, ` DESC` included; without them a view with a step is sorted by time and its keys. */
  orderBy?: readonly string[];
  /** Source in `boards.source_status` that coverage and asOf are read from; null where there is none. */
  source: string | null;
}

/** One folder of `analyzers/`: its `.sql` (read with `assetPath`) and the views that file defines. */
export interface Analyzer {
  name: string;
  /** Path of the `.sql` from the package root. */
  sql: string;
  views: readonly View[];
}

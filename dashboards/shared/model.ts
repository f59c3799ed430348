/**
 * The part of Grafana's classic dashboard JSON that Heliograph writes and reads. The exported files are the only source of
 * these values, for the server and for the page alike.
 */

export interface DataSourceRef {
  type: string;
  uid: string;
}

/** Shape a result is asked in: 0 time series (long, sorted by time), 1 table, 4 one frame per series. */
export type TargetFormat = 0 | 1 | 4;

export interface Target {
  refId: string;
  datasource: DataSourceRef;
  editorType: 'sql';
  queryType: string;
  rawSql: string;
  format: TargetFormat;
  pluginVersion: string;
  /** Not drawn; the server runs it to learn how many items the panel's figures were computed from. */
  hide?: boolean;
}

export interface DataLink {
  title: string;
  url: string;
  targetBlank?: boolean;
}

export interface Threshold {
  value: number | null;
  color: string;
}

/** Options of a field, as defaults or after overrides. Keys are Grafana's property ids without `custom.`. */
export interface FieldOptions {
  unit?: string;
  decimals?: number;
  min?: number;
  max?: number;
  noValue?: string;
  displayName?: string;
  color?: { mode: string; fixedColor?: string };
  thresholds?: { mode: string; steps: Threshold[] };
  /** Colours of texts, one mapping of Grafana's type `value`. */
  mappings?: { type: 'value'; options: Record<string, { color: string; index: number }> }[];
  links?: DataLink[];
  custom?: Record<string, unknown>;
}

export interface Override {
  matcher: { id: string; options?: unknown };
  properties: { id: string; value?: unknown }[];
}

export interface GridPos {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: GridPos;
  datasource?: DataSourceRef;
  targets?: Target[];
  interval?: string;
  maxDataPoints?: number;
  options?: Record<string, unknown>;
  fieldConfig?: { defaults: FieldOptions; overrides: Override[] };
  /** Rows only. */
  collapsed?: boolean;
  panels?: Panel[];
}

export interface Variable {
  name: string;
  type: string;
  label?: string;
  description?: string;
  hide?: number;
  multi?: boolean;
  includeAll?: boolean;
  /** SQL that stands for All where a query uses the variable outside `$__conditionalAll`. */
  allValue?: string;
  /** An object for our query variables, a plugin type for the data source variable. */
  query: { editorType: 'sql'; queryType: string; refId: string; rawSql: string } | string;
  refresh?: number;
  sort?: number;
}

/** Events drawn on every panel over time: the built-in entry of Grafana's own, or a query for columns time, text, title, tags. */
export interface Annotation {
  name: string;
  enable: boolean;
  hide?: boolean;
  iconColor: string;
  datasource: DataSourceRef;
  target?: Target;
  builtIn?: number;
  type?: string;
}

export interface BoardLink {
  title: string;
  /** `dashboards`: the siblings, by tag; `link`: one address, with placeholders as in data links. */
  type: string;
  url?: string;
  tooltip?: string;
  tags: string[];
  asDropdown: boolean;
  includeVars: boolean;
  keepTime: boolean;
}

export interface Board {
  uid: string;
  title: string;
  description: string;
  tags: string[];
  schemaVersion: number;
  editable: boolean;
  graphTooltip: number;
  timezone: string;
  refresh: string;
  time: { from: string; to: string };
  templating: { list: Variable[] };
  annotations: { list: Annotation[] };
  links: BoardLink[];
  panels: Panel[];
}

/** The value `var-x=$__all` and the text `All` stand for every option of a variable, as in Grafana. */
export const ALL_VALUE = '$__all';

/** Every panel of a board with those inside collapsed rows; rows themselves left out. */
export function dataPanels(board: Board): Panel[] {
  return board.panels.flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []) : [panel]));
}

/** From a stored board and a request to the statements that answer it. */
import type { Board, Panel, Target, Variable } from '../shared/model.ts';
import { dataPanels } from '../shared/model.ts';
import { intervalMs, parseInterval } from './interval.ts';
import { expandMacros } from './macros.ts';
import type { TimeRange } from './range.ts';
import { type AllValues, expandConditionalAll, interpolate, type VariableValues } from './variables.ts';

export interface PanelRequest {
  range: TimeRange;
  values: VariableValues;
  allValues?: AllValues;
  /** Points the panel has room for; a panel's own `maxDataPoints` wins. */
  maxDataPoints: number;
}

export interface ExpandedTarget {
  refId: string;
  sql: string;
  /** True for the target that only counts items. */
  hidden: boolean;
}

export interface ExpandedPanel {
  stepSeconds: number;
  targets: ExpandedTarget[];
}

/** The rollups are per minute: a finer step would only draw empty buckets. */
const MIN_INTERVAL_MS = 60_000;

/** The panel of that id, rows aside; undefined where there is none. */
export function findPanel(board: Board, panelId: number): Panel | undefined {
  return dataPanels(board).find((panel) => panel.id === panelId);
}

/** What stands for All in a board's queries. */
export function allValuesOf(board: Board): AllValues {
  return new Map(
    board.templating.list.flatMap(({ name, allValue }) => (allValue === undefined ? [] : [[name, allValue] as const])),
  );
}

/** Runnable SQL of every target of a panel. Throws `bad_request` where a variable lacks its value. */
export function expandPanel(panel: Panel, request: PanelRequest): ExpandedPanel {
  const { fromMs, toMs } = request.range;
  const minMs = Math.max(MIN_INTERVAL_MS, parseInterval(panel.interval ?? '') ?? 0);
  const stepMs = intervalMs(toMs - fromMs, panel.maxDataPoints ?? request.maxDataPoints, minMs);
  const targets = (panel.targets ?? []).map((target: Target) => ({
    refId: target.refId,
    sql: expandSql(target.rawSql, request, stepMs),
    hidden: target.hide === true,
  }));
  return { stepSeconds: stepMs / 1000, targets };
}

/** Runnable SQL of a query variable's options; undefined for a variable that has no query. */
export function expandVariable(variable: Variable, request: Omit<PanelRequest, 'maxDataPoints'>): string | undefined {
  if (typeof variable.query === 'string') return undefined;
  return expandSql(variable.query.rawSql, request, MIN_INTERVAL_MS);
}

/** Runnable SQL of an annotation's events. Throws `bad_request` where a variable lacks its value. */
export function expandAnnotation(target: Target, request: Omit<PanelRequest, 'maxDataPoints'>): ExpandedTarget {
  return { refId: target.refId, sql: expandSql(target.rawSql, request, MIN_INTERVAL_MS), hidden: false };
}

// Macros go first and values last, so that nothing in a value is ever read as a macro, a comment or a variable.
function expandSql(rawSql: string, request: Omit<PanelRequest, 'maxDataPoints'>, stepMs: number): string {
  const conditions = expandConditionalAll(rawSql, request.values);
  const sql = expandMacros(conditions, { ...request.range, intervalMs: stepMs });
  return interpolate(sql, request.values, request.allValues);
}

/**
 * A jump of a route's p99: the window against the time right before it, by more than a fixed amount, more than a share, and more
 * than the sketch could be wrong by. All numbers are those of `boards.latency_jumps`.
 *
 * From its first sight on, an alert is held against the baseline it was first seen with: the sliding one holds the slow spans
 * itself a minute later, and would call the trouble over while it lasts. After a day the sliding baseline takes over again: what
 * has been so for a day is what is usual now.
 */
import type { LatencyEvidence, P99 } from '../evidence.ts';
import type { Evidence, OpenAlert, Transition, Verdict } from '../types.ts';
import { enrichLatency } from './latency-evidence.ts';
import { iso, readRows, type Rule, type RuleContext, seconds } from './rule.ts';

export interface LatencyOptions {
  windowMs: number;
  baselineMs: number;
  minIncreaseMs: number;
  minIncreaseRatio: number;
  minCount: number;
  forMs: number;
}

/** SDKs send every 5 s and rows are visible 2 s later: a minute is looked at once it is this long over. */
const SETTLE_MS = 10_000;
/** Windows move by the minute; an end must be seen in more than one of them. */
const CLEAR_FOR_MS = 60_000;
const NEW_NORMAL_MS = 24 * 3_600_000;
const MAX_ROUTES = 20_000;

export function latencyRule(options: LatencyOptions): Rule {
  return {
    name: 'latency',
    forMs: options.forMs,
    clearForMs: CLEAR_FOR_MS,
    evaluate: (open, context) => evaluate(options, open, context),
    enrich: (fired: readonly Transition[], context) => enrichLatency(fired, context, options),
  };
}

async function evaluate(options: LatencyOptions, open: readonly OpenAlert[], context: RuleContext): Promise<Verdict[]> {
  const rows = await readRows(context, {
    sql: `SELECT service, route, before_p99_ms, after_p99_ms, n_before, n_after, relative_error,
  toUnixTimestamp(baseline_from) AS baseline_from_s, toUnixTimestamp(window_from) AS window_from_s, toUnixTimestamp(window_to) AS window_to_s
FROM boards.latency_jumps(to = {to:DateTime}, window = {window:UInt32}, baseline = {baseline:UInt32})
WHERE n_after >= {minCount:UInt64}
ORDER BY after_p99_ms - ifNull(before_p99_ms, after_p99_ms) DESC, service, route
LIMIT ${MAX_ROUTES}`,
    params: {
      to: seconds(context.atMs - SETTLE_MS),
      window: seconds(options.windowMs),
      baseline: seconds(options.baselineMs),
      minCount: options.minCount,
    },
  });
  const known = new Map(open.map((alert) => [keyOf(alert.labels['service'], alert.labels['route']), alert]));
  return rows.flatMap((row) => judge(row, known.get(keyOf(row['service'], row['route'])), options, context.atMs));
}

function keyOf(service: unknown, route: unknown): string {
  return JSON.stringify([service, route]);
}

/** One verdict, or none where the baseline is too thin to say. */
function judge(
  row: Record<string, unknown>,
  alert: OpenAlert | undefined,
  options: LatencyOptions,
  atMs: number,
): Verdict[] {
  const labels = { service: String(row['service']), route: String(row['route']) };
  const after = side(row['after_p99_ms'], row['n_after'], row['window_from_s'], row['window_to_s']);
  const sliding = side(row['before_p99_ms'], row['n_before'], row['baseline_from_s'], row['window_from_s']);
  const enough = sliding.n >= options.minCount;
  const frozen = alert === undefined ? undefined : (alert.evidence as unknown as LatencyEvidence).before;
  const isOld = alert !== undefined && alert.firedAtMs !== null && atMs - alert.firedAtMs >= NEW_NORMAL_MS;
  const before = frozen === undefined || (isOld && enough) ? sliding : frozen;
  if (before === sliding && !enough) return [];
  const error = Number(row['relative_error']);
  const active = isJump(before.p99Ms, after.p99Ms, error, options);
  const stillSlow = frozen !== undefined && isJump(frozen.p99Ms, after.p99Ms, error, options);
  const increaseMs = after.p99Ms - before.p99Ms;
  const evidence: LatencyEvidence = {
    kind: 'latency',
    ...labels,
    before,
    after,
    increaseMs,
    increaseRatio: before.p99Ms > 0 ? increaseMs / before.p99Ms : null,
    relativeError: error,
  };
  const resolution = !active && stillSlow ? ({ resolution: 'new_normal' } as const) : {};
  return [{ labels, active, evidence: evidence satisfies Evidence, ...resolution }];
}

function side(p99Ms: unknown, n: unknown, fromS: unknown, toS: unknown): P99 {
  return { p99Ms: Number(p99Ms ?? 0), n: Number(n), from: iso(Number(fromS) * 1000), to: iso(Number(toS) * 1000) };
}

/** Neighbouring bins meet at an edge; the rounding of their values must not part them. */
const EDGE = 1 + 1e-9;

/** More than the amount, more than the share, and the least it can be now above the most it can have been before. */
export function isJump(
  beforeMs: number,
  afterMs: number,
  relativeError: number,
  { minIncreaseMs, minIncreaseRatio }: Pick<LatencyOptions, 'minIncreaseMs' | 'minIncreaseRatio'>,
): boolean {
  const increaseMs = afterMs - beforeMs;
  return (
    increaseMs > minIncreaseMs &&
    increaseMs > minIncreaseRatio * beforeMs &&
    afterMs * (1 - relativeError) > beforeMs * (1 + relativeError) * EDGE
  );
}

/** What is added to a latency alert when it fires: since when, which traces show it, which deploy came before. */
import type { LatencyEvidence } from '../evidence.ts';
import type { Evidence, Transition } from '../types.ts';
import { iso, readRows, reasonOf, type RuleContext, seconds } from './rule.ts';
import { readSuspectDeploys } from './suspect-deploy.ts';

const TRACES = 3;
const MINUTE_MS = 60_000;

interface Fired {
  fingerprint: string;
  evidence: LatencyEvidence;
  /** Start of the window in which the jump was first seen: earlier than that of the evidence where the alert had to wait. */
  firstFromMs: number;
}

interface Thresholds {
  minIncreaseMs: number;
  minIncreaseRatio: number;
}

/** By fingerprint: `onset`, `slowestTraces`, `suspectDeploy`, and `notes` on what could not be read. */
export async function enrichLatency(
  transitions: readonly Transition[],
  context: RuleContext,
  thresholds: Thresholds,
): Promise<ReadonlyMap<string, Evidence>> {
  const fired = transitions.map(firedOf);
  if (fired.length === 0) return new Map();
  const notes: string[] = [];
  const orNote = async <T>(what: string, read: Promise<T>): Promise<T | undefined> => {
    try {
      return await read;
    } catch (error) {
      notes.push(`${what} could not be read: ${reasonOf(error)}`);
      return undefined;
    }
  };
  const [traces, minutes] = await Promise.all([
    orNote('traces', readTraces(fired, context)),
    orNote('the onset', readMinutes(fired, context)),
  ]);
  const onsetOf = ({ evidence }: Fired): number =>
    minutes === undefined ? Date.parse(evidence.after.from) : onsetMs(evidence, minutes, thresholds);
  const onset = (each: Fired) => ({ service: each.evidence.service, atMs: onsetOf(each), grainMs: MINUTE_MS });
  const deployOf = await orNote('deploys', readSuspectDeploys(fired.map(onset), context));
  return new Map(
    fired.map((each) => [
      each.fingerprint,
      {
        onset: iso(onsetOf(each)),
        slowestTraces: traces?.filter((row) => isOf(row, each.evidence)).map(traceOf) ?? [],
        suspectDeploy: deployOf?.(onset(each)) ?? null,
        notes,
      },
    ]),
  );
}

function firedOf({ fingerprint, evidence: raw, atMs, startsAtMs }: Transition): Fired {
  const evidence = raw as unknown as LatencyEvidence;
  const waitedMs = Math.ceil((atMs - startsAtMs) / MINUTE_MS) * MINUTE_MS;
  return { fingerprint, evidence, firstFromMs: Date.parse(evidence.after.from) - waitedMs };
}

/** The slowest three traces of each route in its window; a trace with several slow spans counts once. */
async function readTraces(fired: readonly Fired[], context: RuleContext): Promise<Record<string, unknown>[]> {
  return readRows(context, {
    sql: `SELECT service, route, trace_id, max(duration_ms) AS slowest_ms,
  toUnixTimestamp64Milli(toDateTime64(argMax(time, duration_ms), 3)) AS time_ms
FROM boards.slowest_spans(from = {from:DateTime}, to = {to:DateTime})
WHERE service IN {services:Array(String)} AND route IN {routes:Array(String)}
GROUP BY service, route, trace_id
ORDER BY slowest_ms DESC, trace_id
LIMIT ${TRACES} BY service, route`,
    params: paramsOf(fired, ({ evidence }) => Date.parse(evidence.after.from)),
  });
}

/** p99 of each minute, newest first. */
async function readMinutes(fired: readonly Fired[], context: RuleContext): Promise<Record<string, unknown>[]> {
  return readRows(context, {
    sql: `SELECT service, route, toUnixTimestamp(time) AS time_s, p99_ms
FROM boards.latency_by_route(from = {from:DateTime}, to = {to:DateTime}, step = 60)
WHERE service IN {services:Array(String)} AND route IN {routes:Array(String)}
ORDER BY time_s DESC`,
    params: paramsOf(fired, ({ firstFromMs }) => firstFromMs),
  });
}

/** One call for all: they fired in one evaluation, so their windows end together. */
function paramsOf(fired: readonly Fired[], fromMs: (each: Fired) => number): Record<string, unknown> {
  return {
    from: seconds(Math.min(...fired.map(fromMs))),
    to: seconds(Math.max(...fired.map(({ evidence }) => Date.parse(evidence.after.to)))),
    services: [...new Set(fired.map(({ evidence }) => evidence.service))],
    routes: [...new Set(fired.map(({ evidence }) => evidence.route))],
  };
}

/**
 * The start of the run of slow minutes that lasts to the end of the window: one slow request in an earlier minute does not move
 * it. The start of the window where the newest minute is not slow.
 */
function onsetMs(
  evidence: LatencyEvidence,
  minutes: readonly Record<string, unknown>[],
  thresholds: Thresholds,
): number {
  const floorMs =
    evidence.before.p99Ms + Math.max(thresholds.minIncreaseMs, thresholds.minIncreaseRatio * evidence.before.p99Ms);
  const own = minutes.filter((row) => isOf(row, evidence));
  const firstFast = own.findIndex((row) => Number(row['p99_ms']) <= floorMs);
  const oldestSlow = firstFast === -1 ? own.at(-1) : own[firstFast - 1];
  return oldestSlow === undefined ? Date.parse(evidence.after.from) : Number(oldestSlow['time_s']) * 1000;
}

function isOf(row: Record<string, unknown>, { service, route }: LatencyEvidence): boolean {
  return row['service'] === service && row['route'] === route;
}

function traceOf(row: Record<string, unknown>): Evidence {
  return {
    traceId: String(row['trace_id']),
    durationMs: Number(row['slowest_ms']),
    time: iso(Number(row['time_ms'])),
  };
}

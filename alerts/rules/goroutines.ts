/**
 * A stack whose goroutines pile up: rows of `boards.goroutine_suspects`. A stack that is no longer there is over only where its
 * target was polled in every window; otherwise nothing is known of it.
 */
import type { GoroutineEvidence } from '../evidence.ts';
import type { Evidence, OpenAlert, Transition, Verdict } from '../types.ts';
import { iso, readRows, reasonOf, type Rule, type RuleContext, seconds } from './rule.ts';
import { readSuspectDeploys } from './suspect-deploy.ts';

export interface GoroutineOptions {
  windowMs: number;
  windows: number;
  /** Suspects that grew by less are no alerts. */
  minGrowth: number;
  forMs: number;
}

const MAX_STACKS = 2_000;

export function goroutineRule(options: GoroutineOptions): Rule {
  return {
    name: 'goroutines',
    forMs: options.forMs,
    clearForMs: options.windowMs, // the windows slide: a slow leak may be missing from a few evaluations
    evaluate: (open, context) => evaluate(options, open, context),
    enrich: (fired, context) => enrich(options, fired, context),
  };
}

async function evaluate(
  options: GoroutineOptions,
  open: readonly OpenAlert[],
  context: RuleContext,
): Promise<Verdict[]> {
  if (open.length === 0 && !(await isAnythingPolled(options, context))) return [];
  const rows = await readRows(context, {
    sql: `SELECT service, target, stack, function, location, functions, minima, first_minimum, last_minimum, growth,
  toUnixTimestamp(since) AS since_s, polls
FROM boards.goroutine_suspects(to = {to:DateTime}, window = {window:UInt32}, windows = {windows:UInt32})
WHERE growth >= {min_growth:UInt32}
ORDER BY growth DESC, service, target, stack
LIMIT ${MAX_STACKS}`,
    params: {
      to: seconds(context.atMs),
      window: seconds(options.windowMs),
      windows: options.windows,
      min_growth: options.minGrowth,
    },
  });
  const suspects = rows.map((row) => verdictOf(row, options));
  const named = new Set(suspects.map(({ labels }) => keyOf(labels)));
  const absent = open.filter(({ labels }) => labels['folded'] === undefined && !named.has(keyOf(labels)));
  return [...suspects, ...(await judgeAbsent(absent, options, context))];
}

/** Where no target shows its goroutines this is all the rule costs: a tenth of the question itself. */
async function isAnythingPolled({ windowMs, windows }: GoroutineOptions, context: RuleContext): Promise<boolean> {
  const to = seconds(context.atMs);
  const rows = await readRows(context, {
    sql: 'SELECT target FROM boards.goroutine_polls(from = {from:DateTime}, to = {to:DateTime}) LIMIT 1',
    params: { from: to - windows * seconds(windowMs), to },
  });
  return rows.length > 0;
}

function verdictOf(row: Record<string, unknown>, { windowMs }: GoroutineOptions): Verdict {
  const labels = { service: String(row['service']), target: String(row['target']), stack: String(row['stack']) };
  const evidence: GoroutineEvidence = {
    kind: 'goroutines',
    service: labels.service,
    target: labels.target,
    stack: labels.stack,
    function: String(row['function']),
    location: String(row['location']),
    functions: (row['functions'] as unknown[]).map(String),
    minima: (row['minima'] as unknown[]).map(Number),
    before: Number(row['first_minimum']),
    after: Number(row['last_minimum']),
    growth: Number(row['growth']),
    n: Number(row['polls']),
    windowSeconds: seconds(windowMs),
    since: iso(Number(row['since_s']) * 1000),
  };
  return { labels, active: true, evidence: evidence satisfies Evidence };
}

/** Those whose target was polled in every window do not pile up any more; of the others there is no verdict. */
async function judgeAbsent(
  absent: readonly OpenAlert[],
  { windowMs, windows }: GoroutineOptions,
  context: RuleContext,
): Promise<Verdict[]> {
  if (absent.length === 0) return [];
  const at = seconds(context.atMs);
  const length = seconds(windowMs);
  const calls = Array.from({ length: windows }, (_, index) => ({
    sql: `SELECT service, target FROM boards.goroutine_polls(from = {from${index}:DateTime}, to = {to${index}:DateTime})`,
    params: { [`from${index}`]: at - (index + 1) * length, [`to${index}`]: at - index * length },
  }));
  const rows = await readRows(context, {
    sql: `SELECT service, target FROM (${calls.map(({ sql }) => sql).join('\nUNION ALL ')}) GROUP BY service, target HAVING count() = {windows:UInt32}`,
    params: Object.assign({ windows }, ...calls.map(({ params }) => params)) as Record<string, unknown>,
  });
  const polled = new Set(rows.map((row) => JSON.stringify([row['service'], row['target']])));
  return absent
    .filter(({ labels }) => polled.has(JSON.stringify([labels['service'], labels['target']])))
    .map(({ labels }) => ({ labels, active: false, evidence: { kind: 'goroutines', seen: iso(context.atMs) } }));
}

function keyOf({ service, target, stack }: Readonly<Record<string, string>>): string {
  return JSON.stringify([service, target, stack]);
}

/** By fingerprint: `suspectDeploy`, and `notes` where it could not be read. */
async function enrich(
  { windowMs }: GoroutineOptions,
  fired: readonly Transition[],
  context: RuleContext,
): Promise<ReadonlyMap<string, Evidence>> {
  if (fired.length === 0) return new Map();
  const onsetOf = ({ evidence, atMs, startsAtMs }: Transition) => ({
    service: String(evidence['service']),
    atMs:
      Date.parse(String(evidence['since'])) -
      (atMs - startsAtMs) + // as it was when the stack was first suspected
      onsetWindow((evidence['minima'] as number[] | undefined) ?? []) * windowMs,
    grainMs: windowMs,
  });
  try {
    const deployOf = await readSuspectDeploys(fired.map(onsetOf), context);
    return new Map(fired.map((each) => [each.fingerprint, { suspectDeploy: deployOf(onsetOf(each)), notes: [] }]));
  } catch (error) {
    const notes = [`deploys could not be read: ${reasonOf(error)}`];
    return new Map(fired.map((each) => [each.fingerprint, { suspectDeploy: null, notes }]));
  }
}

/**
 * In which window it began to pile up: the one before the first rise that is at least half of the largest. A steady leak began in the
 * oldest window; a pool that crept up by ones before does not move the onset of a leak back before the deploy that brought it.
 */
export function onsetWindow(minima: readonly number[]): number {
  const rises = minima.slice(1).map((minimum, index) => minimum - (minima[index] ?? 0));
  const largest = Math.max(0, ...rises);
  return Math.max(
    0,
    rises.findIndex((rise) => rise * 2 >= largest),
  );
}

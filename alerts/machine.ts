/**
 * The state machine of alerts: pure, and a value through and through, so that it can be written to a file after any step and
 * go on from there as if nothing had happened.
 *
 *     (none) --holds--> pending --held for `forMs`--> firing --does not hold, `clear…`--> resolved (and forgotten)
 *                          \--does not hold--> resolved (nobody was told)
 *
 * Unknown is neither yes nor no. While a rule's query fails, its alerts stay as they are, for however long. While the query
 * works but says nothing of an alert (a route without enough traffic, a target that is not polled), the alert stays as it is
 * too; once that has been so for `staleAfterMs`, it is closed as `no_data`, as what may be gone for good cannot stay open.
 */
import { fingerprintOf } from './fingerprint.ts';
import type { Evidence, Labels, OpenAlert, Resolution, RuleName, RuleOutcome, Transition, Verdict } from './types.ts';

export interface MachineState {
  /** By fingerprint. */
  open: Readonly<Record<string, OpenAlert>>;
  /** Unix ms of the last evaluation of each rule that was not unknown. */
  knownAtMs: Readonly<Partial<Record<RuleName, number>>>;
}

export interface RuleTimes {
  /** How long the condition must be seen to hold before it fires. */
  forMs: number;
  /** How long it must be seen not to hold before it is over; besides `clearEvaluations`. */
  clearForMs: number;
}

export interface MachineOptions {
  /** Of the rules that are on. */
  times: Readonly<Partial<Record<RuleName, RuleTimes>>>;
  /** Verdicts in a row against an alert before it is over. */
  clearEvaluations: number;
  staleAfterMs: number;
  /** A gap between two evaluations counts at most this much: what was not watched is not known to have held. */
  maxGapMs: number;
  /** Open alerts of one rule at most; what does not fit is counted in one alert that stands for it. */
  maxOpenPerRule: number;
}

export const NO_ALERTS: MachineState = { open: {}, knownAtMs: {} };

/** Labels of the alert that stands for what did not fit under the cap. */
export const FOLDED_LABELS: Labels = { folded: 'true' };
const FOLDED_EXAMPLES = 10;

/** One evaluation of every rule. Rules that are not mentioned are unknown. */
export function step(
  state: MachineState,
  atMs: number,
  outcomes: readonly RuleOutcome[],
  options: MachineOptions,
): { state: MachineState; transitions: Transition[] } {
  const work: Work = { open: new Map(Object.entries(state.open)), transitions: [], atMs, options };
  const knownAtMs = { ...state.knownAtMs };
  for (const outcome of outcomes) {
    if (outcome.state === 'unknown') continue;
    if (outcome.state === 'off') closeAll(work, outcome.rule, 'rule_off');
    else judge(work, outcome.rule, outcome.verdicts, knownAtMs[outcome.rule]);
    knownAtMs[outcome.rule] = atMs;
  }
  return { state: { open: Object.fromEntries(work.open), knownAtMs }, transitions: work.transitions };
}

interface Work {
  open: Map<string, OpenAlert>;
  transitions: Transition[];
  atMs: number;
  options: MachineOptions;
}

function judge(work: Work, rule: RuleName, verdicts: readonly Verdict[], previousAtMs: number | undefined): void {
  const seen = new Set<string>();
  const folded: Labels[] = [];
  let room = work.options.maxOpenPerRule - ofRule(work, rule).filter((alert) => !isFolded(alert)).length;
  for (const verdict of verdicts) {
    const fingerprint = fingerprintOf(rule, verdict.labels);
    if (seen.has(fingerprint)) continue;
    seen.add(fingerprint);
    const alert = work.open.get(fingerprint);
    if (alert !== undefined) {
      if (verdict.active) hold(work, alert, verdict.evidence);
      else clear(work, alert, verdict);
      if (!work.open.has(fingerprint)) room += 1;
    } else if (verdict.active && room > 0) {
      room -= 1;
      open(work, rule, fingerprint, verdict);
    } else if (verdict.active) folded.push(verdict.labels);
  }
  seen.add(judgeFolded(work, rule, folded));
  const gapMs = previousAtMs === undefined ? 0 : gapOf(work, previousAtMs);
  for (const alert of ofRule(work, rule)) if (!seen.has(alert.fingerprint)) miss(work, alert, gapMs);
}

/** One alert for all that did not fit; over when everything fits. */
function judgeFolded(work: Work, rule: RuleName, folded: readonly Labels[]): string {
  const fingerprint = fingerprintOf(rule, FOLDED_LABELS);
  const alert = work.open.get(fingerprint);
  const evidence: Evidence = {
    kind: 'folded',
    count: folded.length,
    shown: work.options.maxOpenPerRule,
    examples: folded.slice(0, FOLDED_EXAMPLES),
  };
  const verdict: Verdict = { labels: FOLDED_LABELS, active: folded.length > 0, evidence };
  if (alert === undefined) {
    if (verdict.active) open(work, rule, fingerprint, verdict);
  } else if (verdict.active) hold(work, alert, evidence);
  else clear(work, alert, verdict);
  return fingerprint;
}

function open(work: Work, rule: RuleName, fingerprint: string, { labels, evidence }: Verdict): void {
  const alert: OpenAlert = {
    fingerprint,
    rule,
    labels,
    status: 'pending',
    startsAtMs: work.atMs,
    firedAtMs: null,
    judgedAtMs: work.atMs,
    heldMs: 0,
    clearCount: 0,
    clearAtMs: null,
    missingMs: 0,
    evidence,
    latest: evidence,
  };
  work.transitions.push(transition(alert, 'none', 'pending', work.atMs));
  keepOrFire(work, alert);
}

function hold(work: Work, alert: OpenAlert, evidence: Evidence): void {
  keepOrFire(work, {
    ...alert,
    judgedAtMs: work.atMs,
    heldMs: alert.heldMs + gapOf(work, alert.judgedAtMs),
    clearCount: 0,
    clearAtMs: null,
    missingMs: 0,
    evidence: alert.status === 'pending' ? evidence : alert.evidence,
    latest: evidence,
  });
}

function keepOrFire(work: Work, alert: OpenAlert): void {
  const isDue = alert.status === 'pending' && alert.heldMs >= timesOf(work, alert).forMs;
  if (isDue) work.transitions.push(transition(alert, 'pending', 'firing', work.atMs));
  work.open.set(alert.fingerprint, isDue ? { ...alert, status: 'firing', firedAtMs: work.atMs } : alert);
}

function clear(work: Work, alert: OpenAlert, { evidence, resolution = 'recovered' }: Verdict): void {
  const clearAtMs = alert.clearAtMs ?? work.atMs;
  const cleared = {
    ...alert,
    judgedAtMs: work.atMs,
    clearCount: alert.clearCount + 1,
    clearAtMs,
    missingMs: 0,
    latest: evidence,
  };
  const isOver =
    cleared.clearCount >= work.options.clearEvaluations && work.atMs - clearAtMs >= timesOf(work, alert).clearForMs;
  if (alert.status === 'pending') close(work, cleared, 'not_held');
  else if (isOver) close(work, cleared, resolution);
  else work.open.set(alert.fingerprint, cleared);
}

function miss(work: Work, alert: OpenAlert, gapMs: number): void {
  const missed = { ...alert, missingMs: alert.missingMs + gapMs };
  if (missed.missingMs >= work.options.staleAfterMs) close(work, missed, 'no_data');
  else work.open.set(alert.fingerprint, missed);
}

function close(work: Work, alert: OpenAlert, resolution: Resolution): void {
  work.open.delete(alert.fingerprint);
  work.transitions.push({
    ...transition(alert, alert.status, 'resolved', work.atMs),
    endsAtMs: work.atMs,
    resolution: alert.status === 'pending' && resolution !== 'rule_off' ? 'not_held' : resolution,
  });
}

function closeAll(work: Work, rule: RuleName, resolution: Resolution): void {
  for (const alert of ofRule(work, rule)) close(work, alert, resolution);
}

function transition(alert: OpenAlert, from: Transition['from'], to: Transition['to'], atMs: number): Transition {
  const { fingerprint, rule, labels, startsAtMs, evidence, latest } = alert;
  return { fingerprint, rule, labels, from, to, startsAtMs, endsAtMs: null, atMs, evidence, latest, resolution: null };
}

function ofRule(work: Work, rule: RuleName): OpenAlert[] {
  return [...work.open.values()].filter((alert) => alert.rule === rule);
}

function timesOf({ options }: Work, { rule }: OpenAlert): RuleTimes {
  return options.times[rule] ?? { forMs: 0, clearForMs: 0 };
}

function isFolded(alert: OpenAlert): boolean {
  return alert.labels['folded'] === FOLDED_LABELS['folded'];
}

/** A wall clock that was set back gives no time at all. */
function gapOf({ atMs, options }: Work, sinceMs: number): number {
  return Math.min(Math.max(0, atMs - sinceMs), options.maxGapMs);
}

/** One evaluation: ask the rules, step the machine, gather evidence of what fires, write down what is to be told. */
import type { Clock, Log, Store } from '../core/ports.ts';
import type { AlertRow } from '../core/rows.ts';
import type { Book } from './book.ts';
import { type MachineOptions, type MachineState, step } from './machine.ts';
import { evidenceOf, labelsOf, type Message, messageOf } from './message.ts';
import { deliveryRow, enqueue } from './outbox.ts';
import type { Recorder } from './recorder.ts';
import { reasonOf, type Rule, type RuleContext } from './rules/rule.ts';
import { withRecords } from './state.ts';
import { textOf } from './text.ts';
import type { Evidence, OpenAlert, RuleName, RuleOutcome, Transition } from './types.ts';

export interface EvaluateDeps {
  book: Book;
  recorder: Recorder;
  store: Pick<Store, 'query'>;
  /** Rules that are on. */
  rules: readonly Rule[];
  options: Omit<MachineOptions, 'times'>;
  /** Names of those who are told. */
  receivers: readonly string[];
  /** Without a trailing slash. */
  pageUrl: string;
  clock: Clock;
  log: Log;
}

const RULE_NAMES: readonly RuleName[] = ['latency', 'goroutines'];

/** Returns the evaluation; it remembers, for the log alone, which rules were unknown last time. */
export function createEvaluation(deps: EvaluateDeps): (signal: AbortSignal) => Promise<void> {
  const reasons = new Map<RuleName, string>();
  const times = Object.fromEntries(deps.rules.map(({ name, forMs, clearForMs }) => [name, { forMs, clearForMs }]));
  const options: MachineOptions = { ...deps.options, times };
  return async (signal) => {
    const { book, recorder, store, rules, clock, log } = deps;
    const context: RuleContext = { store, atMs: clock.nowMs(), signal };
    const before = book.current().machine;
    const outcomes = await Promise.all(RULE_NAMES.map((name) => ask(name, rules, before, context)));
    for (const outcome of outcomes) logUnknown(outcome, reasons, log);
    const stepped = step(before, context.atMs, outcomes, options);
    const enriched = await enrich(stepped, rules, context);
    if (isStop(signal)) return; // what was decided half way is decided anew, with all its evidence, after the restart
    for (const each of enriched.transitions) logTransition(each, log);
    commit(deps, enriched, context.atMs);
    if (!isIdle(before, enriched)) await book.flush();
    recorder.record();
  };
}

type Stepped = ReturnType<typeof step>;

async function ask(
  name: RuleName,
  rules: readonly Rule[],
  { open }: MachineState,
  context: RuleContext,
): Promise<RuleOutcome> {
  const rule = rules.find((each) => each.name === name);
  if (rule === undefined) return { rule: name, state: 'off' };
  try {
    const own = Object.values(open).filter((alert) => alert.rule === name);
    return { rule: name, state: 'known', verdicts: await rule.evaluate(own, context) };
  } catch (error) {
    return { rule: name, state: 'unknown', reason: reasonOf(error) };
  }
}

/** Whether Heliograph stops; a run that is out of time goes on with what it has. */
function isStop({ aborted, reason }: AbortSignal): boolean {
  return aborted && !(reason instanceof Error && reason.name === 'TimeoutError');
}

/** Without alerts there is nothing to remember but the time, which the file may lag behind in. */
function isIdle(before: MachineState, { state, transitions }: Stepped): boolean {
  return transitions.length === 0 && Object.keys(before.open).length === 0 && Object.keys(state.open).length === 0;
}

/** Adds to transitions and open alerts what is known of those that fire. */
async function enrich(stepped: Stepped, rules: readonly Rule[], context: RuleContext): Promise<Stepped> {
  const fired = stepped.transitions.filter(({ to, evidence }) => to === 'firing' && evidence['kind'] !== 'folded');
  if (fired.length === 0) return stepped;
  const found = await Promise.all(
    rules.map((rule) =>
      rule.enrich(
        fired.filter((each) => each.rule === rule.name),
        context,
      ),
    ),
  );
  const extra = new Map(found.flatMap((each) => [...each]));
  const add = <T extends { fingerprint: string; evidence: Evidence }>(each: T): T => {
    const known = extra.get(each.fingerprint);
    return known === undefined ? each : { ...each, evidence: { ...each.evidence, ...known } };
  };
  const open: Record<string, OpenAlert> = {};
  for (const [fingerprint, alert] of Object.entries(stepped.state.open))
    open[fingerprint] = alert.status === 'firing' ? add(alert) : alert;
  return {
    state: { ...stepped.state, open },
    transitions: stepped.transitions.map((each) => (each.to === 'firing' ? add(each) : each)),
  };
}

/** The decision as one change: a crash keeps all of it or nothing. */
function commit({ book, receivers, pageUrl, log }: EvaluateDeps, { state, transitions }: Stepped, atMs: number): void {
  const messages = transitions
    .map((each) => messageOf(each, pageUrl))
    .filter((message): message is Message => message !== undefined);
  book.change((current) => {
    const { outbox, givenUp } = enqueue(current.outbox, messages, receivers, atMs);
    const { records, lost } = withRecords(current.records, {
      alerts: transitions.map(rowOf),
      deliveries: givenUp.map(({ entry }) => deliveryRow(entry, atMs, 'gave_up', null)),
    });
    if (givenUp.length > 0)
      log.error({ messages: givenUp.length, reason: givenUp[0]?.reason }, 'alert messages given up');
    if (lost > 0) log.error({ rows: lost }, 'alert records lost: the journal has not taken any for too long');
    return { machine: state, outbox, records };
  });
}

function rowOf(transition: Transition): AlertRow {
  const { fingerprint, rule, to, startsAtMs, endsAtMs, atMs, evidence, latest, resolution } = transition;
  return {
    fingerprint,
    rule,
    status: to,
    labels: labelsOf(transition),
    summary: textOf(evidence, latest, resolution).summary,
    starts_at_ms: startsAtMs,
    ends_at_ms: endsAtMs,
    changed_at_ms: atMs,
    evidence: JSON.stringify(evidenceOf(transition)),
  };
}

/** Once when a rule cannot be evaluated, once when it can again: not every thirty seconds. */
function logUnknown(outcome: RuleOutcome, reasons: Map<RuleName, string>, log: Log): void {
  const { rule } = outcome;
  const reason = outcome.state === 'unknown' ? outcome.reason : undefined;
  if (reason === reasons.get(rule)) return;
  if (reason === undefined) {
    reasons.delete(rule);
    log.info({ rule }, 'an alert rule can be evaluated again');
  } else {
    reasons.set(rule, reason);
    log.warn({ rule, reason }, 'an alert rule cannot be evaluated: its alerts stay as they are');
  }
}

function logTransition({ rule, fingerprint, labels, from, to, resolution }: Transition, log: Log): void {
  if (to === 'pending') return;
  const fields = { rule, fingerprint, labels, ...(resolution === null ? {} : { resolution }) };
  if (to === 'firing') log.warn(fields, 'alert fires');
  else if (from === 'firing') log.info(fields, 'alert is over');
}

/** The state machine against a model that recomputes every alert from its whole history. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MachineOptions, type MachineState, NO_ALERTS, step } from '../../alerts/machine.ts';
import { EMPTY_STATE, parseState, serializeState } from '../../alerts/state.ts';
import type { RuleOutcome, Transition, Verdict } from '../../alerts/types.ts';

const OPTIONS: MachineOptions = {
  times: { latency: { forMs: 60_000, clearForMs: 45_000 }, goroutines: { forMs: 0, clearForMs: 0 } },
  clearEvaluations: 3,
  staleAfterMs: 150_000,
  maxGapMs: 90_000,
  maxOpenPerRule: 100,
};
const KEYS = ['a', 'b', 'c'];

/** What one evaluation says of one key; or of the whole rule. */
type Word = 'holds' | 'clear' | 'missing';
type Round = { gapMs: number; rule: 'known' | 'unknown' | 'off'; words: Word[]; restart: boolean };

const round: fc.Arbitrary<Round> = fc.record({
  gapMs: fc.constantFrom(1_000, 30_000, 30_000, 30_000, 60_000, 400_000),
  rule: fc.constantFrom(
    'known' as const,
    'known' as const,
    'known' as const,
    'known' as const,
    'unknown' as const,
    'off' as const,
  ),
  words: fc.array(fc.constantFrom<Word>('holds', 'holds', 'holds', 'clear', 'clear', 'missing', 'missing'), {
    minLength: KEYS.length,
    maxLength: KEYS.length,
  }),
  restart: fc.boolean(),
});
const rounds = fc.array(round, { minLength: 1, maxLength: 60 });

function verdictsOf(words: readonly Word[]): Verdict[] {
  return KEYS.flatMap((key, index) => {
    const word = words[index];
    if (word === undefined || word === 'missing') return [];
    return [{ labels: { key }, active: word === 'holds', evidence: { kind: 'test', word } }];
  });
}

function outcomeOf({ rule, words }: Round): RuleOutcome {
  if (rule === 'unknown') return { rule: 'latency', state: 'unknown', reason: 'store down' };
  if (rule === 'off') return { rule: 'latency', state: 'off' };
  return { rule: 'latency', state: 'known', verdicts: verdictsOf(words) };
}

function restarted(machine: MachineState): MachineState {
  return parseState(serializeState({ ...EMPTY_STATE, machine })).machine;
}

/** Runs the rounds; transitions in order, and the last state. */
function run(all: readonly Round[], restart: (round: Round) => boolean) {
  let state = NO_ALERTS;
  let atMs = 1_700_000_000_000;
  const transitions: Transition[] = [];
  for (const each of all) {
    atMs += each.gapMs;
    if (restart(each)) state = restarted(state);
    const next = step(state, atMs, [outcomeOf(each)], OPTIONS);
    state = next.state;
    transitions.push(...next.transitions);
  }
  return { state, transitions };
}

interface Event {
  atMs: number;
  word: Word | 'off';
  /** Of the rule before this one, outages left out. */
  previousKnownMs: number | undefined;
}

/** `pending@t`, `firing@t`, `resolved@t why` of one key, from its whole history. */
function expected(all: readonly Round[], index: number): string[] {
  const said: string[] = [];
  let atMs = 1_700_000_000_000;
  let previousKnownMs: number | undefined;
  let episode: Event[] = [];
  for (const { gapMs, rule, words } of all) {
    atMs += gapMs;
    if (rule === 'unknown') continue;
    const word = rule === 'off' ? 'off' : (words[index] ?? 'missing');
    if (episode.length > 0 || word === 'holds') episode.push({ atMs, word, previousKnownMs });
    previousKnownMs = atMs;
    if (episode.length === 0) continue;
    if (episode.length === 1) said.push(`pending@${atMs}`);
    if (firedAt(episode) === atMs) said.push(`firing@${atMs}`);
    const end = endOf(episode);
    if (end !== undefined) {
      said.push(`resolved@${atMs} ${end}`);
      episode = [];
    }
  }
  return said;
}

const capped = (gapMs: number): number => Math.min(gapMs, OPTIONS.maxGapMs);
const verdicts = (episode: readonly Event[]): Event[] =>
  episode.filter(({ word }) => word === 'holds' || word === 'clear');

/** When the condition had held for long enough; before that, a single "clear" ends the episode. */
function firedAt(episode: readonly Event[]): number | undefined {
  let heldMs = 0;
  for (const [index, event] of verdicts(episode).entries()) {
    if (event.word !== 'holds') return undefined;
    const before = verdicts(episode)[index - 1];
    heldMs += before === undefined ? 0 : capped(event.atMs - before.atMs);
    if (heldMs >= (OPTIONS.times.latency?.forMs ?? 0)) return event.atMs;
  }
  return undefined;
}

function endOf(episode: readonly Event[]): string | undefined {
  const last = episode.at(-1);
  if (last === undefined) return undefined;
  const fired = firedAt(episode) !== undefined;
  if (last.word === 'off') return 'rule_off';
  if (last.word === 'clear') {
    if (!fired) return 'not_held';
    const judged = verdicts(episode);
    const run = judged.slice(judged.findLastIndex(({ word }) => word === 'holds') + 1);
    const isLong = last.atMs - (run[0]?.atMs ?? last.atMs) >= (OPTIONS.times.latency?.clearForMs ?? 0);
    return run.length >= OPTIONS.clearEvaluations && isLong ? 'recovered' : undefined;
  }
  const silent = episode.slice(episode.findLastIndex(({ word }) => word !== 'missing') + 1);
  const silentMs = silent.reduce((sum, event) => sum + capped(event.atMs - (event.previousKnownMs ?? event.atMs)), 0);
  if (silentMs < OPTIONS.staleAfterMs) return undefined;
  return fired ? 'no_data' : 'not_held';
}

function groupBy<T>(all: readonly T[], keyOf: (each: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each]);
  return groups;
}

const spoken = ({ to, atMs, resolution }: Transition): string =>
  to === 'resolved' ? `resolved@${atMs} ${String(resolution)}` : `${to}@${atMs}`;

describe('the machine', () => {
  test('says of every alert what its whole history says, restarts or not', () => {
    fc.assert(
      fc.property(rounds, (all) => {
        const { transitions } = run(all, ({ restart }) => restart);
        for (const [index, key] of KEYS.entries()) {
          const own = transitions.filter(({ labels }) => labels['key'] === key);
          expect(own.map(spoken)).toEqual(expected(all, index));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a restart anywhere is no restart', () => {
    fc.assert(
      fc.property(rounds, (all) => {
        expect(run(all, () => true)).toEqual(run(all, () => false));
      }),
    );
  });

  test('no transition is skipped or said twice: pending, then firing or not, then resolved', () => {
    fc.assert(
      fc.property(rounds, (all) => {
        const { state, transitions } = run(all, ({ restart }) => restart);
        const alerts = groupBy(transitions, ({ fingerprint, startsAtMs }) => `${fingerprint} ${startsAtMs}`);
        for (const [name, own] of alerts) {
          const path = own.map(({ from, to }) => `${from}>${to}`).join(' ');
          const isOpen = Object.values(state.open).some((each) => `${each.fingerprint} ${each.startsAtMs}` === name);
          expect(path).toMatch(
            isOpen
              ? /^none>pending( pending>firing)?$/
              : /^none>pending( pending>firing firing>resolved| pending>resolved)$/,
          );
        }
      }),
    );
  });

  test('a store that is down changes nothing, for however long', () => {
    fc.assert(
      fc.property(rounds, fc.integer({ min: 1, max: 1000 }), (all, days) => {
        const { state } = run(all, () => false);
        const outage: RuleOutcome = { rule: 'latency', state: 'unknown', reason: 'down' };
        const next = step(state, 1_700_000_000_000 + days * 86_400_000, [outage], OPTIONS);
        expect(next).toEqual({ state, transitions: [] });
        expect(step(state, 1_800_000_000_000, [], OPTIONS)).toEqual({ state, transitions: [] });
      }),
    );
  });
});

const holding = (names: readonly string[]): RuleOutcome => ({
  rule: 'goroutines',
  state: 'known',
  verdicts: names.map((name) => ({ labels: { name }, active: true, evidence: { kind: 'test' } })),
});

describe('a flood', () => {
  const limited: MachineOptions = { ...OPTIONS, maxOpenPerRule: 5 };
  const names = Array.from({ length: 40 }, (_, index) => `route-${index}`);

  test('is folded: the worst keep alerts of their own, one more stands for the rest and says how many', () => {
    const { state, transitions } = step(NO_ALERTS, 1000, [holding(names)], limited);
    const firing = transitions.filter(({ to }) => to === 'firing');
    expect(firing.map(({ labels }) => labels)).toEqual([
      ...names.slice(0, 5).map((name) => ({ name })),
      { folded: 'true' },
    ]);
    expect(firing.at(-1)?.evidence).toMatchObject({ kind: 'folded', count: 35, shown: 5 });
    expect(firing.at(-1)?.evidence['examples']).toHaveLength(10);
    expect(Object.keys(state.open)).toHaveLength(6);
  });

  test('that goes on says nothing twice, and ends once for the folded alert too', () => {
    let { state } = step(NO_ALERTS, 1000, [holding(names)], limited);
    const later: Transition[] = [];
    const clear: RuleOutcome = {
      rule: 'goroutines',
      state: 'known',
      verdicts: names.map((name) => ({ labels: { name }, active: false, evidence: { kind: 'test' } })),
    };
    for (const [index, outcome] of [holding(names), holding(names), clear, clear, clear, clear].entries()) {
      const next = step(state, 2000 + index, [outcome], limited);
      state = next.state;
      later.push(...next.transitions);
    }
    expect(later.map(({ from, to }) => `${from}>${to}`)).toEqual(new Array(6).fill('firing>resolved'));
    expect(state.open).toEqual({});
  });

  test('never opens more than the cap, whatever comes and goes', () => {
    const subsets = fc.array(fc.subarray(names), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(subsets, (all) => {
        let state = NO_ALERTS;
        for (const [index, active] of all.entries()) {
          state = step(state, 1000 * index, [holding(active)], limited).state;
          expect(
            Object.values(state.open).filter(({ labels }) => labels['folded'] === undefined).length,
          ).toBeLessThanOrEqual(5);
        }
      }),
    );
  });
});

test('a clock that was set back takes no time away and fires nothing early', () => {
  const holds: RuleOutcome = { rule: 'latency', state: 'known', verdicts: verdictsOf(['holds']) };
  let { state } = step(NO_ALERTS, 10_000_000, [holds], OPTIONS);
  state = step(state, 1_000_000, [holds], OPTIONS).state;
  expect(Object.values(state.open)[0]).toMatchObject({ status: 'pending', heldMs: 0 });
  state = step(state, 1_030_000, [holds], OPTIONS).state;
  expect(Object.values(state.open)[0]).toMatchObject({ status: 'pending', heldMs: 30_000 });
});

test('a state of another version or shape is refused, saying which', () => {
  expect(() => parseState('{"version":2}')).toThrow('version 2 is not known here');
  expect(() => parseState('{"version":1,"machine":{}}')).toThrow('does not have the shape');
  expect(() => parseState('{"version":1')).toThrow();
  expect(parseState(serializeState(EMPTY_STATE))).toEqual(EMPTY_STATE);
});

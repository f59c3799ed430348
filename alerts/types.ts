/** What rules, machine and messages say to each other. Everything here can be written as JSON and read back unchanged. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What a rule saw, as it goes to receivers and into `heliograph.alerts`. Times are ISO, UTC. */
export type Evidence = { readonly [key: string]: Json };

/** What an alert is about. Together with the rule they are its identity. */
export type Labels = Readonly<Record<string, string>>;

export type RuleName = 'latency' | 'goroutines';

/** What a rule can say of one thing; of what it does not name it knows nothing. */
export interface Verdict {
  labels: Labels;
  /** Whether the condition holds. */
  active: boolean;
  evidence: Evidence;
  /** Why an open alert is over, where it is not that things are as they were. */
  resolution?: 'recovered' | 'new_normal';
}

/** What came of one evaluation of a rule. */
export type RuleOutcome =
  /** The worst first: what does not fit under the cap is folded. */
  | { rule: RuleName; state: 'known'; verdicts: readonly Verdict[] }
  /** The query failed. Nothing fires and nothing resolves. */
  | { rule: RuleName; state: 'unknown'; reason: string }
  /** Switched off by its setting. */
  | { rule: RuleName; state: 'off' };

/**
 * Why an alert is over. `recovered`: the condition no longer holds. `new_normal`: it has held for so long that it is what is
 * usual now. `no_data`: nothing has been known for too long. `rule_off`: the rule was switched off. `not_held`: it never fired.
 */
export type Resolution = 'recovered' | 'new_normal' | 'no_data' | 'rule_off' | 'not_held';

/** An alert that is not over. */
export interface OpenAlert {
  /** 16 lower hex digits. */
  fingerprint: string;
  rule: RuleName;
  labels: Labels;
  status: 'pending' | 'firing';
  /** Unix ms at which the condition was first seen to hold, as all `…Ms` below that end in `At`. */
  startsAtMs: number;
  firedAtMs: number | null;
  /** Unix ms of the last verdict. */
  judgedAtMs: number;
  /** How long the condition has been seen to hold; gaps count at most `maxGapMs`. */
  heldMs: number;
  /** Verdicts in a row that the condition does not hold, and when the first of them came. */
  clearCount: number;
  clearAtMs: number | null;
  /** How long the rule has been evaluated without a word about this alert. */
  missingMs: number;
  /** Up to the firing that of the last verdict; then what it fired with. */
  evidence: Evidence;
  /** Of the last verdict. */
  latest: Evidence;
}

/** A step from one status to the next. */
export interface Transition {
  fingerprint: string;
  rule: RuleName;
  labels: Labels;
  from: 'none' | 'pending' | 'firing';
  to: 'pending' | 'firing' | 'resolved';
  startsAtMs: number;
  /** Set when `to` is resolved. */
  endsAtMs: number | null;
  atMs: number;
  evidence: Evidence;
  latest: Evidence;
  /** Set when `to` is resolved. */
  resolution: Resolution | null;
}

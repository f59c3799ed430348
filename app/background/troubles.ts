/** Says when a target's trouble begins and when it ends, and nothing in between. */
import type { Log } from '../../core/ports.ts';
import type { TargetPollRow } from '../../core/rows.ts';

/** Takes in each poll. That a kind is not mounted is an answer, no trouble. */
export function createTroubles(log: Log): (poll: TargetPollRow) => void {
  /** By target: the kinds in trouble, and which. */
  const troubles = new Map<string, Map<string, string>>();
  return ({ target, kind, outcome, reason }) => {
    const ofTarget = troubles.get(target) ?? new Map<string, string>();
    const before = ofTarget.get(kind);
    if (outcome === 'ok' || outcome === 'not_mounted') {
      ofTarget.delete(kind);
      if (before !== undefined && ofTarget.size === 0) log.info({ target }, 'target answers again');
    } else {
      // a process that is down fails in every kind: it is said once
      if (before !== outcome && ![...ofTarget.values()].includes(outcome))
        log.warn({ target, kind, outcome, reason }, 'target in trouble');
      ofTarget.set(kind, outcome);
    }
    troubles.set(target, ofTarget);
  };
}

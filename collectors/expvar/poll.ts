/** Fetches /debug/vars from a target and makes its row. */
import type { GoRuntimeRow, PollOutcome, TargetPollRow } from '../../core/rows.ts';
import type { Target, TargetFetch } from '../../core/target-fetch.ts';
import { decodeVars } from './decode.ts';

const MAX_BYTES = 4 * 1024 * 1024;

export interface VarsPoll {
  poll: TargetPollRow;
  /** Undefined where the poll came to nothing. */
  runtime: GoRuntimeRow | undefined;
  /** Numbers that did not fit. */
  leftOut: number;
}

/** Polls once. `cyclesBefore` is `gc_cycles` of the poll before, null where unknown. Rejects only when the signal fires. */
export async function pollVars(
  { fetch, nowMs }: { fetch: TargetFetch; nowMs: () => number },
  target: Target,
  cyclesBefore: number | null,
  signal: AbortSignal,
): Promise<VarsPoll> {
  const atMs = nowMs();
  const answer = await fetch({ target, path: '/debug/vars', durationMs: 0, maxBytes: MAX_BYTES, signal });
  const head = { time_ms: atMs, service: target.service, target: target.name };
  const poll = (outcome: PollOutcome, reason: string): TargetPollRow => ({
    ...head,
    kind: 'expvar',
    outcome,
    reason,
    duration_ms: answer.durationMs,
    bytes: answer.bytes,
    total: null,
  });
  if (answer.outcome !== 'ok') return { poll: poll(answer.outcome, answer.reason), runtime: undefined, leftOut: 0 };
  const vars = decodeVars(answer.body, cyclesBefore);
  if (!vars.ok)
    return { poll: poll(vars.cutShort ? 'broken_off' : 'not_a_profile', vars.rule), runtime: undefined, leftOut: 0 };
  return { poll: poll('ok', ''), runtime: { ...head, ...vars.figures }, leftOut: vars.leftOut };
}

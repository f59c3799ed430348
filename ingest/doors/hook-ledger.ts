/** What webhooks and deploy events came to. One ledger feeds /metrics, /api/status and the log. */
import { type ErrorCode, HeliographError } from '../../core/errors.ts';
import type { Clock, Log } from '../../core/ports.ts';

/** `stored`, `duplicate`, `ignored` are acked; the others are error codes of the answer. */
export interface HookCount {
  hook: string;
  event: string;
  outcome: string;
  count: number;
  lastAtMs: number;
}

export interface HookLedger {
  /** `event` must come from a bounded set: it is a label. A failed one (`why`) is logged, once a second at most. */
  count(hook: string, event: string, outcome: string, why?: string): void;
  totals(): HookCount[];
}

const LOG_INTERVAL_MS = 1000;

export function createHookLedger(clock: Clock, log: Log): HookLedger {
  const counts = new Map<string, HookCount>();
  let loggedAtMs = -Infinity;
  let heldBack = 0;
  return {
    count(hook, event, outcome, why) {
      const key = `${hook} ${event} ${outcome}`;
      const entry = counts.get(key) ?? { hook, event, outcome, count: 0, lastAtMs: 0 };
      counts.set(key, entry);
      entry.count += 1;
      entry.lastAtMs = clock.nowMs();
      if (why === undefined) return;
      if (clock.monotonicMs() - loggedAtMs < LOG_INTERVAL_MS) {
        heldBack += 1;
        return;
      }
      log.warn({ hook, event, outcome, why, heldBack }, 'delivery refused');
      loggedAtMs = clock.monotonicMs();
      heldBack = 0;
    },
    totals: () => [...counts.values()].map((entry) => ({ ...entry })),
  };
}

/** The error code that a refusal is answered with, Fastify's own included. */
export function outcomeOf(error: Error): ErrorCode {
  if (error instanceof HeliographError) return error.code;
  const { statusCode } = error as { statusCode?: number };
  if (statusCode === 413) return 'body_too_large';
  return statusCode !== undefined && statusCode < 500 ? 'bad_request' : 'internal';
}

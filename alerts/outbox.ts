/**
 * What is still to be told, and to whom: a value, changed by pure functions. Of one receiver and one fingerprint the entries are
 * told in the order of their decision; an entry waits until the one before it is delivered or given up.
 */
import { idempotencyKeyOf } from './fingerprint.ts';
import type { Message } from './message.ts';
import type { Attempt } from './webhook.ts';
import type { AlertDeliveryRow } from '../core/rows.ts';

export interface OutboxEntry {
  /** Idempotency key, and the entry's identity. */
  key: string;
  receiver: string;
  message: Message;
  createdAtMs: number;
  /** Not before this time. */
  dueAtMs: number;
  attempts: number;
  /** Attempts that the receiver refused for good. */
  refusals: number;
}

/** An entry that is tried no longer, and why. */
export interface GivenUp {
  entry: OutboxEntry;
  reason: string;
}

const GIVE_UP_AFTER_MS = 24 * 3_600_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 15 * 60_000;
const LONGEST_RETRY_AFTER_MS = 6 * 3_600_000;
/** A receiver that says no (4xx, a redirect) may be half way through its own deploy; three times no is no. */
const MAX_REFUSALS = 3;
/** Entries over all receivers; the oldest give way. A dead receiver must not make the state file grow for a day. */
export const MAX_ENTRIES = 1_000;

/** Adds one entry per receiver and message. What no longer fits is given up, the oldest first. */
export function enqueue(
  outbox: readonly OutboxEntry[],
  messages: readonly Message[],
  receivers: readonly string[],
  nowMs: number,
): { outbox: OutboxEntry[]; givenUp: GivenUp[] } {
  const known = new Set(outbox.map(({ key }) => key));
  const added = messages.flatMap((message) =>
    receivers.map((receiver) => ({
      key: idempotencyKeyOf(receiver, message.fingerprint, message.startsAtMs, message.status),
      receiver,
      message,
      createdAtMs: nowMs,
      dueAtMs: nowMs,
      attempts: 0,
      refusals: 0,
    })),
  );
  const all = [...outbox, ...added.filter(({ key }) => !known.has(key))];
  const over = Math.max(0, all.length - MAX_ENTRIES);
  const reason = `more than ${MAX_ENTRIES} messages wait`;
  return { outbox: all.slice(over), givenUp: all.slice(0, over).map((entry) => ({ entry, reason })) };
}

/** Takes out what is for nobody that is still configured. */
export function withoutStrangers(
  outbox: readonly OutboxEntry[],
  receivers: ReadonlySet<string>,
): { outbox: OutboxEntry[]; givenUp: GivenUp[] } {
  return takeOut(outbox, ({ receiver }) => !receivers.has(receiver), 'the receiver is no longer configured');
}

/** Takes out what has been waiting for too long. */
export function withoutExpired(
  outbox: readonly OutboxEntry[],
  receiver: string,
  nowMs: number,
): { outbox: OutboxEntry[]; givenUp: GivenUp[] } {
  const isOld = (entry: OutboxEntry): boolean =>
    entry.receiver === receiver && nowMs - entry.createdAtMs >= GIVE_UP_AFTER_MS;
  return takeOut(outbox, isOld, 'not delivered within a day');
}

function takeOut(
  outbox: readonly OutboxEntry[],
  isOut: (entry: OutboxEntry) => boolean,
  reason: string,
): { outbox: OutboxEntry[]; givenUp: GivenUp[] } {
  return {
    outbox: outbox.filter((entry) => !isOut(entry)),
    givenUp: outbox.filter(isOut).map((entry) => ({ entry, reason })),
  };
}

/** The next entry to try for a receiver, or undefined where nothing is due. */
export function nextDue(outbox: readonly OutboxEntry[], receiver: string, nowMs: number): OutboxEntry | undefined {
  const blocked = new Set<string>();
  for (const entry of outbox) {
    if (entry.receiver !== receiver) continue;
    const { fingerprint } = entry.message;
    const isDue = entry.dueAtMs <= nowMs || entry.dueAtMs - nowMs > LONGEST_RETRY_AFTER_MS; // or the clock was set back
    if (!blocked.has(fingerprint) && isDue) return entry;
    blocked.add(fingerprint);
  }
  return undefined;
}

/** What the record of deliveries says of every attempt at an entry, and of its end. */
export function deliveryRow(
  { receiver, key, message, attempts }: OutboxEntry,
  nowMs: number,
  outcome: AlertDeliveryRow['outcome'],
  httpStatus: number | null,
): AlertDeliveryRow {
  return {
    time_ms: nowMs,
    receiver,
    idempotency_key: key,
    fingerprint: message.fingerprint,
    starts_at_ms: message.startsAtMs,
    status: message.status,
    attempt: attempts + 1, // giving up follows the last attempt as one more
    outcome,
    http_status: httpStatus,
  };
}

export interface Settled {
  outbox: OutboxEntry[];
  outcome: Exclude<AlertDeliveryRow['outcome'], 'gave_up'>;
  httpStatus: number | null;
  givenUp: GivenUp | undefined;
  /** How long the receiver is better left alone, for any entry; 0 where it answered as one that is well. */
  restMs: number;
}

/** What an attempt made of its entry. `random` (0..1) spreads the retries. */
export function settle(
  outbox: readonly OutboxEntry[],
  entry: OutboxEntry,
  attempt: Attempt,
  nowMs: number,
  random: number,
): Settled {
  const { outcome, httpStatus, isFinal, retryAfterMs } = judge(attempt, nowMs);
  const without = (): OutboxEntry[] => outbox.filter(({ key }) => key !== entry.key);
  if (outcome === 'delivered') return { outbox: without(), outcome, httpStatus, givenUp: undefined, restMs: 0 };
  const attempts = entry.attempts + 1;
  const refusals = entry.refusals + (isFinal ? 1 : 0);
  if (refusals >= MAX_REFUSALS) {
    const givenUp = { entry: { ...entry, attempts, refusals }, reason: refusalText(attempt) };
    return { outbox: without(), outcome, httpStatus, givenUp, restMs: 0 };
  }
  const backOffMs = Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), LONGEST_RETRY_MS) * (0.5 + random / 2);
  const dueAtMs = nowMs + Math.max(backOffMs, retryAfterMs);
  const next = { ...entry, attempts, refusals, dueAtMs };
  return {
    outbox: outbox.map((each) => (each.key === entry.key ? next : each)),
    outcome,
    httpStatus,
    givenUp: undefined,
    restMs: isFinal ? 0 : dueAtMs - nowMs,
  };
}

interface Judgement {
  outcome: Settled['outcome'];
  httpStatus: number | null;
  /** Whether the same request would be answered the same again. */
  isFinal: boolean;
  retryAfterMs: number;
}

function judge(attempt: Attempt, nowMs: number): Judgement {
  if (attempt.kind !== 'answered') return { outcome: attempt.kind, httpStatus: null, isFinal: false, retryAfterMs: 0 };
  const { status, retryAfter } = attempt;
  const retryAfterMs = retryAfter === undefined ? 0 : parseRetryAfter(retryAfter, nowMs);
  if (status >= 200 && status < 300)
    return { outcome: 'delivered', httpStatus: status, isFinal: true, retryAfterMs: 0 };
  if (status >= 300 && status < 400) return { outcome: 'redirected', httpStatus: status, isFinal: true, retryAfterMs };
  const passes = status === 408 || status === 429 || status >= 500;
  return { outcome: 'refused', httpStatus: status, isFinal: !passes, retryAfterMs };
}

/** Seconds, or a date; anything else counts as absent. */
function parseRetryAfter(text: string, nowMs: number): number {
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER_MS);
}

function refusalText(attempt: Attempt): string {
  if (attempt.kind !== 'answered') return `refused ${MAX_REFUSALS} times`;
  const what = attempt.status < 400 ? 'answered with a redirect, which is not followed' : 'refused';
  return `${what} (${attempt.status}), ${MAX_REFUSALS} times`;
}

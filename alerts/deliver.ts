/** Tells the receivers what is due, every attempt on the record. */
import type { Clock, Log } from '../core/ports.ts';
import type { AlertDeliveryRow } from '../core/rows.ts';
import type { Book } from './book.ts';
import {
  deliveryRow,
  type GivenUp,
  nextDue,
  type OutboxEntry,
  settle,
  type Settled,
  withoutExpired,
  withoutStrangers,
} from './outbox.ts';
import type { Recorder } from './recorder.ts';
import { withRecords } from './state.ts';
import { type Attempt, attemptWebhook, type WebhookDeps, type WebhookReceiver } from './webhook.ts';

export interface DeliverDeps extends WebhookDeps {
  book: Book;
  recorder: Recorder;
  random: () => number;
  clock: Clock;
  log: Log;
}

/** What waits for receivers that are no longer configured is given up. For the start: receivers do not change after it. */
export function dropStrangers(receivers: readonly string[], deps: DeliverDeps): void {
  const { outbox, givenUp } = withoutStrangers(deps.book.current().outbox, new Set(receivers));
  giveUp(deps, outbox, givenUp);
}

/**
 * Returns the run that tells one receiver everything that is due, one after another, until an attempt shows that it is not well.
 * Receivers have a run each, so that one that hangs holds up no other.
 */
export function createDelivery(receiver: WebhookReceiver, deps: DeliverDeps): (signal: AbortSignal) => Promise<void> {
  const { book, recorder, clock } = deps;
  let restUntilMs = 0; // monotonic: what the receiver asked for, or the back-off of its last failure
  return async (signal) => {
    while (!signal.aborted && clock.monotonicMs() >= restUntilMs) {
      const expired = withoutExpired(book.current().outbox, receiver.name, clock.nowMs());
      giveUp(deps, expired.outbox, expired.givenUp);
      if (!book.current().outbox.some((entry) => entry.receiver === receiver.name)) break;
      const durable = await book.flush(); // nothing is told that a crash could make us forget
      const entry = nextDue(durable.outbox, receiver.name, clock.nowMs());
      if (entry === undefined) break;
      const attempt = await attemptWebhook(entry.message, entry.key, receiver, deps, signal).catch((error: unknown) => {
        if (signal.aborted) return undefined; // a stop is no attempt: it is made again, with the same key
        throw error;
      });
      if (attempt === undefined) break;
      const settled = settle(book.current().outbox, entry, attempt, clock.nowMs(), deps.random());
      book.change((state) => ({ ...state, outbox: settled.outbox }));
      recordAttempt(deps, entry, settled, attempt);
      if (settled.givenUp !== undefined) recordGivenUp(deps, settled.givenUp);
      restUntilMs = clock.monotonicMs() + settled.restMs;
      await book.flush();
    }
    recorder.record();
  };
}

function giveUp(deps: DeliverDeps, outbox: readonly OutboxEntry[], givenUp: readonly GivenUp[]): void {
  if (givenUp.length === 0) return;
  deps.book.change((state) => ({ ...state, outbox }));
  for (const each of givenUp) recordGivenUp(deps, each);
}

function recordAttempt(deps: DeliverDeps, entry: OutboxEntry, settled: Settled, attempt: Attempt): void {
  const { outcome, httpStatus } = settled;
  addRow(deps, deliveryRow(entry, deps.clock.nowMs(), outcome, httpStatus));
  const fields = {
    receiver: entry.receiver,
    fingerprint: entry.message.fingerprint,
    status: entry.message.status,
    attempt: entry.attempts + 1,
    ...(httpStatus === null ? {} : { httpStatus }),
  };
  if (outcome === 'delivered') deps.log.info(fields, 'alert delivered');
  else
    deps.log.warn(
      { ...fields, outcome, ...('reason' in attempt ? { reason: attempt.reason } : {}) },
      'alert not delivered',
    );
}

function recordGivenUp(deps: DeliverDeps, { entry, reason }: GivenUp): void {
  addRow(deps, deliveryRow(entry, deps.clock.nowMs(), 'gave_up', null));
  const { receiver, message, attempts } = entry;
  deps.log.error(
    { receiver, fingerprint: message.fingerprint, status: message.status, attempts, reason },
    'alert given up: the receiver was not told',
  );
}

function addRow({ book, log }: DeliverDeps, row: AlertDeliveryRow): void {
  book.change((state) => {
    const { records, lost } = withRecords(state.records, { deliveries: [row] });
    if (lost > 0) log.error({ rows: lost }, 'alert records lost: the journal has not taken any for too long');
    return { ...state, records };
  });
}

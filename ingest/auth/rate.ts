/** What a key may send a second. A body is counted after it was taken, so a key may overdraw by one and then waits. */
import { HeliographError } from '../../core/errors.ts';
import type { Clock, Sender } from '../../core/ports.ts';
import { createRecent } from './recent.ts';

/** Per second; 0 is no limit. */
export interface Rate {
  spans: number;
  bytes: number;
}

export interface RateBudgets {
  /** Throws `over_budget`, with the seconds after which the key may send again. */
  check(sender: Sender, rate: Rate): void;
  /** Counts what was taken from a sender that was checked before. */
  charge(sender: Sender, spans: number, bytes: number): void;
}

interface Account {
  rate: Rate;
  spans: number;
  bytes: number;
  atMs: number;
}

/** A key that was silent may send this much at once. */
const BURST_SECONDS = 2;
const CAPACITY = 10_000;

export function createRateBudgets(clock: Clock): RateBudgets {
  const accounts = createRecent<Account>(CAPACITY);
  const refill = (account: Account): void => {
    const nowMs = clock.monotonicMs();
    const seconds = (nowMs - account.atMs) / 1000;
    account.atMs = nowMs;
    for (const unit of ['spans', 'bytes'] as const)
      account[unit] = Math.min(account.rate[unit] * BURST_SECONDS, account[unit] + account.rate[unit] * seconds);
  };
  return {
    check(sender, rate) {
      const id = accountId(sender);
      if (rate.spans === 0 && rate.bytes === 0) return accounts.delete(id);
      let account = accounts.get(id);
      if (account === undefined || account.rate.spans !== rate.spans || account.rate.bytes !== rate.bytes) {
        account = {
          rate,
          spans: rate.spans * BURST_SECONDS,
          bytes: rate.bytes * BURST_SECONDS,
          atMs: clock.monotonicMs(),
        };
        accounts.set(id, account);
      }
      refill(account);
      for (const unit of ['spans', 'bytes'] as const) {
        if (rate[unit] === 0 || account[unit] > 0) continue;
        const message = `key "${sender.key}" has spent its ${rate[unit]} ${unit} a second`;
        // Whole seconds, rounded up: who waits that long is let in.
        throw new HeliographError('over_budget', message, {
          reason: `over_budget_${unit}`,
          retryAfterSeconds: Math.max(1, Math.ceil(-account[unit] / rate[unit] + 0.001)),
        });
      }
    },
    charge(sender, spans, bytes) {
      const account = accounts.get(accountId(sender));
      if (account === undefined) return;
      account.spans -= spans;
      account.bytes -= bytes;
    },
  };
}

function accountId({ team, key }: Sender): string {
  return `${team}\n${key}`;
}

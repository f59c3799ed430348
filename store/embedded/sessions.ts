/**
 * Sessions and slots. Every statement gets a session nobody used before: settings, bound parameters, role and temporary tables
 * die with it, so nothing can leak into the next request. That costs 0.3 ms; resetting a used one costs as much, and a bound
 * parameter cannot be unset at all. A slot is the right to run, with the files that go with it.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeSession, type EngineSession, openSession, run } from './engine.ts';
import type { ChildOptions } from './options.ts';

const KILL_RETRY_MS = 200;

export interface Slot {
  session: EngineSession;
  /** Named pipe for the result; one reader and one writer at a time. */
  pipePath: string;
  /** File for data that came with the request. */
  spoolPath: string;
  /** Ends the statement that writes into the pipe; resolves when `finished` has settled. */
  cancel(finished: Promise<unknown>): Promise<void>;
  /** Gives the slot back. Nothing may run in its session any more. */
  release(): void;
}

export interface SessionPool {
  /** Waits for a free slot, in order of arrival. Rejects with the signal's reason when it fires first. */
  acquire(signal: AbortSignal): Promise<Slot>;
  /** Slots in use. */
  busy(): number;
}

/** A pool of `options.slots` slots. `anchor` is a session that stays open, and with it the engine; it runs the cancellations. */
export function createSessionPool(options: ChildOptions, configPath: string, anchor: EngineSession): SessionPool {
  const turnstile = createTurnstile(options.slots);
  return {
    busy: () => turnstile.taken(),
    acquire: async (signal) => {
      const index = await turnstile.take(signal);
      let session: EngineSession;
      try {
        session = openSession(options.engineDir, configPath);
      } catch (error) {
        turnstile.give(index);
        throw error;
      }
      return {
        session,
        pipePath: join(options.runDir, pipeName(index)),
        spoolPath: join(options.runDir, spoolName(index)),
        cancel: (finished) => cancelWriter(anchor, pipeName(index), finished),
        release: () => {
          closeSession(session);
          turnstile.give(index);
        },
      };
    },
  };
}

export function pipeName(index: number): string {
  return `pipe-${index}`;
}

export function spoolName(index: number): string {
  return `spool-${index}`;
}

/**
 * The engine gives a statement no name that its caller could know, but the text in its list of running statements holds the pipe's
 * path, and a pipe has one writer. The pieces are joined by the engine, so that this text does not find itself.
 */
async function cancelWriter(anchor: EngineSession, pipe: string, finished: Promise<unknown>): Promise<void> {
  const sql = `KILL QUERY WHERE position(query, concat('/${pipe}', '\\' APPEND FORMAT ')) > 0 ASYNC`;
  let running = true;
  const settled = finished.catch(() => undefined).then(() => (running = false));
  // A statement that has not reached the list of running ones yet is not found the first time.
  while (running) {
    await run(anchor, sql, 'Null').catch(() => undefined);
    await Promise.race([settled, sleep(KILL_RETRY_MS)]);
  }
}

/** Numbers that are handed out one at a time, in order of arrival. */
interface Turnstile {
  taken(): number;
  take(signal: AbortSignal): Promise<number>;
  give(index: number): void;
}

function createTurnstile(size: number): Turnstile {
  const free = Array.from({ length: size }, (_, index) => index).reverse();
  const waiting: ((index: number) => void)[] = [];
  return {
    taken: () => size - free.length,
    take: async (signal) => {
      signal.throwIfAborted();
      return free.pop() ?? (await waitForTurn(waiting, signal));
    },
    give: (index) => {
      const next = waiting.shift();
      if (next === undefined) free.push(index);
      else next(index);
    },
  };
}

function waitForTurn(waiting: ((index: number) => void)[], signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const take = (index: number): void => {
      signal.removeEventListener('abort', leave);
      resolve(index);
    };
    const leave = (): void => {
      waiting.splice(waiting.indexOf(take), 1);
      reject(signal.reason as Error);
    };
    waiting.push(take);
    signal.addEventListener('abort', leave, { once: true });
  });
}

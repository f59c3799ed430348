/**
 * Readers take turns: the engine runs eight statements at once, and the loader's must not wait behind a dashboard of fifty
 * panels.
 */
import { EngineException } from '../embedded/exception.ts';

export interface Turns {
  /** Waits for a turn, in order of arrival; the result gives it back. Throws `TOO_MANY_SIMULTANEOUS_QUERIES` where too many wait. */
  take(signal: AbortSignal): Promise<() => void>;
  /** Readers that have a turn. */
  running(): number;
}

export function createTurns(atOnce: number, waitingAtMost: number): Turns {
  const waiting: (() => void)[] = [];
  let taken = 0;
  const give = (): void => {
    const next = waiting.shift();
    if (next === undefined) taken--;
    else next();
  };
  const once = (): (() => void) => {
    let given = false;
    return () => {
      if (!given) give();
      given = true;
    };
  };
  return {
    running: () => taken,
    take: async (signal) => {
      signal.throwIfAborted();
      if (taken < atOnce) {
        taken++;
        return once();
      }
      if (waiting.length >= waitingAtMost)
        throw new EngineException(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', `${waitingAtMost} statements wait already`);
      await new Promise<void>((resolve, reject) => {
        const go = (): void => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = (): void => {
          waiting.splice(waiting.indexOf(go), 1);
          reject(signal.reason as Error);
        };
        waiting.push(go);
        signal.addEventListener('abort', leave, { once: true });
      });
      return once();
    },
  };
}

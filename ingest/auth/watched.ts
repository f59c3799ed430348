/** Files that may change while Heliograph runs: read again when they did, kept as they were where the new ones cannot be used. */
import { readFile, stat } from 'node:fs/promises';
import type { Clock, Log } from '../../core/ports.ts';

export interface Watched<T> {
  /** What was read last; undefined until something could be. */
  current(): T | undefined;
  /** Looks at the files, at most once a second, and reads them where they changed. Resolves with what holds now; never rejects. */
  fresh(): Promise<T | undefined>;
}

export interface WatchedOptions<T> {
  /** For the log: `API keys`. */
  what: string;
  paths: readonly string[];
  /** Texts in the order of `paths`. Throws where they cannot be used; the message must hold nothing of them. */
  read(texts: readonly Buffer[]): T;
  /** Told of every change, the first reading included. */
  onChange?(value: T): void;
  clock: Clock;
  log: Log;
}

const CHECK_INTERVAL_MS = 1000;

export function watchFiles<T>({ what, paths, read, onChange, clock, log }: WatchedOptions<T>): Watched<T> {
  let value: T | undefined;
  let fingerprint = '';
  let checkedAtMs = Number.NEGATIVE_INFINITY;
  let complaint = '';
  let reading: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    checkedAtMs = clock.monotonicMs();
    try {
      const stats = await Promise.all(paths.map((path) => stat(path)));
      const found = stats.map(({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`).join(';');
      if (found === fingerprint) return;
      const next = read(await Promise.all(paths.map((path) => readFile(path))));
      value = next;
      fingerprint = found;
      complaint = '';
      log.info({ what, paths }, 'read');
      onChange?.(next);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = code ?? message;
      // Said once a reason, and again when another one takes its place; half a file is read again a second later.
      if (reason !== complaint) log.error({ what, paths, reason, keptOld: value !== undefined }, 'cannot be used');
      complaint = reason;
    }
  };
  return {
    current: () => value,
    async fresh() {
      if (reading === undefined && clock.monotonicMs() - checkedAtMs >= CHECK_INTERVAL_MS)
        reading = look().finally(() => {
          reading = undefined;
        });
      await reading;
      return value;
    },
  };
}

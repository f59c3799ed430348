/** Keeps the state and its file in step. The file itself is handed in. */
import type { Log } from '../core/ports.ts';
import { type AlertsState, EMPTY_STATE, parseState, serializeState } from './state.ts';

/** One small file that is replaced whole. */
export interface StateFile {
  /** Undefined where there is none. Throws what the system says. */
  read(): Promise<string | undefined>;
  /** Durable when it resolves; a crash at any moment leaves the text of before or the text of after. */
  write(text: string): Promise<void>;
  /** Moves a file that cannot be used out of the way and returns its new path. */
  setAside(): Promise<string>;
}

export interface Book {
  current(): AlertsState;
  change(to: (state: AlertsState) => AlertsState): void;
  /**
   * Resolves when what is current now is durable, with the state that is. Where the disk refuses, it says so in the log and
   * resolves all the same: an alert that cannot be written down is told all the more, and the next flush tries again.
   */
  flush(): Promise<AlertsState>;
}

/**
 * Opens the book. A file that cannot be understood is set aside, with an error in the log, and the alerts begin anew: what is in
 * trouble is told again. Throws where the file is there and cannot be read.
 */
export async function openBook(file: StateFile, log: Log): Promise<Book> {
  let state = await readState(file, log);
  let written = state;
  let writing: Promise<AlertsState> | undefined;
  const write = async (): Promise<AlertsState> => {
    const next = state;
    try {
      await file.write(serializeState(next));
      written = next;
    } catch (error) {
      log.error({ err: error }, 'the state of the alerts could not be written; a restart may tell an alert twice');
    }
    return next;
  };
  return {
    current: () => state,
    change(to) {
      state = to(state);
    },
    async flush() {
      await writing; // it may hold an older state
      if (state === written) return written;
      writing ??= write().finally(() => (writing = undefined));
      return writing;
    },
  };
}

async function readState(file: StateFile, log: Log): Promise<AlertsState> {
  const text = await file.read();
  if (text === undefined) return EMPTY_STATE;
  try {
    return parseState(text);
  } catch (error) {
    const path = await file.setAside();
    log.error(
      { err: error, path },
      'the state of the alerts cannot be understood and was set aside; what is firing will be told again, what was waiting to be told is lost',
    );
    return EMPTY_STATE;
  }
}

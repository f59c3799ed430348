/** Takes the record of transitions and attempts to the journal, beside everything else: a journal that hangs holds up nobody. */
import type { Log } from '../core/ports.ts';
import type { RowSink } from '../core/rows.ts';
import type { Book } from './book.ts';

export interface Recorder {
  /** Appends what waits, and what comes while it does, unless that is under way. Never throws; what was refused waits for the next call. */
  record(): void;
}

export function createRecorder(book: Book, rows: RowSink, log: Log): Recorder {
  let busy = false;
  const run = async (): Promise<void> => {
    for (;;) {
      const { alerts, deliveries } = book.current().records;
      if (alerts.length === 0 && deliveries.length === 0) return;
      await rows.append('alerts', alerts);
      await rows.append('alert_deliveries', deliveries);
      // A crash before this is written repeats the rows, which the tables replace by key.
      book.change((state) => ({
        ...state,
        records: {
          alerts: without(state.records.alerts, alerts),
          deliveries: without(state.records.deliveries, deliveries),
        },
      }));
      await book.flush();
    }
  };
  return {
    record() {
      if (busy) return;
      busy = true;
      run()
        .catch((error: unknown) => log.warn({ err: error }, 'alert records wait: the journal did not take them'))
        .finally(() => (busy = false));
    },
  };
}

function without<T>(all: readonly T[], gone: readonly T[]): T[] {
  const set = new Set(gone);
  return all.filter((each) => !set.has(each));
}

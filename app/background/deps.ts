import type { Clock, Log, Store } from '../../core/ports.ts';
import type { RowSink } from '../../core/rows.ts';
import type { Config } from '../config/schema.ts';
import type { MarkCovered } from './coverage.ts';

/** What background jobs work with. All of it lives on the background thread. */
export interface BackgroundDeps {
  config: Config;
  /** Our own page port, as it is reached from this machine. */
  pageUrl: string;
  store: Store;
  rows: RowSink;
  markCovered: MarkCovered;
  /** Hands series in exposition format to /metrics, in place of those before. */
  publishDerived(text: string): void;
  /** When /metrics was read last, as far as is known (Unix ms); null for not yet. */
  lastScrapedMs(): number | null;
  random: () => number;
  clock: Clock;
  log: Log;
}

/** How far the figures of a window can be trusted: coverage and newest item, read once for all panels of a page. */
import type { Clock, Store } from '../../core/ports.ts';
import type { TimeRange } from '../../dashboards/query/range.ts';
import { READ_SETTINGS } from './read-settings.ts';

export interface SourceStatus {
  /** Share of the window in which the source is known to have been received; null where unknown. */
  coverage: number | null;
  /** ISO time of the newest item stored; null where there is none. */
  asOf: string | null;
}

export type SourceStatusReader = (source: string | null, range: TimeRange) => Promise<SourceStatus>;

const UNKNOWN: SourceStatus = { coverage: null, asOf: null };
const FRESH_MS = 500;
/** Panels of one page resolve `now` a few ms apart; they share an answer. */
const RANGE_GRAIN_MS = 10_000;

/** A reader that asks the store at most once per window and half a second. Fails as the store fails. */
export function sourceStatusReader(store: Store, clock: Clock): SourceStatusReader {
  const recent = new Map<string, { atMs: number; answer: Promise<Map<string, SourceStatus>> }>();
  return async (source, range) => {
    if (source === null) return UNKNOWN;
    const nowMs = clock.monotonicMs();
    for (const [key, entry] of recent) if (nowMs - entry.atMs > FRESH_MS) recent.delete(key);
    const key = `${Math.round(range.fromMs / RANGE_GRAIN_MS)}-${Math.round(range.toMs / RANGE_GRAIN_MS)}`;
    let entry = recent.get(key);
    if (entry === undefined) {
      entry = { atMs: nowMs, answer: readStatus(store, range) };
      recent.set(key, entry);
      entry.answer.catch(() => recent.delete(key));
    }
    return (await entry.answer).get(source) ?? UNKNOWN;
  };
}

async function readStatus(store: Store, { fromMs, toMs }: TimeRange): Promise<Map<string, SourceStatus>> {
  const { rows } = await store.query({
    sql: 'SELECT source, coverage, as_of FROM boards.source_status(from={from:DateTime}, to={to:DateTime})',
    params: { from: Math.floor(fromMs / 1000), to: Math.floor(toMs / 1000) },
    settings: READ_SETTINGS,
  });
  return new Map(
    rows.map(([source, coverage, asOf]) => [
      String(source),
      { coverage: typeof coverage === 'number' ? coverage : null, asOf: typeof asOf === 'string' ? asOf : null },
    ]),
  );
}

/** The time range of a request, checked. */
import { HeliographError } from '../../core/errors.ts';
import { parseTime } from '../shared/time-math.ts';

/** Unix milliseconds; `fromMs` < `toMs`. */
export interface TimeRange {
  fromMs: number;
  toMs: number;
}

/** Reads `from` and `to` (ISO 8601, Unix ms, `now-6h`). Throws `bad_request` naming the field. */
export function parseRange(from: string, to: string, nowMs: number): TimeRange {
  const fromMs = readTime('from', from, nowMs, false);
  const toMs = readTime('to', to, nowMs, true);
  if (fromMs >= toMs) throw new HeliographError('bad_request', `from (${from}) must be earlier than to (${to})`);
  return { fromMs, toMs };
}

/** One time of a request in Unix ms. Throws `bad_request` naming the field. */
export function readTime(field: string, text: string, nowMs: number, roundUp: boolean): number {
  const ms = parseTime(text, nowMs, roundUp);
  if (ms === undefined) {
    throw new HeliographError(
      'bad_request',
      `${field}: '${text.slice(0, 64)}' is not a time; use ISO 8601, Unix milliseconds or now-6h`,
    );
  }
  return ms;
}

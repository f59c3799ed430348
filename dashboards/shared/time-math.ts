/** Grafana's time grammar: `now-6h`, `now-1d/d`, Unix milliseconds, ISO 8601. Pure, and the same on the server and the page. */

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const RELATIVE = /^now(?:([+-])(\d{1,6})([smhdwMy]))?(?:\/([smhdwMy]))?$/;
const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** Instants outside [1970, 2106) do not fit ClickHouse's DateTime. */
const MAX_MS = 4_294_967_295_000;

/**
 * Unix milliseconds of `text`, or undefined where it is not a time. An ISO time without a zone is UTC. `/d` and its like
 * round down in UTC, or up to the last millisecond where `roundUp` is set (the end of a range).
 */
export function parseTime(text: string, nowMs: number, roundUp = false): number | undefined {
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : (relative(text, nowMs, roundUp) ?? iso(text));
  return ms !== undefined && Number.isFinite(ms) && ms >= 0 && ms <= MAX_MS ? ms : undefined;
}

/** Whether `text` moves with the clock. */
export function isRelative(text: string): boolean {
  return text.startsWith('now');
}

function relative(text: string, nowMs: number, roundUp: boolean): number | undefined {
  const match = RELATIVE.exec(text);
  if (match === null) return undefined;
  const [, sign, amount, unit, rounding] = match;
  const moved = unit === undefined ? nowMs : shift(nowMs, (sign === '-' ? -1 : 1) * Number(amount), unit);
  if (rounding === undefined) return moved;
  const start = startOf(moved, rounding);
  return roundUp ? shift(start, 1, rounding) - 1 : start;
}

function shift(ms: number, amount: number, unit: string): number {
  const unitMs = UNIT_MS[unit];
  if (unitMs !== undefined) return ms + amount * unitMs;
  const date = new Date(ms);
  const months = unit === 'y' ? 12 * amount : amount;
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  // The 31st of a month minus one month is the last day of the month before, not a day of this one.
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}

function startOf(ms: number, unit: string): number {
  const date = new Date(ms);
  if (unit === 'y') return Date.UTC(date.getUTCFullYear(), 0, 1);
  if (unit === 'M') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  const dayMs = UNIT_MS['d'] ?? 0;
  if (unit === 'w') {
    const midnight = ms - (ms % dayMs);
    return midnight - ((date.getUTCDay() + 6) % 7) * dayMs;
  }
  return ms - (ms % (UNIT_MS[unit] ?? 1));
}

function iso(text: string): number | undefined {
  if (!ISO.test(text)) return undefined;
  const zoned = /(?:Z|[+-]\d{2}:?\d{2})$/.test(text.slice(10)) || text.length === 10;
  const ms = Date.parse(zoned ? text.replace(' ', 'T') : `${text.replace(' ', 'T')}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Times as `--date=raw` prints them: seconds since 1970 and the writer's offset. */

export interface GitTime {
  /** Unix seconds. */
  seconds: number;
  /** Minutes east of Greenwich, as written, however absurd. */
  offsetMin: number;
}

/** What a DateTime64 holds; a time beyond is kept at the nearest end. 1900-01-01 and 2299-12-31T23:59:59. */
const SECONDS_MIN = -2_208_988_800;
const SECONDS_MAX = 10_413_791_999;
const OFFSET_MAX = 32_767; // Int16

/** `1700000000 +0530`. Undefined where git could not read the time: it was written before 1970, or not at all. */
export function parseTime(text: string): GitTime | undefined {
  const match = /^(-?\d+) ([+-])(\d+)$/.exec(text);
  if (match === null) return undefined;
  const zone = Number(match[3]);
  const minutes = Math.trunc(zone / 100) * 60 + (zone % 100);
  const offset = Math.min(OFFSET_MAX, minutes);
  return {
    seconds: Math.max(SECONDS_MIN, Math.min(SECONDS_MAX, Number(match[1]))),
    offsetMin: match[2] === '-' && offset !== 0 ? -offset : offset,
  };
}

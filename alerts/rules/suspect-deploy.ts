/** Which deploy came right before the trouble. Nothing is guessed: without a deploy in the time before, there is none. */
import type { Evidence } from '../types.ts';
import { iso, readRows, type RuleContext, seconds } from './rule.ts';

/** A deploy is suspect when it came at most this long before the onset. */
const BEFORE_MS = 30 * 60_000;

/** Where an onset lies: it is known to its grain only, so a deploy inside the grain may still have come before it. */
export interface Onset {
  service: string;
  atMs: number;
  grainMs: number;
}

/** The newest deploy of each onset's service from half an hour before the onset to the end of its grain, or null. */
export async function readSuspectDeploys(
  onsets: readonly Onset[],
  context: RuleContext,
): Promise<(onset: Onset) => Evidence | null> {
  const fromMs = Math.min(...onsets.map(({ atMs }) => atMs)) - BEFORE_MS;
  const toMs = Math.max(...onsets.map(({ atMs, grainMs }) => atMs + grainMs));
  const rows = await readRows(context, {
    sql: `SELECT toUnixTimestamp64Milli(toDateTime64(time, 3)) AS time_ms, service, environment, version, sha, repository, status, source, id
FROM boards.deploys(from = {from:DateTime}, to = {to:DateTime})
WHERE service IN {services:Array(String)}
ORDER BY time_ms DESC, id`,
    params: {
      from: seconds(fromMs),
      to: seconds(toMs) + 1,
      services: [...new Set(onsets.map((each) => each.service))],
    },
  });
  return ({ service, atMs, grainMs }) => {
    const found = rows.find((row) => {
      const timeMs = Number(row['time_ms']);
      return row['service'] === service && timeMs >= atMs - BEFORE_MS && timeMs <= atMs + grainMs;
    });
    if (found === undefined) return null;
    const { time_ms: timeMs, environment, version, sha, repository, status, source, id } = found;
    return {
      time: iso(Number(timeMs)),
      ...known({ version, sha, repository, environment, status, source, id }),
    };
  };
}

/** Empty text is how the tables say that something is not known. */
function known(values: Record<string, unknown>): Evidence {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, typeof value === 'string' && value !== '' ? value : null]),
  );
}

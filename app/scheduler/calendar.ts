/**
 * Calendar rules ("at 02:30 in Berlin"). croner computes instants and nothing else: an instance costs some 73 KiB, so there
 * is one for each distinct pattern and zone, and it never gets a timer of its own.
 */
import { Cron } from 'croner';
import { HeliographError } from '../../core/errors.ts';

/** A cron pattern (five or six fields) in an IANA time zone. */
export interface CalendarRule {
  pattern: string;
  zone: string;
}

/** The first instant of the rule after `afterMs` (Unix ms), undefined when it has none left. */
export type NextInstant = (afterMs: number) => number | undefined;

/** Makes `rule -> next instant`. A bad pattern or zone is `bad_config`. */
export function createCalendar(): (rule: CalendarRule) => NextInstant {
  const known = new Map<string, NextInstant>();
  return (rule) => {
    const key = `${rule.zone} ${rule.pattern}`;
    let next = known.get(key);
    if (next === undefined) {
      next = compile(rule);
      known.set(key, next);
    }
    return next;
  };
}

function compile(rule: CalendarRule): NextInstant {
  try {
    const cron = new Cron(rule.pattern, { timezone: rule.zone, paused: true });
    cron.nextRun(new Date(0)); // an unknown zone shows only when an instant is computed
    return (afterMs) => cron.nextRun(new Date(afterMs))?.getTime();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `calendar rule ${JSON.stringify(rule.pattern)} in zone ${JSON.stringify(rule.zone)}: ${reason}`;
    throw new HeliographError('bad_config', message, { cause });
  }
}

/** One look at the instance, shared by every check that asks about it. */
import type { Readiness } from '../../http/health.ts';
import type { Status } from '../../status.ts';
import { ask } from '../instance.ts';

export type Seen =
  /** Nobody answers. */
  | { kind: 'down'; reason: string }
  /** A Heliograph that does not take our token. */
  | { kind: 'locked' }
  /** Something answers that is not a Heliograph. */
  | { kind: 'foreign'; status: number }
  | {
      kind: 'up';
      readiness: Readiness;
      status: Status;
      /** Its `Date` header, Unix ms, whole seconds. */
      dateMs: number | undefined;
      /** Our wall clock when the answer had come. */
      askedAtMs: number;
    };

/** Asks `/readyz` and `/api/status`. Never throws. */
export async function observe(
  baseUrl: string | undefined,
  token: string | undefined,
  nowMs: () => number,
): Promise<Seen> {
  if (baseUrl === undefined) return { kind: 'down', reason: 'no instance left its address in the data directory' };
  const ready = await ask(baseUrl, '/readyz', token);
  const askedAtMs = nowMs();
  if (ready.kind === 'down') return ready;
  if (ready.status === 401) return { kind: 'locked' };
  const status = await ask(baseUrl, '/api/status', token);
  if (!isReadiness(ready.json) || status.kind === 'down' || !isStatus(status.json)) {
    return { kind: 'foreign', status: ready.status };
  }
  const dateMs = ready.date === null ? undefined : Date.parse(ready.date);
  return { kind: 'up', readiness: ready.json, status: status.json, dateMs, askedAtMs };
}

function isReadiness(json: unknown): json is Readiness {
  const { ok, checks } = (json ?? {}) as Partial<Readiness>;
  return typeof ok === 'boolean' && Array.isArray(checks);
}

function isStatus(json: unknown): json is Status {
  const { doors, journal, engine } = (json ?? {}) as Partial<Status>;
  return (
    typeof doors?.otlpHttp?.url === 'string' &&
    typeof doors.otlpGrpc?.url === 'string' &&
    typeof journal?.bytes === 'number' &&
    engine !== undefined
  );
}

/**
 * Deploy events as rows: one JSON object, an array of them, or one a line (NDJSON). Fields:
 * `{id, service, environment, version, sha, repository, status, kind, startedAt, finishedAt}`; `id` and `service` are required.
 * What an event does not say stays unsaid (`''` or null), so that a later event of the same id never takes back what an earlier one
 * said; only the environment, a part of the key, has a default. A broken event costs only itself.
 */
import type { IndexedReject } from '../../core/hooks.ts';
import { parseIsoMs } from '../../core/iso-time.ts';
import {
  FieldRejected,
  type Fields,
  isObject,
  nameField,
  required,
  shaField,
  textField,
} from '../../core/json-fields.ts';
import type { DeploymentRow } from '../../core/rows.ts';

const NDJSON_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/x-jsonlines'];
/**
 * Media types that the door takes. Each is one that a browser sends to a foreign page's address only after asking, which nobody
 * answers: no site can report a deployment through a visitor's browser.
 */
export const DEPLOYMENT_MEDIA_TYPES: readonly string[] = ['application/json', ...NDJSON_TYPES];

/** Events of one body; more are refused, so that one request cannot hold the door for seconds. */
const EVENTS_MAX = 10_000;
const TEXT_MAX = 256;
const DEFAULT_ENVIRONMENT = 'production';
const KINDS = ['planned', 'rollback', 'hotfix'];
const HOUR_MS = 3_600_000;
const YEAR_2000_MS = Date.parse('2000-01-01T00:00:00Z');

/** Rows and rejects of a body. Throws `FieldRejected` when the body as a whole is none: no JSON, no event, too many. */
export function decodeDeployments(
  mediaType: string,
  bytes: Uint8Array,
  receivedAtMs: number,
): { rows: DeploymentRow[]; rejects: IndexedReject[] } {
  const text = new TextDecoder('utf-8').decode(bytes);
  const events = NDJSON_TYPES.includes(mediaType) ? linesOf(text) : documentOf(text);
  if (events.length === 0) throw new FieldRejected('', 'holds no event');
  if (events.length > EVENTS_MAX) throw new FieldRejected('', `holds more than ${EVENTS_MAX} events`);
  const rows: DeploymentRow[] = [];
  const rejects: IndexedReject[] = [];
  const repeats = new Map<string, number>();
  events.forEach((event, index) => {
    try {
      const row = rowOf(event(), receivedAtMs);
      // Of two events of one deployment the later must win, and within a body they all came at once.
      const key = JSON.stringify([row.service, row.environment, row.id]);
      const before = repeats.get(key) ?? 0;
      repeats.set(key, before + 1);
      rows.push({ ...row, received_at_ms: receivedAtMs + before });
    } catch (error) {
      if (!(error instanceof FieldRejected)) throw error;
      rejects.push({ index, field: error.field, rule: error.rule });
    }
  });
  return { rows, rejects };
}

function documentOf(text: string): (() => unknown)[] {
  const document = parse(text);
  return (Array.isArray(document) ? document : [document]).map((event: unknown) => () => event);
}

/** Blank lines are no events and have no index. */
function linesOf(text: string): (() => unknown)[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => () => parse(line));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new FieldRejected('', 'is not JSON');
  }
}

function rowOf(event: unknown, receivedAtMs: number): DeploymentRow {
  if (!isObject(event)) throw new FieldRejected('', 'must be a JSON object');
  const fields: Fields = { path: '', value: event };
  const started = timeField(fields, 'startedAt', receivedAtMs);
  const finished = timeField(fields, 'finishedAt', receivedAtMs);
  if (started !== null && finished !== null && finished < started)
    throw new FieldRejected('finishedAt', 'lies before startedAt');
  return {
    id: required(fields, 'id', nameField(fields, 'id', TEXT_MAX)),
    service: required(fields, 'service', nameField(fields, 'service', TEXT_MAX)),
    environment: nameField(fields, 'environment', TEXT_MAX) ?? DEFAULT_ENVIRONMENT,
    version: textField(fields, 'version', TEXT_MAX) ?? '',
    sha: shaField(fields, 'sha') ?? '',
    repository: textField(fields, 'repository', TEXT_MAX) ?? '',
    status: textField(fields, 'status', TEXT_MAX) ?? '',
    kind: kindField(fields),
    started_at_ms: started,
    finished_at_ms: finished,
    received_at_ms: receivedAtMs,
  };
}

function kindField(fields: Fields): string | null {
  const kind = textField(fields, 'kind', TEXT_MAX);
  if (kind === undefined) return null;
  if (!KINDS.includes(kind)) throw new FieldRejected('kind', `must be one of ${KINDS.join(', ')}, or absent`);
  return kind;
}

/** ISO 8601 with a zone, or Unix milliseconds. */
function timeField(fields: Fields, name: string, receivedAtMs: number): number | null {
  const value = fields.value[name];
  const ms = typeof value === 'number' ? value : parseTime(fields, name);
  if (ms === undefined) return null;
  if (!Number.isSafeInteger(ms)) throw new FieldRejected(name, 'must be whole milliseconds');
  // Where seconds were given for milliseconds, the time falls into 1970.
  if (ms < YEAR_2000_MS) throw new FieldRejected(name, 'lies before the year 2000; Unix times are milliseconds');
  if (ms > receivedAtMs + HOUR_MS) throw new FieldRejected(name, 'lies over an hour in the future');
  return ms;
}

function parseTime(fields: Fields, name: string): number | undefined {
  const value = fields.value[name];
  if (value === undefined || value === null) return undefined;
  const ms = typeof value === 'string' ? parseIsoMs(value) : undefined;
  if (ms === undefined) throw new FieldRejected(name, 'must be an ISO 8601 time with a zone, or Unix milliseconds');
  return ms;
}

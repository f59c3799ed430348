/** How GitHub wraps the document: as the body itself, or as a form field. */
import { FieldRejected } from '../../core/json-fields.ts';

/** Media types that a webhook can be set to. */
export const HOOK_MEDIA_TYPES: readonly string[] = ['application/json', 'application/x-www-form-urlencoded'];

/** The JSON document of a raw body. Throws `FieldRejected` where there is none. */
export function parseBody(mediaType: string, bytes: Uint8Array): unknown {
  const isForm = mediaType === 'application/x-www-form-urlencoded';
  const text = decodeUtf8(bytes);
  const json = isForm ? new URLSearchParams(text).get('payload') : text;
  if (json === null) throw new FieldRejected('payload', 'is required');
  try {
    return JSON.parse(json) as unknown;
  } catch {
    throw new FieldRejected(isForm ? 'payload' : '', 'is not JSON'); // the parser's own words quote the body
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FieldRejected('', 'is not UTF-8');
  }
}

/** What is kept of a document that was rejected: the objects that are read, without those that name people. */
export function excerpt(document: unknown): unknown {
  if (typeof document !== 'object' || document === null) return typeof document;
  const { action, workflow, workflow_run: run, workflow_job: job, repository } = document as Record<string, unknown>;
  return {
    action,
    workflow: pick(workflow),
    workflow_run: pick(run),
    workflow_job: pick(job),
    repository: pick(repository),
  };
}

const READ_FIELDS = new Set(
  (
    'id run_id run_attempt name full_name workflow_name event head_branch head_sha status conclusion ' +
    'created_at run_started_at updated_at started_at completed_at labels'
  ).split(' '),
);

function pick(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => (READ_FIELDS.has(name) ? [[name, plain(field)]] : [])),
  );
}

/** A field that should be plain and is not says no more than that. */
function plain(field: unknown): unknown {
  const isNested = (item: unknown): boolean => typeof item === 'object' && item !== null;
  if (Array.isArray(field)) return field.map((item: unknown) => (isNested(item) ? '{…}' : item));
  return isNested(field) ? '{…}' : field;
}

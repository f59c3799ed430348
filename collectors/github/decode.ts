/**
 * GitHub's webhook deliveries as rows: `workflow_run` and `workflow_job`, one row per delivery. Fields:
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads
 * Live payloads hold more statuses, conclusions and fields than any published schema, so unknown ones pass; what is read must have
 * the kind it is documented with. Nothing about a person is read.
 */
import { parseIsoMs } from '../../core/iso-time.ts';
import {
  FieldRejected,
  type Fields,
  idField,
  isObject,
  nameField,
  objectField,
  required,
  shaField,
  textField,
  textListField,
} from '../../core/json-fields.ts';
import type { HookDecoded, HookDelivery } from '../../core/hooks.ts';
import type { CiJobRow, CiRunRow } from '../../core/rows.ts';

/** Events whose bodies are read. */
export const READ_EVENTS: ReadonlySet<string> = new Set(['workflow_run', 'workflow_job']);

const NAME_MAX = 1024;
const ATTEMPT_MAX = 4_294_967_295;
const LABELS_MAX = 256;
const DAY_MS = 86_400_000;
const YEAR_2000_MS = Date.parse('2000-01-01T00:00:00Z');
/** What Go writes for a time that was never set; some GitHub Enterprise Servers send it. */
const GO_ZERO_TIME = '0001-01-01T00:00:00Z';

/** Decodes the JSON document of a delivery of one of `READ_EVENTS`. Never throws. */
export function decodeDelivery(delivery: HookDelivery, document: unknown): HookDecoded {
  try {
    if (!isObject(document)) throw new FieldRejected('', 'must be a JSON object');
    const fields: Fields = { path: '', value: document };
    return delivery.event === 'workflow_run'
      ? { kind: 'rows', runs: [runRow(delivery, fields)], jobs: [] }
      : { kind: 'rows', runs: [], jobs: [jobRow(delivery, fields)] };
  } catch (error) {
    if (!(error instanceof FieldRejected)) throw error;
    return { kind: 'rejected', reject: { field: error.field, rule: error.rule } };
  }
}

function runRow(delivery: HookDelivery, document: Fields): CiRunRow {
  // Bodies of deployments and their reviews hold a workflow_run too. No header is signed, so the body has to say what it is.
  if (Object.keys(document.value).some((name) => name.startsWith('workflow_job') || name.startsWith('deployment')))
    throw new FieldRejected('X-GitHub-Event', 'does not fit the body');
  const run = required(document, 'workflow_run', objectField(document, 'workflow_run'));
  const workflow = objectField(document, 'workflow');
  return {
    ...head(delivery, document, run, required(run, 'id', idField(run, 'id'))),
    workflow: (workflow && textField(workflow, 'name', NAME_MAX)) ?? textField(run, 'name', NAME_MAX) ?? '',
    event: textField(run, 'event', NAME_MAX) ?? '',
    created_at_ms: timeField(delivery, run, 'created_at'),
    started_at_ms: timeField(delivery, run, 'run_started_at'),
    updated_at_ms: timeField(delivery, run, 'updated_at'),
    received_at_ms: delivery.receivedAtMs,
  };
}

function jobRow(delivery: HookDelivery, document: Fields): CiJobRow {
  const job = required(document, 'workflow_job', objectField(document, 'workflow_job'));
  return {
    ...head(delivery, document, job, required(job, 'run_id', idField(job, 'run_id'))),
    job_id: required(job, 'id', idField(job, 'id')),
    workflow: textField(job, 'workflow_name', NAME_MAX) ?? '',
    name: textField(job, 'name', NAME_MAX) ?? '',
    labels: textListField(job, 'labels', LABELS_MAX, NAME_MAX),
    created_at_ms: timeField(delivery, job, 'created_at'),
    started_at_ms: timeField(delivery, job, 'started_at'),
    completed_at_ms: timeField(delivery, job, 'completed_at'),
    received_at_ms: delivery.receivedAtMs,
  };
}

/** What runs and jobs share. An attempt that is not named is the first: servers before re-runs were numbered have no other. */
function head(delivery: HookDelivery, document: Fields, item: Fields, runId: number) {
  const repository = required(document, 'repository', objectField(document, 'repository'));
  return {
    provider: 'github',
    repository: required(repository, 'full_name', nameField(repository, 'full_name', NAME_MAX)),
    run_id: runId,
    attempt: idField(item, 'run_attempt', ATTEMPT_MAX) ?? 1,
    delivery: delivery.id,
    branch: textField(item, 'head_branch', NAME_MAX) ?? '',
    sha: shaField(item, 'head_sha') ?? '',
    status: required(item, 'status', nameField(item, 'status', NAME_MAX) ?? nameField(document, 'action', NAME_MAX)),
    conclusion: nameField(item, 'conclusion', NAME_MAX) ?? null,
  };
}

function timeField(delivery: HookDelivery, fields: Fields, name: string): number | null {
  const text = textField(fields, name, NAME_MAX);
  if (text === undefined || text === GO_ZERO_TIME) return null;
  const ms = parseIsoMs(text);
  if (ms === undefined) throw new FieldRejected(fields.path + name, 'must be an ISO 8601 time with a zone');
  if (ms < YEAR_2000_MS) throw new FieldRejected(fields.path + name, 'lies before the year 2000');
  if (ms > delivery.receivedAtMs + DAY_MS) throw new FieldRejected(fields.path + name, 'lies over a day in the future');
  return ms;
}

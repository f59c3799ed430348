import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GITHUB_HOOK } from '../../../collectors/index.ts';
import { encodeRows } from '../../../ingest/rows.ts';
import { workflowJob, workflowRun } from '../../support/github-payloads.ts';

const RECEIVED_MS = Date.parse('2026-03-02T09:05:00Z');
const event = fc.constantFrom('workflow_run', 'workflow_job');
const delivery = (name: string) => ({ event: name, id: 'd', receivedAtMs: RECEIVED_MS });

const json = fc.jsonValue({ maxDepth: 3 });
const valid = event.map((name) => ({ name, body: name === 'workflow_run' ? workflowRun() : workflowJob() }));

test('any JSON at all gives rows or one reject, and never an exception', () => {
  fc.assert(
    fc.property(event, json, (name, document) => {
      const decoded = GITHUB_HOOK.decode(delivery(name), document);
      if (decoded.kind === 'rejected') expect(decoded.reject.rule).not.toBe('');
      else expect(decoded.runs.length + decoded.jobs.length).toBe(1);
    }),
  );
});

test('a valid body with one field replaced by anything is taken, or refused for that very field', () => {
  const fields = Object.keys(workflowRun()['workflow_run'] as object);
  fc.assert(
    fc.property(fc.constantFrom(...fields), json, (field, value) => {
      const run = workflowRun();
      const decoded = GITHUB_HOOK.decode(delivery('workflow_run'), {
        ...run,
        workflow_run: { ...(run['workflow_run'] as object), [field]: value },
      });
      if (decoded.kind === 'rejected') expect(decoded.reject.field).toBe(`workflow_run.${field}`);
    }),
    { numRuns: 1000 },
  );
});

test('fields that nobody reads change nothing', () => {
  fc.assert(
    fc.property(
      valid,
      fc.dictionary(
        fc.string().map((key) => `x_${key}`),
        json,
      ),
      ({ name, body }, extra) => {
        expect(GITHUB_HOOK.decode(delivery(name), { ...extra, ...body })).toEqual(
          GITHUB_HOOK.decode(delivery(name), body),
        );
      },
    ),
  );
});

test('any text is stored as UTF-8 that reads back, half a surrogate pair as U+FFFD', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.constantFrom('', '\ud800', '\udfff'), (text, half) => {
      const decoded = GITHUB_HOOK.decode(delivery('workflow_run'), workflowRun({ branch: `${text}${half}/x` }));
      const rows = decoded.kind === 'rows' ? decoded.runs : [];
      const [body] = encodeRows(rows);
      const read = JSON.parse(Buffer.from(body?.bytes ?? []).toString('utf8')) as { branch: string };
      expect(read.branch).toBe(`${text}${half === '' ? '' : '\ufffd'}/x`);
    }),
  );
});

test('a body comes back from bytes, JSON or form', () => {
  fc.assert(
    fc.property(json, (document) => {
      const text = JSON.stringify(document);
      const plain = JSON.parse(text) as unknown; // -0 is written as 0
      expect(GITHUB_HOOK.parseBody('application/json', Buffer.from(text))).toEqual(plain);
      const form = new URLSearchParams({ payload: text }).toString();
      expect(GITHUB_HOOK.parseBody('application/x-www-form-urlencoded', Buffer.from(form))).toEqual(plain);
    }),
  );
});

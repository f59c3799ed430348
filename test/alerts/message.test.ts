/** The body against Alertmanager's webhook v4, and what its sentences say. */
import { Check } from 'typebox/schema';
import { describe, expect, test } from 'vitest';
import type { GoroutineEvidence, LatencyEvidence } from '../../alerts/evidence.ts';
import { fingerprintOf } from '../../alerts/fingerprint.ts';
import { messageOf, webhookBody } from '../../alerts/message.ts';
import type { Evidence, Resolution, Transition } from '../../alerts/types.ts';
import { evidenceFor, PAGE } from './alerting.ts';

const TIME = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$' };
const TEXTS = { type: 'object', additionalProperties: { type: 'string' } };
const STATUS = { enum: ['firing', 'resolved'] };

/** prometheus/alertmanager, notify/webhook and template.Data. Closed, but for the one key that is ours. */
const V4 = {
  type: 'object',
  additionalProperties: false,
  required: [
    'version',
    'groupKey',
    'truncatedAlerts',
    'status',
    'receiver',
    'groupLabels',
    'commonLabels',
    'commonAnnotations',
    'externalURL',
    'alerts',
  ],
  properties: {
    version: { const: '4' },
    groupKey: { type: 'string', pattern: '^\\{\\}:\\{.*alertname=".+".*\\}$' },
    truncatedAlerts: { type: 'integer', minimum: 0 },
    status: STATUS,
    receiver: { type: 'string', minLength: 1 },
    groupLabels: TEXTS,
    commonLabels: TEXTS,
    commonAnnotations: TEXTS,
    externalURL: { type: 'string', pattern: '^http' },
    alerts: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['status', 'labels', 'annotations', 'startsAt', 'endsAt', 'generatorURL', 'fingerprint', 'evidence'],
        properties: {
          status: STATUS,
          labels: { ...TEXTS, required: ['alertname', 'severity'] },
          annotations: { ...TEXTS, required: ['summary', 'description'] },
          startsAt: TIME,
          endsAt: TIME,
          generatorURL: { type: 'string', pattern: '^http' },
          fingerprint: { type: 'string', pattern: '^[0-9a-f]{16}$' },
          evidence: { type: 'object' },
        },
      },
    },
  },
} as const;

const goroutines: GoroutineEvidence = {
  kind: 'goroutines',
  service: 'shop',
  target: 'shop-1',
  stack: 'a'.repeat(32),
  function: 'main.leak',
  location: 'main.go:10',
  functions: ['main.main', 'main.leak'],
  minima: [10, 20, 30, 45],
  before: 10,
  after: 45,
  growth: 35,
  n: 80,
  windowSeconds: 600,
  since: '2026-01-01T00:00:00.000Z',
};
const latency = evidenceFor('GET "/pay" & go');
const deploy = {
  time: '2026-01-01T00:00:00.000Z',
  version: '1.9',
  sha: 'abc',
  repository: 'o/shop',
  environment: null,
  status: 'success',
  source: 'event',
  id: 'd-9',
};
const folded: Evidence = { kind: 'folded', count: 35, shown: 200, examples: [{ route: '/a' }] };

function transitionOf(evidence: Evidence, resolution: Resolution | null, latest: Evidence = evidence): Transition {
  const rule = evidence['kind'] === 'goroutines' ? 'goroutines' : 'latency';
  const labels = { service: 'shop', route: 'GET "/pay"' };
  return {
    fingerprint: fingerprintOf(rule, labels),
    rule,
    labels,
    from: resolution === null ? 'pending' : 'firing',
    to: resolution === null ? 'firing' : 'resolved',
    startsAtMs: 1_767_225_600_000,
    endsAtMs: resolution === null ? null : 1_767_229_200_000,
    atMs: 1_767_229_200_000,
    evidence,
    latest,
    resolution,
  };
}

const bodyFor = (transition: Transition): Record<string, unknown> => {
  const message = messageOf(transition, PAGE);
  if (message === undefined) throw new Error('nobody is told');
  return JSON.parse(webhookBody(message, 'team')) as Record<string, unknown>;
};
const summaryOf = (transition: Transition): string | undefined => messageOf(transition, PAGE)?.annotations['summary'];

const EVIDENCE = {
  latency,
  goroutines,
  folded,
  enriched: { ...latency, suspectDeploy: deploy, slowestTraces: [], notes: [] },
};
const RESOLUTIONS: (Resolution | null)[] = [null, 'recovered', 'new_normal', 'no_data', 'rule_off'];
const CASES = Object.entries(EVIDENCE).flatMap(([name, evidence]) =>
  RESOLUTIONS.map((resolution) => ({ name, evidence: evidence as Evidence, resolution })),
);

test.each(CASES)('$name, $resolution: the body is Alertmanager v4', ({ evidence, resolution }) => {
  const body = bodyFor(transitionOf(evidence, resolution));
  expect(Check(V4, body)).toBe(true);
  expect(Check(V4, { ...body, version: '5' })).toBe(false);
  const [alert] = body['alerts'] as { status: string; endsAt: string; evidence: Evidence }[];
  expect(alert?.status).toBe(body['status']);
  expect(alert?.endsAt).toBe(resolution === null ? '0001-01-01T00:00:00Z' : '2026-01-01T01:00:00.000Z');
  expect(alert?.evidence).toMatchObject(evidence);
  expect(alert?.evidence['resolution']).toBe(resolution ?? undefined);
});

test('nobody is told of pending, nor of what never fired', () => {
  const pending = { ...transitionOf(latency, null), from: 'none', to: 'pending' } as const;
  expect(messageOf(pending, PAGE)).toBeUndefined();
  expect(messageOf({ ...transitionOf(latency, 'not_held'), from: 'pending' }, PAGE)).toBeUndefined();
});

describe('the words', () => {
  test('of a jump: before, after, how much, since when, how sure', () => {
    const annotations = messageOf(
      transitionOf(
        {
          ...latency,
          suspectDeploy: deploy,
          onset: '2026-01-01T00:00:00.000Z',
          slowestTraces: [{ traceId: 'ab', durationMs: 9, time: '' }],
          notes: ['x could not be read: y'],
        },
        null,
      ),
      PAGE,
    )?.annotations;
    expect(annotations?.['summary']).toBe(
      'p99 of GET "/pay" & go in shop rose from 100 ms to 600 ms (+500 ms, +500 %).',
    );
    expect(annotations?.['description']).toBe(
      'After: 2026-01-01T00:00:00.000Z to 2026-01-01T00:00:00.000Z, 500 spans. Before: 2026-01-01T00:00:00.000Z to 2026-01-01T00:00:00.000Z, 3000 spans. ' +
        'Each p99 is within 1 % of the exact one; the minute still filling is left out. Slow since 2026-01-01T00:00:00.000Z. ' +
        'Suspect deploy: 1.9 o/shop@abc event d-9 at 2026-01-01T00:00:00.000Z. Slowest traces: ab. x could not be read: y',
    );
    expect(annotations).toMatchObject({ before_p99_ms: '100', n_after: '500', slowest_traces: 'ab' });
  });

  test('a deploy is named, or said not to be known; never guessed', () => {
    const described = (suspectDeploy: typeof deploy | null) =>
      messageOf(transitionOf({ ...latency, suspectDeploy }, null), PAGE)?.annotations;
    expect(described(null)?.['description']).toContain('No deploy is known in the half hour before.');
    expect(described(null)?.['suspect_deploy']).toBe('');
    expect(described(deploy)?.['suspect_deploy']).toContain('o/shop@abc');
  });

  test('of an end: each for its own reason, with what is seen now', () => {
    const now: LatencyEvidence = { ...latency, after: { ...latency.after, p99Ms: 98.76 } };
    const said = (resolution: Resolution): string | undefined => summaryOf(transitionOf(latency, resolution, now));
    expect(said('recovered')).toContain('is back at 98.8 ms; it had risen from 100 ms to 600 ms');
    expect(said('new_normal')).toContain('98.8 ms is what is usual now');
    expect(said('no_data')).toContain('closed without knowing');
    expect(said('rule_off')).toContain('switched off');
  });

  test('of goroutines: stack, minima, place', () => {
    const annotations = messageOf(transitionOf(goroutines, null), PAGE)?.annotations;
    expect(annotations?.['summary']).toBe('Goroutines in main.leak of shop (shop-1) pile up: from 10 to 45 (+35).');
    expect(annotations?.['description']).toContain('10, 20, 30, 45 (80 polls). The stack waits at main.go:10.');
    expect(summaryOf(transitionOf(goroutines, 'no_data'))).toContain('could not be polled');
  });

  test('of what is folded: how many', () => {
    expect(summaryOf(transitionOf(folded, null))).toContain('35 more are in the same trouble');
  });
});

test('links open the board that shows it', () => {
  const at = Date.parse('2026-01-01T00:00:00.000Z');
  expect(messageOf(transitionOf(latency, null), PAGE)?.generatorUrl).toBe(
    `${PAGE}/d/heliograph-service-latency?var-service=shop&var-route=GET+%22%2Fpay%22+%26+go&from=${at}&to=${at}`,
  );
  expect(messageOf(transitionOf(goroutines, null), PAGE)?.generatorUrl).toBe(
    `${PAGE}/d/heliograph-runtime?var-service=shop`,
  );
  expect(messageOf(transitionOf(folded, null), PAGE)?.generatorUrl).toBe(`${PAGE}/`);
});

test('a fingerprint is of rule and labels, whatever their order', () => {
  expect(fingerprintOf('latency', { a: '1', b: '2' })).toBe(fingerprintOf('latency', { b: '2', a: '1' }));
  expect(fingerprintOf('latency', { a: '1' })).not.toBe(fingerprintOf('goroutines', { a: '1' }));
  expect(fingerprintOf('latency', { a: '1', b: '' })).not.toBe(fingerprintOf('latency', { a: '', b: '1' }));
});

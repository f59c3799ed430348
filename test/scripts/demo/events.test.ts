import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { deployment, pastDeployments } from '../../../scripts/lib/demo/deployments.mjs';
import { hooksOf } from '../../../scripts/lib/demo/github.mjs';
import { sendDeployments, sendHooks } from '../../../scripts/lib/demo/send.mjs';
import { isSigned } from '../../../scripts/lib/demo/signature.mjs';

const START = 1_790_000_000;
const pushes = Array.from({ length: 40 }, (_, i) => ({
  sha: String(i + 1).padStart(40, '0'),
  before: String(i).padStart(40, '0'),
  subject: `Change ${i}`,
  login: 'amara-okafor',
  seconds: START + i * 3600,
}));

interface Run {
  id: number;
  run_attempt: number;
  head_sha: string;
  status: string;
  conclusion: string | null;
  run_started_at: string;
  updated_at: string;
}
interface Job {
  id: number;
  run_id: number;
  run_attempt: number;
  conclusion: string | null;
  created_at: string;
  started_at: string;
  completed_at: string | null;
  runner_name: string | null;
}
interface Payload {
  action: string;
  workflow_run: Run;
  workflow_job: Job;
  repository: { full_name: string };
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => unknown): T[][] {
  const groups = new Map<unknown, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

const hooks = hooksOf(pushes, { firstRun: 10 }) as { event: string; delivery: string; payload: Payload }[];
const runs = hooks.filter(({ event }) => event === 'workflow_run').map(({ payload }) => payload);
const jobs = hooks.filter(({ event }) => event === 'workflow_job').map(({ payload }) => payload.workflow_job);

test('every push is followed by a run that is requested, begins and ends', () => {
  expect(hooks.filter(({ event }) => event === 'push')).toHaveLength(pushes.length);
  for (const states of grouped(runs, ({ workflow_run: run }) => `${run.id} ${run.run_attempt}`))
    expect(states.map(({ action }) => action)).toEqual(['requested', 'in_progress', 'completed']);
  expect(new Set(runs.map(({ workflow_run }) => workflow_run.head_sha)).size).toBe(pushes.length);
  expect(new Set(hooks.map(({ payload }) => payload.repository.full_name))).toEqual(new Set(['example/go-shop']));
});

test('some runs fail for good, some pass when they are run again', () => {
  const ended = runs.filter(({ action }) => action === 'completed').map(({ workflow_run }) => workflow_run);
  const byRun = grouped(ended, ({ id }) => id).map((each) => each.map(({ conclusion }) => conclusion));
  const stories = new Set(byRun.map((conclusions) => conclusions.join(', ')));
  expect(stories).toEqual(new Set(['success', 'failure', 'failure, success']));
  expect(jobs.some(({ run_attempt }) => run_attempt === 2)).toBe(true);
});

test('a job waits, runs and ends in this order, and in its run', () => {
  const ended = jobs.filter(({ completed_at }) => completed_at !== null);
  expect(ended).toHaveLength(jobs.length / 3);
  for (const job of ended) {
    const times = [job.created_at, job.started_at, job.completed_at ?? ''].map((text) => Date.parse(text));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const run = runs.find(
      ({ action, workflow_run: each }) =>
        action === 'completed' && each.id === job.run_id && each.run_attempt === job.run_attempt,
    )?.workflow_run;
    expect(times[0]).toBeGreaterThanOrEqual(Date.parse(run?.run_started_at ?? ''));
    expect(times[2]).toBeLessThanOrEqual(Date.parse(run?.updated_at ?? ''));
  }
  const queued = jobs.filter(({ runner_name }) => runner_name === null);
  expect(queued.every(({ conclusion, completed_at }) => conclusion === null && completed_at === null)).toBe(true);
});

test('a delivery has an id of its own, the same when it is made again', () => {
  expect(new Set(hooks.map(({ delivery }) => delivery)).size).toBe(hooks.length);
  expect(hooksOf(pushes, { firstRun: 10 })).toEqual(hooks);
});

test('past deploys follow their merges; one that failed is rolled back to what ran before', () => {
  const deployments = pastDeployments(pushes);
  expect(new Set(deployments.map(({ id }) => id)).size).toBe(deployments.length);
  const failed = deployments.flatMap((each, i) => (each.status === 'failure' ? [i] : []));
  expect(failed.length).toBeGreaterThan(0);
  for (const i of failed) {
    const good = deployments.slice(0, i).findLast(({ status }) => status === 'success');
    expect(deployments[i + 1]).toMatchObject({ kind: 'rollback', status: 'success', sha: good?.sha ?? pushes[0]?.sha });
  }
  for (const { startedAt, finishedAt } of deployments)
    expect(Date.parse(finishedAt)).toBeGreaterThan(Date.parse(startedAt));
  const times = { startedSeconds: START, finishedSeconds: START + 5 };
  expect(deployment({ service: 'checkout', version: '1.0.0', sha: 'abc', ...times })).toEqual({
    id: `checkout-1.0.0-${START}`,
    service: 'checkout',
    environment: 'production',
    version: '1.0.0',
    sha: 'abc',
    repository: 'example/go-shop',
    status: 'success',
    startedAt: new Date(START * 1000).toISOString(),
    finishedAt: new Date((START + 5) * 1000).toISOString(),
  });
});

let server: Server | undefined;
afterEach(() => void server?.close());

/** Answers in turn; the last answer is repeated. */
async function answering(
  answers: [number, string][],
): Promise<{ url: string; got: { request: IncomingMessage; body: Buffer }[] }> {
  const got: { request: IncomingMessage; body: Buffer }[] = [];
  const listening = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const [status, text] = answers[Math.min(got.length, answers.length - 1)] ?? [500, ''];
      got.push({ request, body: Buffer.concat(chunks) });
      response.writeHead(status, { connection: 'close' }).end(text);
    });
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, got };
}

test('webhooks are signed over the bytes that are sent', async () => {
  const { url, got } = await answering([[202, '']]);
  expect(await sendHooks(url, 'its secret', hooks.slice(0, 3))).toEqual({ taken: 3, refused: 0 });
  expect(got.map(({ request }) => request.url)).toEqual(Array(3).fill('/hooks/github'));
  for (const [i, { request, body }] of got.entries()) {
    expect(isSigned('its secret', body, String(request.headers['x-hub-signature-256']))).toBe(true);
    expect(request.headers['x-github-event']).toBe(hooks[i]?.event);
    expect(request.headers['x-github-delivery']).toBe(hooks[i]?.delivery);
  }
});

test('one refusal does not keep the others back, and its reason is told', async () => {
  const { url, got } = await answering([
    [400, '{"error":{"message":"sha must be 40 hex digits"}}'],
    [200, ''],
  ]);
  const outcome = await sendDeployments(url, pastDeployments(pushes).slice(0, 3));
  expect(outcome).toEqual({ taken: 2, refused: 1, reason: '/v1/deployments answered 400: sha must be 40 hex digits' });
  expect(JSON.parse(got[1]?.body.toString() ?? '')).toEqual(pastDeployments(pushes)[1]);
});

test('a door that does not exist, or does not answer, is tried once', async () => {
  const { url, got } = await answering([[404, 'nothing here']]);
  const many = pastDeployments(pushes).slice(0, 5);
  expect(await sendDeployments(url, many)).toEqual({ taken: 0, refused: 5, reason: '/v1/deployments answered 404' });
  expect(got).toHaveLength(1);
  await new Promise((resolve) => server?.close(resolve));
  expect(await sendDeployments(url, many)).toMatchObject({
    taken: 0,
    refused: 5,
    reason: '/v1/deployments did not answer (ECONNREFUSED)',
  });
});

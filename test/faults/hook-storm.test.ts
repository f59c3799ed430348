/**
 * Over ten thousand webhook deliveries in random order: redelivered, replayed, forged, of events nobody reads, with fields nobody
 * knows, and a `kill -9` in the middle. GitHub's part is played to the letter: what got no answer is delivered again under its
 * old id. Afterwards every attempt of every run stands in the views once, with the figures that its own times give.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signatureOf, workflowJob, workflowRun } from '../support/github-payloads.ts';
import { eventually, type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';

const SECRET = 'a storm is coming';
const RUNS = 900;
const SENDERS = 32;
const SEED = 20_260_302;
const CONCLUSIONS = ['success', 'success', 'success', 'success', 'failure', 'timed_out', 'cancelled', 'skipped'];

interface Delivery {
  event: string;
  id: string;
  body: string;
  signature: string;
  /** Statuses that answer it rightly. */
  rightly: readonly number[];
}

/** What a view must say of an attempt. */
interface Expected {
  repository: string;
  workflow: string;
  run_id: number;
  attempt: number;
  status: string;
  conclusion: string | null;
  duration_s: number | null;
  jobs: number;
  /** Null while it runs: then the wait is between deliveries, and these came in no order. */
  queue_s: number | null;
}

let dataDir: string;
let heliograph: HeliographProcess;
const start = async (): Promise<HeliographProcess> =>
  spawnHeliograph(
    dataDir,
    { HELIOGRAPH_SELF_TELEMETRY_ENABLED: 'false', HELIOGRAPH_HOOKS_GITHUB_SECRET_FILE: join(dataDir, 'github.secret') },
    false,
  );
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'heliograph-storm-'));
  writeFileSync(join(dataDir, 'github.secret'), `${SECRET}\n`);
  heliograph = await start();
});
afterAll(async () => {
  heliograph.child.kill('SIGTERM');
  await heliograph.exited;
  rmSync(dataDir, { recursive: true, force: true });
});

let state = SEED;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
const upTo = (limit: number): number => Math.floor(random() * limit);

const deliveries: Delivery[] = [];
const expected: Expected[] = [];

function add(event: string, document: Record<string, unknown>, edits: Partial<Delivery> = {}): Delivery {
  const unknown = random() < 0.1 ? { [`new_in_${upTo(3000)}`]: [null, { deep: true }] } : {};
  const body = JSON.stringify({ ...unknown, ...document });
  const id = `${deliveries.length}-${upTo(2 ** 31)}`;
  const delivery = { event, id, body, signature: signatureOf(SECRET, body), rightly: [200, 202], ...edits };
  deliveries.push(delivery);
  return delivery;
}

/** An attempt as GitHub would tell of it: three deliveries of the run, three of each of its two jobs. */
function addAttempt(runId: number, attempt: number, createdMs: number): number {
  const iso = (afterS: number): string => new Date(createdMs + afterS * 1000).toISOString();
  const repository = `octo-org/shop-${runId % 3}`;
  const workflow = `CI ${runId % 2}`;
  const isOver = attempt > 1 || random() < 0.9;
  const conclusion = CONCLUSIONS[upTo(CONCLUSIONS.length)] ?? '';
  const about = { repository, workflow, attempt, createdAt: iso(0) };
  const run = { ...about, id: runId, startedAt: iso(0) };
  const waits = [1 + upTo(50), 1 + upTo(50)];
  const ends = waits.map((wait) => wait + 10 + upTo(600));
  add('workflow_run', workflowRun({ ...run, status: 'queued', action: 'requested' }));
  add('workflow_run', workflowRun({ ...run, status: 'in_progress', updatedAt: iso(5) }));
  for (const index of [0, 1]) {
    const job = { ...about, runId, id: runId * 100 + attempt * 10 + index, name: `job ${index}` };
    const started = { ...job, startedAt: iso(waits[index] ?? 0) };
    add('workflow_job', workflowJob({ ...job, status: 'queued' }));
    add('workflow_job', workflowJob({ ...started, status: 'in_progress' }));
    if (isOver) add('workflow_job', workflowJob({ ...started, conclusion, completedAt: iso(ends[index] ?? 0) }));
  }
  // The first attempt's job, copied into the second with an id of its own and its old times.
  if (attempt > 1) {
    const inherited = { ...about, runId, id: runId * 100 + 99, startedAt: iso(-600), completedAt: iso(-300) };
    add('workflow_job', workflowJob({ ...inherited, conclusion: 'success' }));
  }
  const updatedAt = iso(Math.max(...ends) + 3);
  if (isOver) add('workflow_run', workflowRun({ ...run, conclusion, updatedAt }));
  const skipped = isOver && conclusion === 'skipped';
  expected.push({
    repository,
    workflow,
    run_id: runId,
    attempt,
    status: isOver ? 'completed' : 'in_progress',
    conclusion: isOver ? conclusion : null,
    duration_s: !isOver ? null : skipped ? Math.max(...ends) + 3 : Math.max(...ends) - Math.min(...waits),
    jobs: skipped ? 0 : 2,
    queue_s: isOver && !skipped ? Math.max(...waits) : null,
  });
  return createdMs + 3_600_000;
}

function brew(): void {
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  for (let run = 1; run <= RUNS; run++) {
    const againMs = addAttempt(run, 1, nowMs - (3 + upTo(20)) * 3_600_000);
    if (random() < 0.1) addAttempt(run, 2, againMs);
  }
  const genuine = deliveries.length;
  for (let i = 0; i < genuine; i++) {
    const delivery = deliveries[i];
    if (delivery === undefined) continue;
    const lot = random();
    if (lot < 0.08) deliveries.push(delivery);
    else if (lot < 0.12) deliveries.push({ ...delivery, id: `replayed-${i}` });
  }
  for (let i = 0; i < 300; i++) {
    const forged = workflowRun({ id: 1_000_000 + i, repository: 'octo-org/shop-0' });
    add('workflow_run', forged, { signature: signatureOf('a guess', JSON.stringify(forged)), rightly: [401] });
    add(['push', 'ping', 'check_run', 'meta'][i % 4] ?? '', forged);
  }
  for (let i = 0; i < 100; i++) {
    const broken = workflowRun({ id: 2_000_000 + i });
    add('workflow_run', { ...broken, repository: [] }, { rightly: [422] });
  }
  for (let i = deliveries.length - 1; i > 0; i--) {
    const j = upTo(i + 1);
    [deliveries[i], deliveries[j]] = [deliveries[j] as Delivery, deliveries[i] as Delivery];
  }
}

/** Status of the answer; undefined where none came. */
function post(agent: Agent, { event, id, body, signature }: Delivery): Promise<number | undefined> {
  return new Promise((resolve) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-github-event': event,
      'x-github-delivery': id,
      'x-hub-signature-256': signature,
    };
    const outgoing = request(`${heliograph.pageUrl}/hooks/github`, { method: 'POST', agent, headers }, (response) => {
      response.resume().on('error', () => resolve(undefined));
      response.on('end', () => resolve(response.statusCode));
    });
    outgoing.on('error', () => resolve(undefined)).end(body);
  });
}

/** Delivers them all from many connections, killing the process once when half of them are answered. */
async function storm(): Promise<{ wrong: string[]; unanswered: number }> {
  const wrong: string[] = [];
  let [next, answered, unanswered] = [0, 0, 0];
  let restarting: Promise<void> | undefined;
  const restart = async (): Promise<void> => {
    process.kill(heliograph.pid, 'SIGKILL');
    await heliograph.exited;
    heliograph = await start();
  };
  const send = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let delivery = deliveries[next++]; delivery !== undefined; delivery = deliveries[next++]) {
      let status = await post(agent, delivery);
      while (status === undefined) {
        unanswered += 1;
        await restarting;
        status = await post(agent, delivery);
      }
      if (!delivery.rightly.includes(status)) wrong.push(`${delivery.event} ${delivery.id}: ${status}`);
      answered += 1;
      if (answered === deliveries.length >> 1) restarting = restart();
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  return { wrong, unanswered };
}

interface Answer {
  rows: Record<string, unknown>[];
  meta: { n: number; coverage: number | null; asOf: string | null };
}

async function view(query: string): Promise<Answer> {
  const answer = await fetch(`${heliograph.pageUrl}/api/query/${query}`);
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as Answer;
}

/** Whether all that was acked can be queried. */
async function isLoaded(): Promise<boolean> {
  const answer = await fetch(`${heliograph.pageUrl}/api/status`);
  return ((await answer.json()) as { journal: { bytes: number } }).journal.bytes === 0;
}

const keyOf = ({ run_id: run, attempt }: Record<string, unknown>): number => Number(run) * 10 + Number(attempt);

test('each run is counted once, with its own figures, or refused', { timeout: 240_000 }, async () => {
  brew();
  expect(deliveries.length).toBeGreaterThan(10_000);
  const { wrong, unanswered } = await storm();
  expect(wrong).toEqual([]);
  expect(unanswered).toBeGreaterThan(0);
  await eventually(async () => ((await isLoaded()) ? true : undefined));

  const { rows: listed } = await view('ci_run_list?from=now-2d&to=now');
  const seen = listed.map((row) => ({
    ...Object.fromEntries(Object.keys(expected[0] ?? {}).map((name) => [name, row[name]])),
    ...(row['status'] !== 'completed' && { queue_s: null }),
  }));
  expect(seen.toSorted((a, b) => keyOf(a) - keyOf(b))).toEqual(
    expected.toSorted((a, b) => keyOf({ ...a }) - keyOf({ ...b })),
  );

  const count = (conclusions: readonly string[], rows: readonly Expected[]): number =>
    rows.filter(({ conclusion }) => conclusion !== null && conclusions.includes(conclusion)).length;
  const { rows: summed, meta } = await view('ci_workflows?from=now-2d&to=now&step=4000000000');
  expect(meta).toMatchObject({ n: expected.length, coverage: expect.any(Number), asOf: expect.any(String) });
  expect(summed).toHaveLength(6);
  for (const row of summed) {
    const own = expected.filter((each) => each.repository === row['repository'] && each.workflow === row['workflow']);
    expect(row).toMatchObject({
      runs: own.length,
      success_count: count(['success'], own),
      failure_count: count(['failure', 'timed_out'], own),
      other_count: count(['cancelled', 'skipped'], own),
      running_count: own.filter(({ status }) => status !== 'completed').length,
      rerun_count: own.filter(({ attempt }) => attempt > 1).length,
      duration_count: own.filter(({ duration_s: duration }) => duration !== null).length,
    });
  }

  const { doors } = (await (await fetch(`${heliograph.pageUrl}/api/status`)).json()) as {
    doors: { hooks: { event: string }[] };
  };
  const events = [...new Set(doors.hooks.map(({ event }) => event))];
  expect(events.toSorted()).toEqual(['other', 'ping', 'push', 'workflow_job', 'workflow_run']);
  expect(heliograph.stderr() + heliograph.stdout()).not.toContain(SECRET);
});

test('a deploy event that is told twice is one deployment', async () => {
  const finishedAt = new Date(Date.now() - 60_000).toISOString();
  const body = JSON.stringify({ id: '1', service: 'checkout', version: '1.4.2', kind: 'hotfix', finishedAt });
  for (const _ of [1, 2]) {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${heliograph.pageUrl}/v1/deployments`, { method: 'POST', body, headers });
    expect(await answer.json()).toEqual({ accepted: 1, rejected: [] });
  }
  await eventually(async () => ((await isLoaded()) ? true : undefined));
  const { rows } = await view('deploys?from=now-1h&to=now');
  expect(rows).toMatchObject([{ source: 'event', text: 'checkout 1.4.2 (hotfix)', environment: 'production' }]);
});

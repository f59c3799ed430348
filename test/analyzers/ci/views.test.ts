import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GITHUB_HOOK } from '../../../collectors/index.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { type JobInput, type RunInput, workflowJob, workflowRun } from '../../support/github-payloads.ts';
import { loadRows, queryRows } from '../../support/load-rows.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());
beforeEach(async () => {
  for (const table of ['ci_runs', 'ci_jobs']) await engine.store.command({ sql: `TRUNCATE TABLE heliograph.${table}` });
});

/** `10:00:05` on the day of these tests. */
const at = (time: string): string => `2026-03-02T${time}Z`;
let sequence = 0;

/** Stores deliveries through the decoder, each as it came at `received`. */
async function told(event: string, body: unknown, received: string, id = `d-${(sequence += 1)}`): Promise<void> {
  const decoded = GITHUB_HOOK.decode({ event, id, receivedAtMs: Date.parse(at(received)) }, body);
  if (decoded.kind === 'rejected') throw new Error(JSON.stringify(decoded.reject));
  if (decoded.runs.length > 0) await loadRows(engine, 'ci_runs', decoded.runs);
  if (decoded.jobs.length > 0) await loadRows(engine, 'ci_jobs', decoded.jobs);
}
const run = (received: string, input: RunInput, id?: string): Promise<void> =>
  told('workflow_run', workflowRun({ id: 1, createdAt: at('10:00:00'), ...input }), received, id);
const job = (received: string, input: JobInput, id?: string): Promise<void> =>
  told('workflow_job', workflowJob({ runId: 1, id: 11, createdAt: at('10:00:00'), ...input }), received, id);

const WINDOW = "from = toDateTime('2026-03-02 00:00:00'), to = toDateTime('2026-03-03 00:00:00')";
const list = (): Promise<Record<string, unknown>[]> =>
  queryRows(engine, `SELECT * FROM boards.ci_run_list(${WINDOW}) ORDER BY repository, run_id, attempt`);
const workflows = (step = 86_400): Promise<Record<string, unknown>[]> =>
  queryRows(engine, `SELECT * FROM boards.ci_workflows(${WINDOW}, step = ${step}) ORDER BY time, repository, workflow`);

describe('a run is one row', () => {
  test('told three times in order', async () => {
    await run('10:00:01', { status: 'queued', action: 'requested' });
    await run('10:00:09', { status: 'in_progress', updatedAt: at('10:00:08') });
    await run('10:05:01', { updatedAt: at('10:05:00') });
    expect(await list()).toMatchObject([
      {
        time: '2026-03-02 10:00:00.000',
        repository: 'octo-org/shop',
        workflow: 'CI',
        run_id: 1,
        attempt: 1,
        branch: 'main',
        event: 'push',
        sha: '7638417db6d59f3c431d3e1f261cc637155684cd',
        status: 'completed',
        conclusion: 'success',
        duration_s: 300,
        duration_source: 'run',
        queue_s: null,
        jobs: 0,
      },
    ]);
  });

  test('told in another order: what comes after completed opens nothing again', async () => {
    await run('10:05:01', { updatedAt: at('10:05:00'), conclusion: 'failure' });
    await run('10:05:02', { status: 'in_progress', updatedAt: at('10:00:08') });
    await run('10:05:03', { status: 'queued', action: 'requested' });
    // not even one that claims to be newer
    await run('10:05:04', { status: 'in_progress', updatedAt: at('10:06:00') });
    expect(await list()).toMatchObject([{ status: 'completed', conclusion: 'failure', duration_s: 300 }]);
  });

  test('while it runs: the newest by its own time, then by what comes later in a run', async () => {
    await run('10:00:09', { status: 'in_progress', updatedAt: at('10:00:08') });
    await run('10:00:10', { status: 'queued', updatedAt: at('10:00:08') });
    await run('10:00:11', { status: 'waiting', updatedAt: at('10:00:02') });
    expect(await list()).toMatchObject([{ status: 'in_progress', conclusion: null, duration_s: null }]);
    expect(await workflows()).toMatchObject([{ runs: 1, running_count: 1, success_ratio: null, duration_count: 0 }]);
  });

  test('redelivered, by hand hours later or replayed under a new id, no figure moves', async () => {
    const tell = async (delay: number, suffix: string): Promise<void> => {
      const later = (time: string): string => new Date(Date.parse(at(time)) + delay).toISOString().slice(11, 19);
      await run(later('10:00:01'), { status: 'queued', action: 'requested' }, `a${suffix}`);
      await job(later('10:00:02'), { status: 'queued' }, `b${suffix}`);
      await job(later('10:00:32'), { status: 'in_progress', startedAt: at('10:00:31') }, `c${suffix}`);
      await job(later('10:03:32'), { startedAt: at('10:00:31'), completedAt: at('10:03:31') }, `d${suffix}`);
      await run(later('10:03:35'), { updatedAt: at('10:03:34') }, `e${suffix}`);
    };
    await tell(0, '');
    const figures = async (): Promise<unknown> => [
      await list(),
      await workflows(),
      await queryRows(engine, `SELECT as_of FROM boards.source_status(${WINDOW}) WHERE source = 'github'`),
    ];
    const [listed, before] = [await list(), await figures()];
    expect(listed).toMatchObject([{ duration_s: 180, duration_source: 'jobs', queue_s: 30, jobs: 1 }]);
    await tell(0, '');
    await tell(3 * 3_600_000, '');
    await tell(5_000, '-replayed');
    await tell(7 * 3_600_000, '-replayed-late');
    expect(await figures()).toEqual(before);
    for (const table of ['ci_runs', 'ci_jobs'])
      await engine.store.command({ sql: `OPTIMIZE TABLE heliograph.${table} FINAL` });
    expect(await figures()).toEqual(before);
  });
});

describe('durations', () => {
  test('from the first start to the last end of its jobs; skipped ones do not count', async () => {
    await run('10:00:01', { status: 'queued' });
    await job('10:02:01', { id: 11, startedAt: at('10:00:20'), completedAt: at('10:02:00') });
    await job('10:07:01', { id: 12, startedAt: at('10:03:00'), completedAt: at('10:07:00'), conclusion: 'failure' });
    const skippedAt = at('10:30:00');
    await job('10:30:01', { id: 13, startedAt: skippedAt, completedAt: skippedAt, conclusion: 'skipped' });
    expect(await list()).toMatchObject([{ status: 'queued', duration_s: null, duration_source: '' }]);
    await run('10:30:05', { updatedAt: at('10:30:04'), conclusion: 'failure' });
    expect(await list()).toMatchObject([{ duration_s: 400, duration_source: 'jobs', jobs: 2 }]);
  });

  test('where the end of a job was lost, the run’s own times stand in; the earliest completed delivery counts', async () => {
    await job('10:02:01', { id: 11, startedAt: at('10:00:20'), completedAt: at('10:02:00') });
    await job('10:03:01', { id: 12, status: 'in_progress', startedAt: at('10:03:00') });
    await run('10:09:01', { updatedAt: at('10:09:00') });
    await run('12:00:01', { updatedAt: at('12:00:00') });
    expect(await list()).toMatchObject([{ duration_s: 540, duration_source: 'run' }]);
  });

  test('one that comes out negative is unknown', async () => {
    await run('10:09:01', { startedAt: at('10:09:00'), updatedAt: at('10:08:00') });
    expect(await list()).toMatchObject([{ duration_s: null, duration_source: '' }]);
  });
});

describe('re-runs', () => {
  test('an attempt is a row of its own; jobs inherited from the first count neither to its duration nor to a queue', async () => {
    await job('10:00:02', { id: 11, status: 'queued' });
    await job('10:00:12', { id: 11, status: 'in_progress', startedAt: at('10:00:11') });
    await job('10:02:01', { id: 11, startedAt: at('10:00:11'), completedAt: at('10:02:00') });
    await job('10:04:01', { id: 12, startedAt: at('10:00:21'), completedAt: at('10:04:00'), conclusion: 'failure' });
    await run('10:04:05', { updatedAt: at('10:04:04'), conclusion: 'failure' });
    // An hour later the failed job alone runs again; the other is copied, with a new id and its old times.
    const again = { attempt: 2, createdAt: at('11:00:00') };
    await job('11:00:02', { ...again, id: 21, startedAt: at('10:00:11'), completedAt: at('10:02:00') });
    await job('11:00:02', { ...again, id: 22, status: 'queued' });
    await job('11:00:42', { ...again, id: 22, status: 'in_progress', startedAt: at('11:00:41') });
    await job('11:01:42', { ...again, id: 22, startedAt: at('11:00:41'), completedAt: at('11:01:41') });
    await run('11:01:45', { attempt: 2, startedAt: at('11:00:00'), updatedAt: at('11:01:44') });
    expect(await list()).toMatchObject([
      {
        attempt: 1,
        time: '2026-03-02 10:00:00.000',
        conclusion: 'failure',
        duration_s: 229,
        jobs: 2,
        queues_s: [10, 21],
        queue_negative_count: 0,
      },
      {
        attempt: 2,
        time: '2026-03-02 11:00:00.000',
        conclusion: 'success',
        duration_s: 60,
        jobs: 1,
        queues_s: [40],
        queue_negative_count: 0,
      },
    ]);
    expect(await workflows()).toMatchObject([
      { runs: 2, success_count: 1, failure_count: 1, success_ratio: 0.5, rerun_count: 1, queue_count: 3 },
    ]);
  });

  test('a first message with the old start does not make the inherited jobs its own', async () => {
    const again = { attempt: 2, startedAt: at('10:00:00') };
    await run('11:00:01', { ...again, status: 'queued', action: 'requested' });
    await run('11:02:01', { ...again, startedAt: at('11:00:00'), updatedAt: at('11:02:00') });
    const times = { attempt: 2, createdAt: at('10:00:00') };
    await job('11:00:02', { ...times, id: 21, startedAt: at('10:00:11'), completedAt: at('10:02:00') });
    await job('11:01:42', { ...times, id: 22, startedAt: at('11:00:41'), completedAt: at('11:01:41') });
    expect(await list()).toMatchObject([{ time: '2026-03-02 11:00:00.000', duration_s: 60, jobs: 1 }]);
  });

  test('inherited jobs are known by their own times where the run has none', async () => {
    const again = { attempt: 2, createdAt: at('11:00:00') };
    await job('11:00:02', { ...again, id: 21, startedAt: at('10:00:11'), completedAt: at('10:02:00') });
    const body = workflowRun({ id: 1, attempt: 2, createdAt: at('10:00:00') });
    const { run_started_at: _, ...rest } = body['workflow_run'] as Record<string, unknown>;
    await told('workflow_run', { ...body, workflow_run: rest }, '11:00:05');
    expect(await list()).toMatchObject([{ attempt: 2, jobs: 0, queues_s: [], queue_negative_count: 0 }]);
  });
});

describe('queues', () => {
  const queue = async (): Promise<unknown[]> => {
    await run('12:00:00', { updatedAt: at('10:30:00') });
    return (await list()).map(({ queue_s, queue_negative_count }) => [queue_s, queue_negative_count]);
  };

  test('between the deliveries, by our clock: GitHub’s started_at of a waiting job is when it was queued', async () => {
    await job('10:00:02', { status: 'queued', startedAt: at('10:00:00') });
    await job('10:00:47', { status: 'in_progress', startedAt: at('10:00:00') });
    expect(await queue()).toEqual([[45, 0]]);
  });

  test('where one delivery was lost, by GitHub’s clock', async () => {
    await job('10:00:02', { status: 'queued' });
    await job('10:05:01', { startedAt: at('10:00:33'), completedAt: at('10:05:00') });
    expect(await queue()).toEqual([[33, 0]]);
  });

  test('a start that equals the creation is the queueing said twice: the delivery, or nothing', async () => {
    await job('10:00:47', { status: 'in_progress', startedAt: at('10:00:00') });
    expect(await queue()).toEqual([[47, 0]]);
    await engine.store.command({ sql: 'TRUNCATE TABLE heliograph.ci_jobs' });
    await job('10:05:01', { startedAt: at('10:00:00'), completedAt: at('10:05:00') });
    expect(await queue()).toEqual([[null, 0]]);
  });

  test('one that comes out negative is unknown and counted, never 0', async () => {
    await job('10:00:05', { status: 'queued' });
    await job('10:00:03', { status: 'in_progress', startedAt: at('10:00:02') });
    await job('10:00:03', { id: 12, startedAt: at('09:59:58'), completedAt: at('10:05:00') });
    await job('10:00:02', { id: 13, status: 'queued' });
    await job('10:00:09', { id: 13, status: 'in_progress' });
    expect(await queue()).toEqual([[7, 2]]);
    expect(await workflows()).toMatchObject([{ queue_count: 1, queue_negative_count: 2, queue_p50_s: 7 }]);
  });

  test('deliveries that came after the job’s end are no witnesses', async () => {
    await job('10:00:02', { status: 'queued' });
    await job('10:05:01', { startedAt: at('10:00:33'), completedAt: at('10:05:00') });
    await job('11:30:00', { status: 'in_progress', startedAt: at('10:00:33') });
    expect(await queue()).toEqual([[33, 0]]);
  });
});

describe('ci_workflows', () => {
  test('counts each conclusion where it belongs, by step, repository and workflow', async () => {
    const conclusions = ['success', 'success', 'success', 'failure', 'timed_out', 'cancelled', 'skipped', 'neutral'];
    for (const [index, conclusion] of [...conclusions, 'action_required', 'stale', 'next_years'].entries()) {
      const createdAt = at('10:00:00');
      const updatedAt = at(`10:${String(index + 1).padStart(2, '0')}:00`);
      await run('10:59:00', { id: index + 1, conclusion, createdAt, updatedAt });
    }
    await run('10:59:00', { id: 90, status: 'in_progress' });
    await run('11:59:00', { id: 91, createdAt: at('11:00:00'), updatedAt: at('11:01:00'), conclusion: 'cancelled' });
    await run('10:59:00', { id: 92, repository: 'octo-org/other', workflow: 'Release', updatedAt: at('10:02:00') });
    expect(await workflows(3600)).toEqual([
      {
        time: '2026-03-02 10:00:00',
        repository: 'octo-org/other',
        workflow: 'Release',
        runs: 1,
        success_count: 1,
        failure_count: 0,
        other_count: 0,
        running_count: 0,
        success_ratio: 1,
        duration_p50_s: 120,
        duration_p95_s: 120,
        queue_p50_s: null,
        queue_p95_s: null,
        rerun_count: 0,
        duration_count: 1,
        queue_count: 0,
        queue_negative_count: 0,
      },
      {
        time: '2026-03-02 10:00:00',
        repository: 'octo-org/shop',
        workflow: 'CI',
        runs: 12,
        success_count: 3,
        failure_count: 2,
        other_count: 6,
        running_count: 1,
        success_ratio: 0.6,
        // 60, 120, … 660 s: the sixth and the eleventh of eleven
        duration_p50_s: 360,
        duration_p95_s: 660,
        queue_p50_s: null,
        queue_p95_s: null,
        rerun_count: 0,
        duration_count: 11,
        queue_count: 0,
        queue_negative_count: 0,
      },
      {
        time: '2026-03-02 11:00:00',
        repository: 'octo-org/shop',
        workflow: 'CI',
        runs: 1,
        success_count: 0,
        failure_count: 0,
        other_count: 1,
        running_count: 0,
        success_ratio: null,
        duration_p50_s: 60,
        duration_p95_s: 60,
        queue_p50_s: null,
        queue_p95_s: null,
        rerun_count: 0,
        duration_count: 1,
        queue_count: 0,
        queue_negative_count: 0,
      },
    ]);
  });

  test('queues are taken over jobs, not over runs', async () => {
    for (const [index, seconds] of [5, 10, 20, 40].entries()) {
      await job('10:00:00', { id: index + 1, status: 'queued' });
      await job(`10:00:${String(seconds).padStart(2, '0')}`, { id: index + 1, status: 'in_progress' });
    }
    await run('10:59:00', { updatedAt: at('10:58:00') });
    await run('10:59:00', { id: 2, updatedAt: at('10:58:00') });
    expect(await list()).toMatchObject([{ queue_s: 40, queues_s: [5, 10, 20, 40] }, { queue_s: null }]);
    expect(await workflows()).toMatchObject([{ runs: 2, queue_p50_s: 20, queue_p95_s: 40, queue_count: 4 }]);
  });

  test('the window takes its first second and not its last', async () => {
    for (const [index, createdAt] of [
      '2026-03-01T23:59:59.999Z',
      at('00:00:00'),
      at('23:59:59'),
      '2026-03-03T00:00:00Z',
    ].entries())
      await told('workflow_run', workflowRun({ id: index + 1, createdAt }), '23:59:59');
    expect((await list()).map(({ run_id }) => run_id)).toEqual([2, 3]);
    expect(await workflows()).toMatchObject([{ runs: 2 }]);
  });
});

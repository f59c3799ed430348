// @ts-check
/**
 * Webhooks in the shape of GitHub's: a push, and what follows it in CI. Only the fields that say something of the push, the
 * run and the job are there; times are those at which the things happened.
 */
import { createHash } from 'node:crypto';
import { REPOSITORY } from './people.mjs';
import { pick, seededRandom } from './random.mjs';

/**
 * A commit that was pushed to main.
 * @typedef {object} Pushed
 * @property {string} sha
 * @property {string} before what main was until then
 * @property {string} subject
 * @property {string} login of who pushed
 * @property {number} seconds Unix time of the push
 */

/**
 * One webhook, not yet signed.
 * @typedef {object} Hook
 * @property {string} event
 * @property {string} delivery the id that stays the same when it is sent again
 * @property {object} payload
 */

const HOSTED = {
  id: 700_100,
  name: 'go-shop',
  full_name: REPOSITORY,
  default_branch: 'main',
  private: true,
};
const WORKFLOW = { id: 9001, name: 'ci', path: '.github/workflows/ci.yml' };
/** Of nine pushes the fifth meets a flaky test, of eleven the eighth breaks one; the first of all is green. */
const isFlaky = (/** @type {number} */ i) => i % 9 === 4;
const isBroken = (/** @type {number} */ i) => i % 11 === 7;
/** Name of the job and its usual length in seconds. */
const JOBS = /** @type {const} */ ([
  ['lint', 48],
  ['test', 210],
  ['build', 95],
]);

/**
 * Everything that GitHub would send for these pushes, in order: of each a push and a CI run with its jobs. Some runs are
 * flaky: their tests fail and pass when they are run again; some are broken and stay so.
 * @param {readonly Pushed[]} pushes in order of time
 * @param {{firstRun: number}} options `firstRun`: number of the first run
 * @returns {Hook[]}
 */
export function hooksOf(pushes, { firstRun }) {
  return pushes.flatMap((push, i) => {
    const number = firstRun + i;
    const random = seededRandom(number);
    const failing = isFlaky(i) || isBroken(i);
    const first = runHooks({
      push,
      number,
      attempt: 1,
      failing,
      startSeconds: push.seconds + 4,
      random,
    });
    if (!isFlaky(i)) return [pushHook(push), ...first.hooks];
    const again = { push, number, attempt: 2, failing: false, startSeconds: first.endSeconds + 120, random };
    return [pushHook(push), ...first.hooks, ...runHooks(again).hooks];
  });
}

/**
 * @param {Pushed} push
 * @returns {Hook}
 */
function pushHook(push) {
  const author = { name: push.login, username: push.login };
  const commit = { id: push.sha, message: push.subject, timestamp: iso(push.seconds), author, committer: author };
  const payload = {
    ref: 'refs/heads/main',
    before: push.before,
    after: push.sha,
    commits: [commit],
    head_commit: commit,
  };
  return hook('push', `push ${push.sha}`, { ...payload, repository: HOSTED, sender: { login: push.login } });
}

/**
 * @param {{push: Pushed, number: number, attempt: number, failing: boolean, startSeconds: number, random: () => number}} run
 * @returns {{hooks: Hook[], endSeconds: number}}
 */
function runHooks({ push, number, attempt, failing, startSeconds, random }) {
  const jobs = JOBS.map(([name, usual], i) => {
    const queued = Math.floor(3 + random() * (random() < 0.1 ? 240 : 25));
    const start = startSeconds + queued;
    const failed = failing && name === 'test';
    const end = start + Math.floor(usual * (0.8 + random() * 0.5) * (failed ? 0.7 : 1));
    return { id: number * 100 + attempt * 10 + i, name, start, end, conclusion: failed ? 'failure' : 'success' };
  });
  const endSeconds = Math.max(...jobs.map(({ end }) => end));
  const base = {
    id: 50_000 + number,
    name: WORKFLOW.name,
    path: WORKFLOW.path,
    workflow_id: WORKFLOW.id,
    run_number: number,
    run_attempt: attempt,
    event: 'push',
    head_branch: 'main',
    head_sha: push.sha,
    head_commit: { id: push.sha, message: push.subject, timestamp: iso(push.seconds) },
    created_at: iso(push.seconds + 2),
    run_started_at: iso(startSeconds),
    actor: { login: push.login },
    triggering_actor: { login: push.login },
    pull_requests: [],
  };
  const run = (/** @type {string} */ action, /** @type {string | null} */ conclusion, /** @type {number} */ seconds) =>
    hook('workflow_run', `run ${base.id} ${attempt} ${action}`, {
      action,
      workflow_run: { ...base, status: action, conclusion, updated_at: iso(seconds) },
      workflow: WORKFLOW,
      repository: HOSTED,
      sender: { login: push.login },
    });
  const context = { run: base, attempt, startSeconds, login: push.login, random };
  const between = jobs.flatMap((job) => jobHooks(job, context));
  return {
    hooks: [
      run('requested', null, startSeconds),
      run('in_progress', null, startSeconds + 3),
      ...between,
      run('completed', failing ? 'failure' : 'success', endSeconds),
    ],
    endSeconds,
  };
}

/**
 * @param {{id: number, name: string, start: number, end: number, conclusion: string}} job
 * @param {{run: {id: number, head_sha: string}, attempt: number, startSeconds: number, login: string,
 *   random: () => number}} context
 * @returns {Hook[]}
 */
function jobHooks(job, { run, attempt, startSeconds, login, random }) {
  const runner = pick(random, ['runner-eu-1', 'runner-eu-2', 'runner-ap-1']);
  const states = /** @type {const} */ ([
    ['queued', startSeconds],
    ['in_progress', job.start],
    ['completed', job.start],
  ]);
  return states.map(([action, started]) => {
    const completed = action === 'completed';
    return hook('workflow_job', `job ${job.id} ${action}`, {
      action,
      workflow_job: {
        id: job.id,
        run_id: run.id,
        run_attempt: attempt,
        workflow_name: WORKFLOW.name,
        head_branch: 'main',
        head_sha: run.head_sha,
        name: job.name,
        status: action,
        conclusion: completed ? job.conclusion : null,
        created_at: iso(startSeconds),
        started_at: iso(started),
        completed_at: completed ? iso(job.end) : null,
        labels: ['self-hosted', 'linux'],
        runner_id: action === 'queued' ? null : 1,
        runner_name: action === 'queued' ? null : runner,
        steps: [],
      },
      repository: HOSTED,
      sender: { login },
    });
  });
}

/**
 * @param {string} event
 * @param {string} identity what makes the delivery this one and no other
 * @param {object} payload
 * @returns {Hook}
 */
function hook(event, identity, payload) {
  const hex = createHash('sha256').update(identity).digest('hex');
  const delivery = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
  return { event, delivery, payload };
}

/** @param {number} seconds */
function iso(seconds) {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

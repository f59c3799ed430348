/** Demo CI and deployments as INSERT … SELECT statements: the same rows for the same `nowMs`. */

/**
 * Three workflows of two repositories, a run each every 20 minutes over thirty days, with two jobs a run, one run in twelve run
 * again; a deployment a day of each of two services.
 */
export function ciStatements(nowMs: number): string[] {
  const createdAt = `fromUnixTimestamp64Milli(toInt64(${Math.floor(nowMs)} - 1200000 * (1 + intDiv(number, 3))))`;
  const run = `
    100000 + number AS run,
    ${createdAt} AS created,
    ['octo-org/shop', 'octo-org/shop', 'octo-org/mailer'][1 + number % 3] AS repo,
    ['CI', 'Release', 'CI'][1 + number % 3] AS flow,
    5 + cityHash64(number, 1) % 40 AS wait_s,
    60 + cityHash64(number, 2) % 500 AS work_s,
    ['success', 'success', 'success', 'success', 'success', 'failure', 'cancelled', 'success'][1 + cityHash64(number, 3) % 8] AS result,
    1 + (cityHash64(number, 4) % 12 = 0) AS attempts`;
  return [
    `INSERT INTO heliograph.ci_runs (provider, repository, run_id, attempt, delivery, workflow, event, branch, sha, status,
      conclusion, created_at, started_at, updated_at, received_at)
    WITH ${run}
    SELECT 'github', repo, run, arrayJoin(range(1, 1 + attempts)) AS attempt, concat('demo-', toString(number)), flow, 'push', 'main',
      lower(hex(SHA1(toString(number)))), 'completed', result, created,
      created + toIntervalSecond(900 * (attempt - 1)), created + toIntervalSecond(900 * (attempt - 1) + wait_s + work_s),
      created + toIntervalSecond(900 * (attempt - 1) + wait_s + work_s + 1)
    FROM numbers(6480)`,
    `INSERT INTO heliograph.ci_jobs (provider, repository, run_id, attempt, job_id, delivery, workflow, name, branch, sha, labels,
      status, conclusion, created_at, started_at, completed_at, received_at)
    WITH ${run}
    SELECT 'github', repo, run, 1, run * 10 + arrayJoin([1, 2]) AS job, concat('demo-', toString(job)), flow, ['build', 'test'][job % 2 + 1],
      'main', lower(hex(SHA1(toString(number)))), ['ubuntu-24.04'], 'completed', result, created,
      created + toIntervalSecond(wait_s), created + toIntervalSecond(wait_s + work_s),
      created + toIntervalSecond(wait_s + work_s + 1)
    FROM numbers(6480)`,
    `INSERT INTO heliograph.deployments (id, service, environment, version, sha, repository, status, kind, started_at, finished_at,
      received_at)
    WITH fromUnixTimestamp64Milli(toInt64(${Math.floor(nowMs)} - 3600000 - 86400000 * intDiv(number, 2))) AS finished
    SELECT concat('demo-', toString(number)), ['checkout', 'storefront'][1 + number % 2], 'production',
      concat('1.', toString(42 - intDiv(number, 2))), '', 'octo-org/shop', if(number % 9 = 8, 'failure', 'success'),
      ['planned', 'planned', 'hotfix', 'rollback'][1 + number % 4], finished - toIntervalSecond(90), finished, finished
    FROM numbers(60)`,
  ];
}

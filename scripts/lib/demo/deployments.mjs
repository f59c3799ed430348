// @ts-check
/** Deploy events, as a team's own pipeline would send them to `POST /v1/deployments`. */
import { REPOSITORY } from './people.mjs';
import { seededRandom } from './random.mjs';

/**
 * @typedef {object} Deployment
 * @property {string} id
 * @property {string} service
 * @property {string} environment
 * @property {string} version
 * @property {string} sha
 * @property {string} repository
 * @property {'success' | 'failure'} status
 * @property {'planned' | 'rollback' | 'hotfix'} [kind]
 * @property {string} startedAt ISO
 * @property {string} finishedAt ISO
 */

const FAILED_SHARE = 0.1;
const DEPLOY_SECONDS = 90;
const BACK_SECONDS = 1500;

/**
 * @param {{service: string, version: string, sha: string, startedSeconds: number, finishedSeconds: number,
 *   status?: Deployment['status'], kind?: Deployment['kind']}} given
 * @returns {Deployment}
 */
export function deployment({ service, version, sha, startedSeconds, finishedSeconds, status = 'success', kind }) {
  return {
    id: `${service}-${version}-${startedSeconds}`,
    service,
    environment: 'production',
    version,
    sha,
    repository: REPOSITORY,
    status,
    ...(kind === undefined ? {} : { kind }),
    startedAt: new Date(startedSeconds * 1000).toISOString(),
    finishedAt: new Date(finishedSeconds * 1000).toISOString(),
  };
}

/**
 * Past deploys of checkout: every second merge went out ten minutes after it; one in ten failed and was rolled back.
 * @param {readonly {sha: string, seconds: number}[]} merges in order of time
 * @returns {Deployment[]}
 */
export function pastDeployments(merges) {
  const random = seededRandom(11);
  let last = merges[0]?.sha ?? '';
  return merges
    .filter((_, i) => i % 2 === 1)
    .flatMap(({ sha, seconds }, i) => {
      const startedSeconds = seconds + 600;
      const common = { service: 'checkout', version: `0.${i + 1}.0`, sha };
      const finishedSeconds = startedSeconds + DEPLOY_SECONDS;
      if (random() >= FAILED_SHARE) {
        last = sha;
        return [deployment({ ...common, startedSeconds, finishedSeconds, kind: 'planned' })];
      }
      const backSeconds = finishedSeconds + BACK_SECONDS;
      return [
        deployment({ ...common, startedSeconds, finishedSeconds, status: 'failure', kind: 'planned' }),
        deployment({
          ...common,
          sha: last,
          version: `0.${i}.0`,
          startedSeconds: backSeconds,
          finishedSeconds: backSeconds + DEPLOY_SECONDS,
          kind: 'rollback',
        }),
      ];
    });
}

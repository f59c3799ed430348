// @ts-check
/** Sends the demo's events to Heliograph, and says in a word what became of them. */
import { signatureOf } from './signature.mjs';

/** @typedef {import('./github.mjs').Hook} Hook */
/** @typedef {import('./deployments.mjs').Deployment} Deployment */

/**
 * What became of a number of requests: how many were taken, and the first refusal.
 * @typedef {object} Outcome
 * @property {number} taken
 * @property {number} refused
 * @property {string} [reason] of the first refusal
 */

const TIMEOUT_MS = 10_000;

/**
 * Sends webhooks one after another, each signed over its bytes.
 * @param {string} pageUrl
 * @param {string} secret
 * @param {readonly Hook[]} hooks
 * @returns {Promise<Outcome>}
 */
export function sendHooks(pageUrl, secret, hooks) {
  return sendAll(
    hooks.map(({ event, delivery, payload }) => {
      const body = JSON.stringify(payload);
      const headers = {
        'x-github-event': event,
        'x-github-delivery': delivery,
        'x-hub-signature-256': signatureOf(secret, body),
      };
      return { url: `${pageUrl}/hooks/github`, body, headers };
    }),
  );
}

/**
 * @param {string} pageUrl
 * @param {readonly Deployment[]} deployments
 * @returns {Promise<Outcome>}
 */
export function sendDeployments(pageUrl, deployments) {
  return sendAll(
    deployments.map((each) => ({ url: `${pageUrl}/v1/deployments`, body: JSON.stringify(each), headers: {} })),
  );
}

/**
 * Goes on after a refusal, but not after a door that does not exist or does not answer.
 * @param {readonly {url: string, body: string, headers: Record<string, string>}[]} requests
 * @returns {Promise<Outcome>}
 */
async function sendAll(requests) {
  /** @type {Outcome} */
  const outcome = { taken: 0, refused: 0 };
  for (const { url, body, headers } of requests) {
    const refusal = await refusalOf(url, body, headers);
    if (refusal === undefined) {
      outcome.taken++;
      continue;
    }
    outcome.refused++;
    outcome.reason ??= refusal.reason;
    if (refusal.final) {
      outcome.refused = requests.length - outcome.taken;
      break;
    }
  }
  return outcome;
}

/**
 * @param {string} url
 * @param {string} body
 * @param {Record<string, string>} headers
 * @returns {Promise<{reason: string, final: boolean} | undefined>} undefined where it was taken
 */
async function refusalOf(url, body, headers) {
  const path = new URL(url).pathname;
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    if (response.ok) return undefined;
    return { reason: `${path} answered ${response.status}${messageOf(text)}`, final: response.status === 404 };
  } catch (error) {
    const { message, cause } = /** @type {Error & {cause?: {code?: string}}} */ (error);
    return { reason: `${path} did not answer (${cause?.code ?? message})`, final: true };
  }
}

/** @param {string} text */
function messageOf(text) {
  try {
    const { error } = JSON.parse(text);
    return error?.message === undefined ? '' : `: ${error.message}`;
  } catch {
    return '';
  }
}

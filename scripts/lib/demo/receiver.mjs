// @ts-check
/** A webhook receiver as a team would write one: it believes nothing that is not signed, and each delivery once. */
import { createServer } from 'node:http';
import { isSigned } from './signature.mjs';

/** @typedef {import('./alert-text.mjs').Alert} Alert */

/**
 * @typedef {object} ReceiverOptions
 * @property {string} secret
 * @property {string} [host] default loopback
 * @property {number} [port] default a free one
 * @property {(alert: Alert) => void} onAlert called once for each alert of each new delivery with a good signature
 * @property {(reason: string) => void} onRefused called for every delivery that was turned away
 */

/**
 * @typedef {object} Receiver
 * @property {string} url where deliveries go
 * @property {number} port
 * @property {() => Promise<void>} close
 */

const BODY_MAX_BYTES = 4 * 1024 * 1024;
/** Keys of deliveries that are remembered; the oldest is forgotten first. */
const KEYS_MAX = 10_000;

/**
 * Listens. Rejects where the port is taken.
 * @param {ReceiverOptions} options
 * @returns {Promise<Receiver>}
 */
export async function startReceiver({ secret, host = '127.0.0.1', port = 0, onAlert, onRefused }) {
  const seen = new Set();
  const server = createServer((request, response) => {
    readBody(request).then(
      (body) => {
        const { status, reason, alerts = [] } = judge(request, body, secret, seen);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ status, reason }));
        if (status >= 400) onRefused(`${status} ${reason}`);
        for (const alert of alerts) onAlert(alert);
      },
      (/** @type {Error} */ error) => {
        response.writeHead(413, { connection: 'close' }).end();
        onRefused(error.message);
      },
    );
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(undefined));
  });
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host}:${taken}/alerts`,
    port: taken,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * What a delivery is answered with, and the alerts that it brings for the first time.
 * @param {import('node:http').IncomingMessage} request
 * @param {Buffer} body
 * @param {string} secret
 * @param {Set<string>} seen keys of earlier deliveries; the new one is added
 * @returns {{status: number, reason: string, alerts?: Alert[]}}
 */
function judge(request, body, secret, seen) {
  if (request.method !== 'POST') return { status: 405, reason: 'deliveries are POSTed' };
  const header = request.headers['x-heliograph-signature-256'];
  if (header === undefined) return { status: 401, reason: 'no signature' };
  if (!isSigned(secret, body, String(header))) return { status: 401, reason: 'the signature is not of this body' };
  const key = request.headers['idempotency-key'];
  if (key !== undefined && seen.has(String(key))) return { status: 200, reason: 'delivered before' };
  const alerts = alertsOf(body);
  if (alerts === undefined) return { status: 400, reason: 'the body is no Alertmanager webhook of version 4' };
  if (key !== undefined) seen.add(String(key));
  for (const oldest of seen) {
    if (seen.size <= KEYS_MAX) break;
    seen.delete(oldest);
  }
  return { status: 200, reason: 'taken', alerts };
}

/**
 * @param {Buffer} body
 * @returns {Alert[] | undefined} undefined where the body is something else
 */
function alertsOf(body) {
  try {
    const { version, alerts } = JSON.parse(body.toString());
    if (version !== '4' || !Array.isArray(alerts)) return undefined;
    return alerts.map((alert) => ({
      ...alert,
      status: String(alert.status),
      labels: texts(alert.labels),
      annotations: texts(alert.annotations),
    }));
  } catch {
    return undefined;
  }
}

/**
 * @param {unknown} map
 * @returns {Record<string, string>}
 */
function texts(map) {
  return Object.fromEntries(Object.entries(map ?? {}).map(([name, value]) => [name, String(value)]));
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @returns {Promise<Buffer>}
 */
async function readBody(request) {
  /** @type {Buffer[]} */
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > BODY_MAX_BYTES) throw new Error(`a body of more than ${BODY_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

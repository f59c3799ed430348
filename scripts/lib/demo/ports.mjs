// @ts-check
/** Ports: the usual one where it is free. */
import { createServer } from 'node:net';

/**
 * The wanted port where nobody listens on it, else one that is free now.
 * @param {number} wanted
 * @returns {Promise<number>}
 */
export async function freePort(wanted) {
  return (await tryPort(wanted)) ?? (await tryPort(0)) ?? 0;
}

/**
 * @param {number} port
 * @returns {Promise<boolean>} whether a server could listen there on loopback
 */
export async function isFree(port) {
  return (await tryPort(port)) !== undefined;
}

/**
 * @param {number} port
 * @returns {Promise<number | undefined>} the port that was taken for a moment
 */
function tryPort(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

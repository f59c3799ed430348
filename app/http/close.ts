import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../core/ports.ts';

const SWEEP_MS = 25;

/**
 * Closes a server: no new connections at once, requests under way are answered, and what is still open after `limitMs` is cut.
 * Node closes only the connections that are idle when the close begins; one that turns idle later would hold it for its whole
 * keep-alive time, so they are swept.
 */
export async function closeServer(app: FastifyInstance, limitMs: number, clock: Clock): Promise<void> {
  let closed = false;
  const closing = app.close().then(() => {
    closed = true;
  });
  const sweep = (): void => {
    if (closed) return;
    app.server.closeIdleConnections();
    clock.after(SWEEP_MS, sweep);
  };
  sweep();
  const cut = clock.after(limitMs, () => app.server.closeAllConnections());
  await closing.finally(() => cut.cancel());
}

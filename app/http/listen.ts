/** Taking a port, and how an address is written in a URL. */
import type { Server } from 'node:net';
import { HeliographError } from '../../core/errors.ts';

/** What can be asked to listen: Fastify, and the gRPC door. */
export interface Listener {
  listen(options: { host: string; port: number }): Promise<unknown>;
  readonly server: Pick<Server, 'address'>;
}

/** Listens and returns the port that was taken. Throws `port_taken` naming port and variable. */
export async function listen(app: Listener, host: string, port: number, variable: string): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new HeliographError(
        'port_taken',
        `port ${port} on ${host} is in use; set ${variable} to another (0 takes a free one)`,
      );
    if (code === 'EACCES')
      throw new HeliographError(
        'port_taken',
        `port ${port} on ${host} may not be opened by this user; set ${variable} to one above 1023`,
      );
    throw error;
  }
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** A bind address as it stands in a URL; the wildcard addresses are reached by loopback. */
export function hostOf(bind: string): string {
  if (bind === '0.0.0.0' || bind === '::') return '127.0.0.1';
  return bind.includes(':') ? `[${bind}]` : bind;
}

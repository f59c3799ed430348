/** Checks of the addresses: can the doors be opened, and may others reach them. */
import { createServer } from 'node:net';
import { isLoopback } from '../../config/loopback.ts';
import type { Config } from '../../config/schema.ts';
import { type Check, fail, ok, warn } from './check.ts';
import type { Seen } from './observe.ts';
import { type PortHolder, portHolder } from './port-holder.ts';

interface Door {
  name: string;
  port: number;
  variable: string;
  /** The port on which the running instance has this door. */
  running: number | undefined;
}

/** One check for each door. */
export async function checkPorts(
  config: Config,
  pageUrl: string | undefined,
  seen: Seen,
  procRoot: string,
): Promise<Check[]> {
  const otlpUrl = seen.kind === 'up' ? seen.status.doors.otlpHttp.url : undefined;
  const grpcUrl = seen.kind === 'up' ? seen.status.doors.otlpGrpc.url : undefined;
  const pageRuns = seen.kind === 'up' || seen.kind === 'locked';
  const doors: Door[] = [
    {
      name: 'page port',
      port: config.port,
      variable: 'HELIOGRAPH_PORT',
      running: pageRuns ? portOf(pageUrl) : undefined,
    },
    { name: 'OTLP port', port: config.otlp.httpPort, variable: 'HELIOGRAPH_OTLP_HTTP_PORT', running: portOf(otlpUrl) },
    { name: 'gRPC port', port: config.otlp.grpcPort, variable: 'HELIOGRAPH_OTLP_GRPC_PORT', running: portOf(grpcUrl) },
  ];
  return Promise.all(doors.map((door) => checkDoor(door, config.bind, procRoot)));
}

async function checkDoor({ name, port, variable, running }: Door, bind: string, procRoot: string): Promise<Check> {
  if (running !== undefined && (port === running || port === 0))
    return ok(name, `${running} is held by the running Heliograph`);
  if (running !== undefined) {
    const finding = `the running Heliograph has ${running}, this configuration says ${port}`;
    return warn(name, finding, `restart it, or run doctor with the settings it was started with (${variable})`);
  }
  if (port === 0) return ok(name, 'a free one will be taken');
  const error = await tryListen(bind, port);
  if (error === undefined) return ok(name, `${port} is free`);
  const other = `set ${variable} to another port`;
  if (error === 'EADDRINUSE')
    return fail(name, `${port} is taken${heldBy(await portHolder(port, procRoot))}`, `stop that program or ${other}`);
  if (error === 'EACCES') return fail(name, `${port} may not be opened by this user`, `${other} (1024 or above)`);
  return fail(name, `${bind}:${port} cannot be opened (${error})`, 'set HELIOGRAPH_BIND to an address of this machine');
}

/** The error code, undefined when the port could be had. */
function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function heldBy(holder: PortHolder | undefined): string {
  return holder === undefined ? ' by another program' : ` by process ${holder.pid} (${holder.command})`;
}

function portOf(url: string | undefined): number | undefined {
  return url === undefined ? undefined : Number(new URL(url).port);
}

/** Whether those who can reach the doors have to show a token. */
export function checkToken({ bind, token }: Config): Check {
  const name = 'token';
  if (token !== undefined) return ok(name, 'set; every door and the page want it');
  if (isLoopback(bind)) return ok(name, `none, and none is needed on ${bind}`);
  const mend = 'set HELIOGRAPH_TOKEN (for one: openssl rand -hex 24) or HELIOGRAPH_BIND=127.0.0.1';
  return fail(name, `none, although ${bind} can be reached by others: serve will refuse to start`, mend);
}

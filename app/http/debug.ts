/**
 * `/debug/pprof/` and `/debug/vars`: what a Go service shows of itself, of Heliograph itself. Words, statuses and headers are
 * those of Go's net/http/pprof, so that whatever polls Go services can poll this one; what Node does not have answers as
 * Go answers for a profile it does not know.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HeliographError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { Profiler } from '../profiling/profiler.ts';
import { integer, type QueryString, single } from './parameters.ts';

export interface DebugDeps {
  profiler: Profiler;
  /** Body of `/debug/vars`: numbers, nested under names of our own. */
  vars(): Promise<object>;
  clock: Clock;
}

/** Paths that are answered for as long as their caller asked for; a span about them would only say that. */
export const PROFILE_PATHS = '/debug/pprof/';

const DEFAULT_PROFILE_SECONDS = 30;
/** For how long the first heap profile samples before it is answered, where its caller does not say. */
const DEFAULT_HEAP_SECONDS = 2;
const MAX_SECONDS = 60;

const MOUNTED: Readonly<Record<string, string>> = {
  heap: `Live objects by where they were allocated. Sampling begins with the first request, which is answered after seconds (1 to ${MAX_SECONDS}, default ${DEFAULT_HEAP_SECONDS}); later ones are answered at once. What was allocated before is not in it.`,
  profile: `Wall-clock profile of the main thread, 100 samples a second, time at rest included as (idle). seconds: 1 to ${MAX_SECONDS}, default ${DEFAULT_PROFILE_SECONDS}.`,
};
const NOT_MOUNTED: Readonly<Record<string, string>> = {
  allocs: 'V8 samples live objects only; see heap.',
  block: 'JavaScript has no blocking on locks.',
  cmdline: 'Not shown: a flag may carry a secret.',
  goroutine: 'Node has no goroutines.',
  mutex: 'JavaScript has no locks to contend for.',
  symbol: 'Profiles carry their symbols.',
  threadcreate: 'Node does not record it.',
  trace: 'Node has no execution tracer of this kind.',
};

/** Adds the routes. They answer GET alone. */
export function registerDebug(app: FastifyInstance, deps: DebugDeps): void {
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  const options = { exposeHeadRoute: false };
  app.get('/debug/pprof', options, async (_request, reply) => reply.redirect('/debug/pprof/', 301));
  app.get('/debug/pprof/', options, async (_request, reply) =>
    plain(reply).type('text/html; charset=utf-8').send(INDEX),
  );
  app.get<{ Querystring: QueryString }>('/debug/pprof/profile', options, (request, reply) =>
    sendWall(deps, request, reply, closing.signal),
  );
  app.get<{ Querystring: QueryString }>('/debug/pprof/heap', options, (request, reply) =>
    sendHeap(deps, request, reply, closing.signal),
  );
  app.get('/debug/pprof/:name', options, async (_request, reply) => goError(reply, 404, 'Unknown profile'));
  app.get('/debug/vars', options, async (_request, reply) =>
    plain(reply)
      .type('application/json; charset=utf-8')
      .send(`${JSON.stringify(await deps.vars(), null, 1)}\n`),
  );
  app.route({
    method: ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/debug/*',
    handler: async (_request, reply) => {
      reply.header('allow', 'GET');
      throw new HeliographError('method_not_allowed');
    },
  });
}

async function sendWall(
  { profiler, clock }: DebugDeps,
  request: FastifyRequest<{ Querystring: QueryString }>,
  reply: FastifyReply,
  closing: AbortSignal,
): Promise<FastifyReply> {
  const seconds = secondsOf(request.query, DEFAULT_PROFILE_SECONDS);
  if (seconds === undefined) return badSeconds(reply);
  let stop: ReturnType<Profiler['startWall']>;
  try {
    stop = profiler.startWall();
  } catch (error) {
    return goError(reply, 500, `Could not enable CPU profiling: ${(error as Error).message}`);
  }
  const stayed = await waitFor(seconds, reply, closing, clock);
  const profile = await stop(stayed ? 'encode' : 'discard');
  return profile === undefined ? reply.hijack() : sendProfile(reply, 'profile', profile);
}

async function sendHeap(
  { profiler, clock }: DebugDeps,
  request: FastifyRequest<{ Querystring: QueryString }>,
  reply: FastifyReply,
  closing: AbortSignal,
): Promise<FastifyReply> {
  const seconds = secondsOf(request.query, profiler.isSamplingHeap() ? 0 : DEFAULT_HEAP_SECONDS);
  if (seconds === undefined) return badSeconds(reply);
  try {
    profiler.startHeap();
  } catch (error) {
    return goError(reply, 500, `Could not enable heap profiling: ${(error as Error).message}`);
  }
  if (seconds > 0 && !(await waitFor(seconds, reply, closing, clock))) return reply.hijack();
  return sendProfile(reply, 'heap', await profiler.heap());
}

/** Seconds asked for, `fallback` where none are, undefined where they break the rule. */
function secondsOf(query: QueryString, fallback: number): number | undefined {
  try {
    const text = single(query, 'seconds');
    return text === undefined || text === '' ? fallback : integer('seconds', text, 1, MAX_SECONDS);
  } catch {
    return undefined;
  }
}

/** Resolves after `seconds`, or at once when Heliograph stops (true) or the client has gone (false). */
function waitFor(seconds: number, reply: FastifyReply, closing: AbortSignal, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (stayed: boolean) => (): void => {
      timer.cancel();
      closing.removeEventListener('abort', onTime);
      reply.raw.off('close', onGone);
      resolve(stayed);
    };
    const onTime = settle(true);
    const onGone = settle(false);
    const timer = clock.after(seconds * 1000, onTime);
    closing.addEventListener('abort', onTime);
    reply.raw.on('close', onGone);
  });
}

function sendProfile(reply: FastifyReply, name: string, profile: Buffer): FastifyReply {
  return plain(reply)
    .type('application/octet-stream')
    .header('content-disposition', `attachment; filename="${name}"`)
    .send(profile);
}

function badSeconds(reply: FastifyReply): FastifyReply {
  return goError(reply, 400, `invalid value for "seconds" - must be an integer from 1 to ${MAX_SECONDS}`);
}

/** An error as Go's handlers write it: `go tool pprof` shows the text because of the header. */
function goError(reply: FastifyReply, status: number, text: string): FastifyReply {
  return plain(reply).code(status).header('x-go-pprof', '1').type('text/plain; charset=utf-8').send(`${text}\n`);
}

function plain(reply: FastifyReply): FastifyReply {
  return reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
}

const list = (entries: Readonly<Record<string, string>>, nameOf: (name: string) => string): string =>
  Object.entries(entries)
    .map(([name, text]) => `<dt>${nameOf(name)}</dt><dd>${text}</dd>`)
    .join('\n');

const INDEX = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>/debug/pprof/ of Heliograph</title></head>
<body>
<h1>/debug/pprof/</h1>
<p>Heliograph runs on Node. These profiles are here, in the format that <code>go tool pprof</code> reads:</p>
<dl>
${list(MOUNTED, (name) => `<a href="${name}">${name}</a>`)}
</dl>
<p>What else Go has is not, and answers 404:</p>
<dl>
${list(NOT_MOUNTED, (name) => name)}
</dl>
<p>Numbers: <a href="/debug/vars">/debug/vars</a>, <a href="/metrics">/metrics</a>.</p>
</body>
</html>
`;

import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { InMemorySpanExporter, SimpleSpanProcessor, BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { closeServer } from '../../../app/http/close.ts';
import { PROFILE_PATHS, registerDebug } from '../../../app/http/debug.ts';
import { sendError } from '../../../app/http/server.ts';
import { PROFILER_PACKAGES } from '../../../app/profiling/packages.ts';
import { createProfiler, type Profiler } from '../../../app/profiling/profiler.ts';
import { traceRequests } from '../../../app/telemetry/http-spans.ts';
import { systemClock } from '../../../core/clock.ts';
import { eventually } from '../../support/heliograph-process.ts';
import { quietLog } from '../../support/quiet-log.ts';

let app: FastifyInstance | undefined;
const burner = createRequire(import.meta.url)('./burner.cjs') as { start(): void; stop(): void };
afterEach(async () => {
  burner.stop();
  await app?.close();
});

/** The one that is always installed. Two in one process get in each other's way: the other one has a file of its own. */
const datadog = { '@datadog/pprof': PROFILER_PACKAGES['@datadog/pprof'] ?? (() => expect.fail()) };

async function serve(profiler: Profiler, prepare: (server: FastifyInstance) => void = () => {}): Promise<string> {
  const server = fastify({ forceCloseConnections: 'idle' });
  app = server;
  server.setErrorHandler((error, request, reply) => sendError(quietLog, error, request, reply));
  prepare(server);
  registerDebug(server, { profiler, vars: async () => ({ heliograph: { answer: 42 } }), clock: systemClock });
  return server.listen({ host: '127.0.0.1', port: 0 });
}

const kept: object[] = [];
function allocateForTheProfile(): void {
  for (let i = 0; i < 200_000; i++) kept.push({ index: i, text: `number ${i}` });
}

test('a wall profile names functions and files', async () => {
  const profiler = createProfiler(datadog);
  expect(profiler.describe()).toBe('@datadog/pprof; loaded with the first profile');
  const url = await serve(profiler);
  const answering = fetch(`${url}/debug/pprof/profile?seconds=2`);
  // Code that was hot before the profile began is not always named by V8; what is compiled while it runs is.
  await new Promise((resolve) => setTimeout(resolve, 300));
  burner.start();
  const answer = await answering;
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment; filename="profile"',
    'x-content-type-options': 'nosniff',
  });
  const text = gunzipSync(Buffer.from(await answer.arrayBuffer())).toString('latin1');
  expect(text).toContain('burnForTheProfile');
  expect(text).toContain('test/app/http/burner.cjs');
  expect(text).toContain('wall');
  expect(profiler.describe()).toBe('@datadog/pprof');
});

test('a heap profile samples from the first request on, and names who allocated what lives', async () => {
  const url = await serve(createProfiler(datadog));
  const first = fetch(`${url}/debug/pprof/heap?seconds=1`);
  await eventually(async () => {
    allocateForTheProfile();
    return kept.length > 1_000_000 ? true : undefined;
  });
  expect((await first).status).toBe(200);
  const later = await fetch(`${url}/debug/pprof/heap`);
  expect(later.headers.get('content-disposition')).toBe('attachment; filename="heap"');
  const text = gunzipSync(Buffer.from(await later.arrayBuffer())).toString('latin1');
  expect(text).toContain('allocateForTheProfile');
  kept.length = 0;
});

test('what the first package cannot do, the next one does; with none, the answer says why', async () => {
  const absent = { 'no-such-profiler': () => expect.fail('it cannot be loaded') };
  const fallback = createProfiler({ ...absent, ...datadog });
  const url = await serve(fallback);
  expect((await fetch(`${url}/debug/pprof/profile?seconds=1`)).status).toBe(200);
  expect(fallback.describe()).toBe('@datadog/pprof');
  await app?.close();

  const none = createProfiler(absent);
  const without = await serve(none);
  const answer = await fetch(`${without}/debug/pprof/profile?seconds=1`);
  expect(answer.status).toBe(500);
  const text = await answer.text();
  expect(text).toMatch(/^Could not enable CPU profiling: no profiler can be loaded \(no-such-profiler: Cannot find/);
  expect(none.describe()).toMatch(/^none: no-such-profiler: /);
});

test('one wall profile at a time; a client that goes away frees it', async () => {
  const url = await serve(createProfiler(datadog));
  const gone = new AbortController();
  const first = fetch(`${url}/debug/pprof/profile?seconds=60`, { signal: gone.signal });
  first.catch(() => {});
  const busy = await eventually(async () => {
    const answer = await fetch(`${url}/debug/pprof/profile?seconds=1`);
    return answer.status === 500 ? answer : undefined;
  });
  expect(busy.headers.get('x-go-pprof')).toBe('1');
  expect(busy.headers.get('content-disposition')).toBeNull();
  expect(await busy.text()).toBe('Could not enable CPU profiling: cpu profiling already in use\n');
  gone.abort();
  await eventually(async () => {
    const answer = await fetch(`${url}/debug/pprof/profile?seconds=1`);
    return answer.status === 200 ? answer.arrayBuffer() : undefined;
  });
});

test('a stop answers the profile under way with what it has', async () => {
  const url = await serve(createProfiler(datadog));
  const answer = fetch(`${url}/debug/pprof/profile?seconds=60`);
  await eventually(async () => {
    const second = await fetch(`${url}/debug/pprof/profile?seconds=1`);
    return second.status === 500 ? true : undefined;
  });
  await closeServer(app ?? expect.fail(), 20_000, systemClock);
  const profile = await answer;
  expect(profile.status).toBe(200);
  expect(gunzipSync(Buffer.from(await profile.arrayBuffer())).length).toBeGreaterThan(0);
});

test.each(['0', '61', '-1', '1.5', 'x', '1&seconds=2'])('seconds=%s is refused', async (seconds) => {
  const profiler = createProfiler({});
  const url = await serve(profiler);
  for (const name of ['profile', 'heap']) {
    const answer = await fetch(`${url}/debug/pprof/${name}?seconds=${seconds}`);
    expect([answer.status, answer.headers.get('x-go-pprof')]).toEqual([400, '1']);
    expect(await answer.text()).toBe('invalid value for "seconds" - must be an integer from 1 to 60\n');
  }
});

const GO_ONLY = ['goroutine', 'allocs', 'block', 'mutex', 'threadcreate', 'trace', 'cmdline', 'symbol', 'nonsense'];

test('what Node does not have is unknown, in the words of Go', async () => {
  const url = await serve(createProfiler({}));
  for (const name of GO_ONLY) {
    const answer = await fetch(`${url}/debug/pprof/${name}?debug=1`);
    expect([name, answer.status, answer.headers.get('content-type'), answer.headers.get('x-go-pprof')]).toEqual([
      name,
      404,
      'text/plain; charset=utf-8',
      '1',
    ]);
    expect(await answer.text()).toBe('Unknown profile\n');
  }
});

test('the index links what is there and names what is not', async () => {
  const url = await serve(createProfiler({}));
  const answer = await fetch(`${url}/debug/pprof`);
  expect([answer.url, answer.status]).toEqual([`${url}/debug/pprof/`, 200]);
  const html = await answer.text();
  expect([...html.matchAll(/<dt><a href="(\w+)">/g)].map(([, name]) => name)).toEqual(['heap', 'profile']);
  for (const name of GO_ONLY.slice(0, -1)) expect(html).toContain(`<dt>${name}</dt>`);
});

test('vars are JSON, and only GET is answered', async () => {
  const url = await serve(createProfiler({}));
  const vars = await fetch(`${url}/debug/vars`);
  expect(vars.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(await vars.json()).toEqual({ heliograph: { answer: 42 } });
  for (const path of ['vars', 'pprof/', 'pprof/profile', 'pprof/symbol'])
    for (const method of ['HEAD', 'POST', 'DELETE']) {
      const answer = await fetch(`${url}/debug/${path}`, { method });
      expect([path, method, answer.status, answer.headers.get('allow')]).toEqual([path, method, 405, 'GET']);
    }
});

test('a profile has no span, other answers have', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const url = await serve(createProfiler(datadog), (server) =>
    traceRequests(server, provider.getTracer('test'), (route) => !route.startsWith(PROFILE_PATHS)),
  );
  await (await fetch(`${url}/debug/pprof/profile?seconds=1`)).arrayBuffer();
  await (await fetch(`${url}/debug/vars`)).text();
  await eventually(async () => (exporter.getFinishedSpans().length > 0 ? true : undefined));
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['GET /debug/vars']);
});

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RowSink } from '../../core/rows.ts';
import { createCoverage } from '../../app/background/coverage.ts';
import { createJobs, type JobDeps } from '../../app/jobs.ts';
import type { Task } from '../../app/scheduler/task.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { memoryLog } from '../support/memory-log.ts';

let server: Server;
let asked: { path: string; authorization: string | undefined }[];
let status: number;
let rows: string[];
let clock: FakeClock;
let open: boolean;
let flushes: number;
let recorded: number;

beforeEach(async () => {
  asked = [];
  rows = [];
  status = 200;
  open = true;
  flushes = 0;
  recorded = 0;
  clock = new FakeClock(Date.parse('2026-01-01T00:00:30Z'));
  server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', authorization: request.headers.authorization });
    response.writeHead(status).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function job(id: string, overrides: Partial<JobDeps> = {}): Task {
  const deps = {
    disk: { state: () => ({ capBytes: undefined }) },
    coverage: createCoverage(
      { append: async (_signal, added) => void rows.push(...added.map((row) => JSON.stringify(row))) },
      clock,
    ),
    recordPipeline: async () => void (recorded += 1),
    openSources: () => (open ? ['otlp_traces', 'github'] : []),
    probeUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    probeHeaders: { authorization: 'Bearer t' },
    flushSelfTelemetry: async () => void (flushes += 1),
    clock,
    log: memoryLog(),
    ...overrides,
  };
  // The jobs under test use neither store nor metrics.
  const found = createJobs(deps as unknown as JobDeps).find((task) => task.id === id);
  if (found === undefined) throw new Error(`no job ${id}`);
  return found;
}

const never = new AbortController().signal;

test('each minute with an open door is recorded once', async () => {
  const { run } = job('source-minutes');
  await run(never);
  await run(never);
  await clock.advance(30_000);
  await run(never);
  open = false;
  await clock.advance(60_000);
  await run(never);
  const minute = (text: string): number => Date.parse(text) / 1000;
  expect(rows).toEqual(
    ['2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'].flatMap((at) =>
      ['otlp_traces', 'github'].map((source) => JSON.stringify({ source, minute: minute(at) })),
    ),
  );
});

test('sources that are known are stored together once a minute, and all of them at the end', async () => {
  const bodies: string[][] = [];
  const sink: RowSink = {
    append: async (_signal, added) => void bodies.push(added.map((row) => ('source' in row ? row.source : ''))),
  };
  const coverage = createCoverage(sink, clock);
  coverage.mark('otlp_traces');
  await coverage.flush();
  await clock.advance(20_000);
  coverage.mark('targets');
  await coverage.flush(); // new: its figures would be unknown until the next minute
  await clock.advance(20_000);
  coverage.mark('otlp_traces');
  await coverage.flush();
  await clock.advance(30_000);
  coverage.mark('targets');
  await coverage.flush();
  coverage.mark('git');
  await coverage.flushAll();
  await coverage.flushAll();
  expect(bodies).toEqual([['otlp_traces'], ['targets'], ['otlp_traces', 'targets'], ['git']]);
});

test('the pipeline is recorded in the same turn, whether doors are open or not', async () => {
  open = false;
  const { run } = job('source-minutes');
  await run(never);
  await run(never);
  expect(recorded).toBe(2);
});

test('a minute that could not be recorded is tried again', async () => {
  let fail = true;
  const { run } = job('source-minutes', {
    openSources: () => ['otlp_traces'],
    coverage: createCoverage(
      {
        append: async () => {
          if (fail) throw new Error('disk full');
          rows.push('recorded');
        },
      },
      clock,
    ),
  });
  await expect(run(never)).rejects.toThrow('disk full');
  fail = false;
  await run(never);
  expect(rows).toHaveLength(1);
});

test('the probe asks the public face with the token, and sends its spans at once the first time', async () => {
  const { run } = job('self-probe');
  await run(never);
  await run(never);
  expect(asked.slice(0, 3).map(({ path }) => path)).toEqual([
    '/readyz',
    '/api/boards',
    '/api/query/services?from=now-1h&to=now',
  ]);
  expect(asked.every(({ authorization }) => authorization === 'Bearer t')).toBe(true);
  expect(flushes).toBe(1);
});

test('a face that fails fails the probe by path', async () => {
  status = 503;
  await expect(job('self-probe').run(never)).rejects.toThrow('/readyz answered 503');
});

test('without a probe URL there is no probe', () => {
  expect(() => job('self-probe', { probeUrl: undefined })).toThrow('no job self-probe');
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Check } from '../../../../app/cli/doctor/check.ts';
import { runDoctor } from '../../../../app/cli/doctor/doctor.ts';
import { COMMANDS } from '../../../../app/cli/commands.ts';
import { runCli } from '../../../../app/cli/program.ts';
import type { Readiness } from '../../../../app/http/health.ts';
import type { Status } from '../../../../app/status.ts';
import { systemClock } from '../../../../core/clock.ts';
import { captureIo, serve, serveJson, type TestServer } from '../harness.ts';
import { configOf, healthyStatus, named } from './harness.ts';

const OTLP = 'http://127.0.0.1:4318';
const READY: Readiness = { ok: true, checks: [{ name: 'store', ok: true, latencyMs: 1 }] };

let dataDir: string;
const servers: TestServer[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'heliograph-doctor-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  rmSync(dataDir, { recursive: true });
});

async function examine(server: TestServer, flags: Record<string, string> = {}): Promise<Check[]> {
  servers.push(server);
  return examineUrl(server.url, { port: String(server.port), ...flags });
}

function examineUrl(pageUrl: string | undefined, flags: Record<string, string> = {}): Promise<Check[]> {
  const { config, problems } = configOf({ dataDir, 'otlp.httpPort': '0', 'otlp.grpcPort': '0', ...flags });
  return runDoctor({
    config,
    problems,
    env: {},
    clock: systemClock,
    nodeVersion: '20.20.2',
    pageUrl,
    freeBytes: async () => 2 ** 40,
  });
}

/** Examines an instance whose status was changed by `change`. */
async function withStatus(change: (status: Status) => void, readiness: Readiness = READY): Promise<Check[]> {
  const status = healthyStatus(OTLP, Date.now());
  change(status);
  return examine(await serveJson({ '/readyz': readiness, '/api/status': status }));
}

const refused = (reason: string, ageMs: number, count = 3) =>
  withStatus((status) => {
    status.doors.otlpHttp.refused = [{ reason, count, lastAtMs: Date.now() - ageMs, hint: 'the hint of the door' }];
  });

test('an instance that is well has nothing but ok', async () => {
  const checks = await withStatus(() => {});
  expect(checks.filter(({ state }) => state !== 'ok')).toEqual([]);
  expect(named(checks, 'instance').finding).toMatch(
    /^Heliograph 0\.1\.0 answers at http:\/\/127\.0\.0\.1:\d+, up 1 h$/,
  );
});

describe('the instance', () => {
  test('not running', async () => {
    const server = await serveJson({});
    await server.close();
    const checks = await examineUrl(server.url, { port: String(server.port) });
    expect(named(checks, 'instance')).toMatchObject({
      state: 'warn',
      finding: expect.stringContaining('ECONNREFUSED'),
      mend: 'start it: heliograph serve',
    });
    expect(named(await examineUrl(undefined, { port: '0' }), 'instance').state).toBe('warn');
  });

  test('running but not ready, with the reasons', async () => {
    const readiness = { ok: false, checks: [{ name: 'store', ok: false, latencyMs: 3, reason: 'migrating 0003' }] };
    const check = named(await withStatus(() => {}, readiness), 'instance');
    expect(check).toMatchObject({ state: 'fail', finding: 'running, but not ready: store: migrating 0003' });
  });

  test('with another token', async () => {
    const server = await serve((_, response) => response.writeHead(401).end());
    const checks = await examine(server, { token: 'mine' });
    expect(named(checks, 'instance')).toMatchObject({
      state: 'fail',
      mend: expect.stringContaining('HELIOGRAPH_TOKEN'),
    });
    expect(named(checks, 'page port').state).toBe('ok');
  });

  test('something else in its place', async () => {
    const checks = await examine(await serve((_, response) => response.end('<html>')));
    expect(named(checks, 'instance')).toMatchObject({
      state: 'fail',
      finding: expect.stringContaining('something else answers'),
    });
    expect(named(checks, 'page port').state).toBe('fail');
  });

  test('with another clock', async () => {
    const status = healthyStatus(OTLP, Date.now());
    const date = new Date(Date.now() - 120_000).toUTCString();
    const checks = await examine(await serveJson({ '/readyz': READY, '/api/status': status }, { date }));
    expect(named(checks, 'clock')).toMatchObject({
      state: 'fail',
      finding: expect.stringContaining('ahead of the clock of the running instance'),
    });
  });
});

describe('engine and journal', () => {
  test.each([
    ['restarting', 0, 'fail', 'the store is restarting'],
    ['running', 4, 'warn', 'was restarted 4 times'],
  ])('engine %s, restarted %i times: %s', async (state, restarts, verdict, finding) => {
    const checks = await withStatus((status) => Object.assign(status.engine, { state, restarts }));
    expect(named(checks, 'engine')).toMatchObject({ state: verdict, finding: expect.stringContaining(finding) });
  });

  test('a backlog that is old or large', async () => {
    const old = await withStatus((status) => void (status.journal.oldestMs = Date.now() - 600_000));
    expect(named(old, 'journal')).toMatchObject({
      state: 'warn',
      finding: expect.stringContaining('the oldest for 10 min'),
    });
    const large = await withStatus((status) => void (status.journal.bytes = 5 * 1024 ** 3));
    expect(named(large, 'journal')).toMatchObject({ state: 'warn', finding: expect.stringContaining('5.00 of 8 GiB') });
    const empty = await withStatus((status) => void (status.journal = { segments: 0, bytes: 0, oldestMs: null }));
    expect(named(empty, 'journal').state).toBe('ok');
  });
});

describe('arrivals', () => {
  test.each<[string, (status: Status) => void, string]>([
    ['nothing at all', (status) => void (status.doors.otlpHttp.received.lastAtMs = null), 'nothing has arrived'],
    ['only our own', (status) => void (status.foreignSpans = 0), 'no service but heliograph itself'],
    ['the store silent', (status) => void (status.foreignSpans = null), 'the store does not say'],
    [
      'nothing lately',
      (status) => void (status.doors.otlpHttp.received.lastAtMs = Date.now() - 7_200_000),
      'came 2 h ago',
    ],
  ])('%s', async (_, change, finding) => {
    const check = named(await withStatus(change), 'arrivals');
    expect(check).toMatchObject({ state: 'warn', finding: expect.stringContaining(finding) });
    if (finding.startsWith('no')) expect(check.mend).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=${OTLP}`);
  });
});

describe('what the door turned away', () => {
  test.each([
    [
      'unsupported_media_type',
      'an exporter sends neither protobuf nor JSON: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
    ],
    ['grpc_on_http_port', 'an exporter speaks gRPC to the HTTP port: set OTEL_EXPORTER_OTLP_ENDPOINT='],
    ['wrong_path', `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=${OTLP}/v1/traces`],
    ['unauthenticated', 'OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20'],
  ])('%s', async (reason, mend) => {
    const check = named(await refused(reason, 5_000), `refused: ${reason}`);
    expect(check).toMatchObject({
      state: 'fail',
      finding: '3 requests turned away, the last 5 s ago',
      mend: expect.stringContaining(mend),
    });
  });

  test('long ago, harmless or of a reason of its own is a warning', async () => {
    expect(named(await refused('wrong_path', 7_200_000, 1), 'refused: wrong_path')).toMatchObject({
      state: 'warn',
      finding: '1 request turned away, the last 2 h ago',
    });
    expect(named(await refused('signal_not_supported', 0), 'refused: signal_not_supported')).toMatchObject({
      state: 'warn',
      mend: expect.stringContaining('OTEL_METRICS_EXPORTER=none'),
    });
    expect(named(await refused('journal_full', 0), 'refused: journal_full')).toMatchObject({
      state: 'warn',
      mend: 'the hint of the door',
    });
  });
});

test('a configuration that is refused is a finding, and the rest is still looked at', async () => {
  const checks = await examineUrl(undefined, { bind: '0.0.0.0', port: 'x' });
  expect(checks.filter(({ name }) => name === 'configuration').map(({ state }) => state)).toEqual(['fail', 'fail']);
  expect(named(checks, 'token').state).toBe('fail');
  expect(named(checks, 'data directory').state).toBe('ok');
});

describe('the command', () => {
  test('prints a line for each check with its mend, and fails when a check does', async () => {
    const server = await serve((_, response) => response.end('<html>'));
    servers.push(server);
    const io = captureIo({ colour: true });
    const argv = ['doctor', '--port', String(server.port), '--otlp-http-port', '0', '--data-dir', dataDir];
    expect(await runCli(argv, COMMANDS, io)).toBe(1);
    const green = `${String.fromCharCode(27)}[32m`;
    expect(io.stdout.startsWith(`${green}ok`)).toBe(true);
    expect(io.stdout).toMatch(/node +Node 20\.20\.2\n/);
    expect(io.stdout).toMatch(/instance +something else answers.*\n +-> stop that program/);
    expect(io.stdout).toMatch(/\d+ ok, \d+ warnings, 2 failures\n$/);
  });

  test('as JSON, with colours off and everything well', async () => {
    const status = healthyStatus(OTLP, Date.now());
    const server = await serveJson({ '/readyz': READY, '/api/status': status });
    servers.push(server);
    const io = captureIo();
    const argv = ['doctor', '--json', '--port', String(server.port), '--otlp-http-port', '0', '--data-dir', dataDir];
    expect(await runCli(argv, COMMANDS, io)).toBe(0);
    const { ok, checks } = JSON.parse(io.stdout) as { ok: boolean; checks: Check[] };
    expect(ok).toBe(true);
    expect(named(checks, 'instance')).toEqual({ name: 'instance', state: 'ok', finding: expect.any(String), mend: '' });
  });
});

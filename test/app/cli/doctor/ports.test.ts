import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { portHolder } from '../../../../app/cli/doctor/port-holder.ts';
import { checkPorts, checkToken } from '../../../../app/cli/doctor/ports.ts';
import type { Seen } from '../../../../app/cli/doctor/observe.ts';
import { configOf, healthyStatus, named } from './harness.ts';

const DOWN: Seen = { kind: 'down', reason: 'ECONNREFUSED' };
const open: Server[] = [];

async function listen(): Promise<number> {
  const server = createServer();
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const port = await listen();
  await new Promise((resolve) => open.pop()?.close(resolve));
  return port;
}

afterEach(async () => {
  for (const server of open.splice(0)) await new Promise((resolve) => server.close(resolve));
});

const portsOf = (page: number, otlp: number, bind = '127.0.0.1') =>
  configOf({ bind, port: String(page), 'otlp.httpPort': String(otlp), 'otlp.grpcPort': '0' }).config;

describe('ports', () => {
  test('free, or to be chosen', async () => {
    const checks = await checkPorts(portsOf(await freePort(), 0), undefined, DOWN, '/proc');
    expect(named(checks, 'page port')).toMatchObject({ state: 'ok', finding: expect.stringContaining('is free') });
    expect(named(checks, 'OTLP port')).toMatchObject({ state: 'ok', finding: 'a free one will be taken' });
  });

  test('taken by another program, which is named where the system names it', async () => {
    const port = await listen();
    const checks = await checkPorts(portsOf(0, port), undefined, DOWN, '/proc');
    const { state, finding, mend } = named(checks, 'OTLP port');
    expect(state).toBe('fail');
    if (platform() === 'linux') expect(finding).toContain(`${port} is taken by process ${process.pid} (`);
    expect(mend).toContain('HELIOGRAPH_OTLP_HTTP_PORT');
    const unnamed = await checkPorts(portsOf(0, port), undefined, DOWN, '/no/proc');
    expect(named(unnamed, 'OTLP port').finding).toBe(`${port} is taken by another program`);
  });

  test('held by our own running instance', async () => {
    const [page, otlp] = [await listen(), await listen()];
    const status = healthyStatus(`http://127.0.0.1:${otlp}`, 0);
    const grpc = otlp - 1; // as the status says; nobody listens there
    const seen: Seen = { kind: 'up', readiness: { ok: true, checks: [] }, status, dateMs: undefined, askedAtMs: 0 };
    const url = `http://127.0.0.1:${page}`;
    for (const config of [portsOf(page, otlp), portsOf(0, 0)]) {
      const checks = await checkPorts(config, url, seen, '/proc');
      expect(checks.map(({ state, finding }) => [state, finding])).toEqual([
        ['ok', `${page} is held by the running Heliograph`],
        ['ok', `${otlp} is held by the running Heliograph`],
        ['ok', `${grpc} is held by the running Heliograph`],
      ]);
    }
    const other = await checkPorts(portsOf(page, 1), url, seen, '/proc');
    expect(named(other, 'OTLP port')).toMatchObject({ state: 'warn', finding: expect.stringContaining(`has ${otlp}`) });
    const locked = await checkPorts(portsOf(page, 0), url, { kind: 'locked' }, '/proc');
    expect(named(locked, 'page port').state).toBe('ok');
  });

  test('on an address that is not of this machine', async () => {
    const checks = await checkPorts(portsOf(4_000, 0, '192.0.2.1'), undefined, DOWN, '/proc');
    expect(named(checks, 'page port')).toMatchObject({
      state: 'fail',
      mend: expect.stringContaining('HELIOGRAPH_BIND'),
    });
  });
});

test('the holder of a port is read from a process table, without the arguments that might be secrets', async () => {
  const proc = mkdtempSync(join(tmpdir(), 'heliograph-proc-'));
  mkdirSync(join(proc, 'net'));
  mkdirSync(join(proc, '42', 'fd'), { recursive: true });
  const row = (local: string, state: string, inode: number) =>
    `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 0 0 ${inode} 1`;
  writeFileSync(
    join(proc, 'net', 'tcp'),
    `  sl  local_address\n${row('0100007F:1F90', '01', 7)}\n${row('0100007F:10DE', '0A', 8)}\n`,
  );
  writeFileSync(join(proc, 'net', 'tcp6'), `  sl\n${row('00000000000000000000000000000000:1F91', '0A', 9)}\n`);
  symlinkSync('socket:[8]', join(proc, '42', 'fd', '3'));
  symlinkSync('socket:[9]', join(proc, '42', 'fd', '4'));
  writeFileSync(join(proc, '42', 'cmdline'), 'otelcol\0--token=s3cret\0');
  expect(await portHolder(4318, proc)).toEqual({ pid: 42, command: 'otelcol' });
  expect(await portHolder(8081, proc)).toEqual({ pid: 42, command: 'otelcol' });
  expect(await portHolder(8080, proc)).toBe(undefined); // connected, not listening
  rmSync(proc, { recursive: true });
});

test.each([
  [{}, 'ok'],
  [{ bind: '0.0.0.0' }, 'fail'],
  [{ bind: '0.0.0.0', token: 't0ken' }, 'ok'],
])('the token with %j: %s', (flags: Record<string, string>, state) => {
  const check = checkToken(configOf(flags).config);
  expect(check.state).toBe(state);
  expect(JSON.stringify(check)).not.toContain('t0ken');
  if (state === 'fail') expect(check.mend).toContain('HELIOGRAPH_TOKEN');
});

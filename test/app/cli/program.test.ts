import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type CommandCall, type CommandSpec, UsageError } from '../../../app/cli/command.ts';
import { COMMANDS } from '../../../app/cli/commands.ts';
import { runCli } from '../../../app/cli/program.ts';
import { HeliographError } from '../../../core/errors.ts';
import { assetPath, PACKAGE_ROOT } from '../../../core/paths.ts';
import { captureIo } from './harness.ts';

function recorder(name: string, answer: () => number = () => 0, more: Partial<CommandSpec> = {}) {
  const calls: CommandCall[] = [];
  const spec: CommandSpec = {
    name,
    summary: `Runs ${name}.`,
    async run(call) {
      calls.push(call);
      return answer();
    },
    ...more,
  };
  return { spec, calls };
}

describe('calling a command', () => {
  test('arguments, options and only the settings that were given reach it', async () => {
    const options = [
      { flags: '--json', description: 'x' },
      { flags: '--param <pair>', description: 'x', repeatable: true },
    ];
    const { spec, calls } = recorder('look', () => 0, { args: ['[view]'], options });
    const argv = [
      'look',
      'routes',
      '--json',
      '--param',
      'a=1',
      '--param',
      'b=2',
      '--otlp-http-port',
      '5',
      '--config',
      'c.yaml',
    ];
    const io = captureIo({ env: { A: 'b' }, cwd: '/w' });
    expect(await runCli(argv, [spec], io)).toBe(0);
    expect(calls[0]).toMatchObject({
      args: ['routes'],
      options: { json: true, param: ['a=1', 'b=2'] },
      configInput: { flags: { 'otlp.httpPort': '5' }, file: 'c.yaml', env: { A: 'b' }, cwd: '/w' },
    });
    expect(calls[0]?.configInput.flags).toEqual({ 'otlp.httpPort': '5' });
  });

  test('a name of two words is a command under a command', async () => {
    const one = recorder('boards export');
    const two = recorder('boards list');
    expect(await runCli(['boards', 'list'], [one.spec, two.spec], captureIo())).toBe(0);
    expect([one.calls.length, two.calls.length]).toEqual([0, 1]);
  });

  test('its exit code is the exit code', async () => {
    expect(await runCli(['look'], [recorder('look', () => 1).spec], captureIo())).toBe(1);
  });
});

describe('errors are one line on stderr, no stack, and an exit code', () => {
  const throwing = (error: Error) =>
    recorder('look', () => {
      throw error;
    }).spec;

  test.each([
    [new HeliographError('port_taken', 'port 7070 is taken'), 1, 'error: port_taken: port 7070 is taken\n'],
    [new HeliographError('bad_config', 'port: x is refused'), 2, 'error: bad_config: port: x is refused\n'],
    [new UsageError('--step: must be a number'), 2, 'error: --step: must be a number\n'],
    [new Error('odd'), 1, 'error: odd\n'],
  ])('%s', async (error, code, stderr) => {
    const io = captureIo();
    expect(await runCli(['look'], [throwing(error)], io)).toBe(code);
    expect([io.stdout, io.stderr]).toEqual(['', stderr]);
  });

  test.each([
    [['lokk'], "unknown command 'lokk'"],
    [['look', '--prot', '1'], "unknown option '--prot'"],
    [['look', '--port'], 'argument missing'],
    [['look', 'extra'], 'too many arguments'],
  ])('%j is wrong usage', async (argv, reason) => {
    const io = captureIo();
    expect(await runCli(argv, [recorder('look').spec], io)).toBe(2);
    expect(io.stderr).toContain(reason);
  });

  test('nothing at all prints the help and is wrong usage; --help and --version are not', async () => {
    const io = captureIo();
    expect(await runCli([], COMMANDS, io)).toBe(2);
    const said = io.stderr.replace(/\s+/g, ' ');
    for (const { summary } of COMMANDS.filter(({ name }) => !name.includes(' '))) expect(said).toContain(summary);
    for (const group of ['boards', 'keys', 'journal']) expect(said).toMatch(new RegExp(` ${group} \\w+`));
    expect(await runCli(['--help'], COMMANDS, captureIo())).toBe(0);
    const version = captureIo();
    expect(await runCli(['--version'], COMMANDS, version)).toBe(0);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});

test('names in the registry are unique', () => {
  const names = COMMANDS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

describe('config', () => {
  const env = {
    HELIOGRAPH_TOKEN: 's3cret',
    HELIOGRAPH_CLICKHOUSE_URL: 'http://me:pa55@ch:8123',
    HELIOGRAPH_DRAIN_DEADLINE: '90s',
  };

  test('prints every key, its value and where it came from, secrets masked', async () => {
    const io = captureIo({ env });
    expect(await runCli(['config', '--port', '0'], COMMANDS, io)).toBe(0);
    const rows = new Map(io.stdout.split('\n').map((line) => [line.split(/\s+/)[0], line.replace(/\s+/g, ' ')]));
    expect(rows.get('port')).toBe('port 0 flag --port');
    expect(rows.get('token')).toBe('token ******** environment HELIOGRAPH_TOKEN');
    expect(rows.get('clickhouseUrl')).toBe(
      'clickhouseUrl http://********@ch:8123 environment HELIOGRAPH_CLICKHOUSE_URL',
    );
    expect(rows.get('drainDeadline')).toBe('drainDeadline 90s environment HELIOGRAPH_DRAIN_DEADLINE');
    expect(rows.get('retention.spans')).toBe('retention.spans 14d default');
    expect(rows.get('clickhouseCluster')).toBe('clickhouseCluster - default');
    expect(io.stdout).not.toMatch(/s3cret|pa55/);
  });

  test('as JSON', async () => {
    const io = captureIo({ env });
    expect(await runCli(['config', '--json'], COMMANDS, io)).toBe(0);
    expect(JSON.parse(io.stdout)).toMatchObject({
      port: { value: 7070, source: 'default', detail: '' },
      token: { value: '********', source: 'environment', detail: 'HELIOGRAPH_TOKEN' },
      drainDeadline: { value: 90_000 },
      clickhouseCluster: { value: null },
    });
    expect(io.stdout).not.toMatch(/s3cret|pa55/);
  });

  test('that is refused names every problem and is exit code 2', async () => {
    const io = captureIo({ env: { HELIOGRAPH_PORT: 'x', HELIOGRAPH_PROT: '1' } });
    expect(await runCli(['config'], COMMANDS, io)).toBe(2);
    expect(io.stderr).toContain('error: bad_config: 2 settings are refused:');
  });
});

describe('the entry', () => {
  const run = (args: string[], env: Record<string, string> = {}) =>
    spawnSync(process.execPath, ['--import', 'tsx', assetPath('app/main.ts'), ...args], {
      cwd: PACKAGE_ROOT,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', ...env },
    });

  test('reads arguments and environment and ends with the exit code', () => {
    const good = run(['config', '--json'], { HELIOGRAPH_PORT: '1234' });
    expect([good.status, JSON.parse(good.stdout).port.value]).toEqual([0, 1234]);
    const bad = run(['config'], { HELIOGRAPH_PORT: 'x' });
    expect([bad.status, bad.stdout]).toEqual([2, '']);
    expect(bad.stderr).toBe(
      'error: bad_config: port: x is refused, it must be an integer from 0 to 65535 (HELIOGRAPH_PORT)\n',
    );
  });

  test('has its shebang first', () => {
    expect(readFileSync(assetPath('app/main.ts'), 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node');
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, type AgentOptions } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { StoreError } from '../../../core/errors.ts';
import { builtPath } from '../../../core/paths.ts';
import type { Store } from '../../../core/ports.ts';
import { createStore } from '../../../store/client.ts';
import { type EmbeddedEngine, startEmbedded } from '../../../store/embedded/supervisor.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { quietLog } from '../../support/quiet-log.ts';

const base = mkdtempSync(join(tmpdir(), 'heliograph-'));
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

async function start(name: string): Promise<{ engine: EmbeddedEngine; store: Store; dataDir: string }> {
  const dataDir = join(base, name);
  const engine = await startEmbedded({ dataDir, clock: systemClock, log: quietLog, backoff: { initialMs: 20 } });
  const store = createStore({ socketPath: engine.socketPath, log: quietLog });
  cleanups.push(
    () => engine.stop(2000),
    () => store.close(),
  );
  return { engine, store, dataDir };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const count = async (store: Store): Promise<unknown> =>
  (await store.query({ sql: 'SELECT count() FROM kept' })).rows[0]?.[0];

describe('a started engine', () => {
  it('lies behind private files and keeps UTC', async () => {
    const { engine, store, dataDir } = await start('private');
    expect(engine.state()).toBe('running');
    expect(statSync(engine.socketPath).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'run')).mode & 0o777).toBe(0o700);
    const { rows } = await store.query({
      sql: "SELECT timezone(), toString(toDateTime(0)), getSetting('max_threads')",
    });
    expect(rows).toEqual([['UTC', '1970-01-01 00:00:00', 2]]);
  });

  it('lets the face read the views and nothing else', async () => {
    const { engine, store } = await start('roles');
    for (const sql of [
      'CREATE DATABASE boards',
      'CREATE TABLE kept (a UInt32) ENGINE = MergeTree ORDER BY a',
      'INSERT INTO kept SELECT * FROM numbers(3)',
      'CREATE VIEW boards.rows DEFINER = default SQL SECURITY DEFINER AS SELECT a FROM default.kept WHERE a < {below:UInt32}',
    ]) {
      await store.command({ sql });
    }
    const http_agent = new Agent({ socketPath: engine.socketPath } as AgentOptions);
    const client = createClient({
      url: 'http://engine',
      log: { level: ClickHouseLogLevel.OFF },
      http_agent,
      role: 'face',
      clickhouse_settings: { readonly: '1' },
    });
    cleanups.push(() => client.close());
    const ask = async (query: string): Promise<unknown> =>
      (await client.query({ query, format: 'JSONCompact' })).json();
    expect(await ask('SELECT count() FROM boards.rows(below = 2)')).toMatchObject({ data: [[2]] });
    expect(await ask('SELECT DISTINCT database FROM system.tables')).toMatchObject({ data: [['boards']] });
    for (const query of [
      'SELECT * FROM default.kept',
      "SELECT * FROM merge('default', '.*')",
      "SELECT * FROM file('/etc/hostname', 'LineAsString')",
      'SELECT * FROM view(SELECT * FROM default.kept)',
      'DROP VIEW boards.rows',
    ]) {
      await expect(ask(query), query).rejects.toMatchObject({
        code: expect.stringMatching(/^(497|164|636)$/) as string,
      });
    }
  });

  it('streams with bounded memory', async () => {
    const { engine } = await start('memory');
    const http_agent = new Agent({ socketPath: engine.socketPath } as AgentOptions);
    const client = createClient({ url: 'http://engine', log: { level: ClickHouseLogLevel.OFF }, http_agent });
    cleanups.push(() => client.close());
    for (const format of ['JSONEachRow', 'Native']) {
      const { stream } = await client.exec({
        query: `SELECT number, repeat('x', 100) FROM numbers(2000000) FORMAT ${format}`,
      });
      let bytes = 0;
      for await (const chunk of stream as AsyncIterable<Buffer>) bytes += chunk.length;
      expect(bytes).toBeGreaterThan(200e6);
    }
    if (process.platform !== 'linux') return;
    const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${engine.pid()}/status`, 'utf8'))?.[1]);
    expect(peakKiB).toBeLessThan(600 * 1024);
  });

  it('answers a large setting and a small query at once on a long path', async () => {
    const { engine, store } = await start(`long/${'x'.repeat(110)}`);
    expect(engine.socketPath.length).toBeLessThan(104);
    expect((await store.query({ sql: 'SELECT 1' })).rows).toEqual([[1]]);
    await store.command({ sql: 'CREATE TABLE kept (a UInt32) ENGINE = MergeTree ORDER BY a' });
    await store.insertRows('kept', [{ a: 1 }]);
    expect(await count(store)).toBe(1);
  });
});

describe('an engine that dies', () => {
  it('is started again with everything that was answered', async () => {
    const { engine, store } = await start('killed');
    await store.command({ sql: 'CREATE TABLE kept (a UInt32) ENGINE = MergeTree ORDER BY a' });
    for (let round = 1; round <= 3; round++) {
      await store.insertRows('kept', [{ a: round }]);
      const pid = engine.pid() ?? 0;
      const running = store.query({ sql: 'SELECT sleep(3)' });
      process.kill(pid, 'SIGKILL');
      await expect(running).rejects.toMatchObject({ code: 'store_unavailable' });
      await until(() => engine.state() === 'running' && engine.pid() !== pid);
      expect(await count(store)).toBe(round);
      expect(engine.restarts()).toBe(round);
      expect(engine.lastExit()).toBe('was ended by SIGKILL');
    }
  });

  it('waits longer each time', async () => {
    const log = memoryLog();
    const dataDir = join(base, 'failing');
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'engine'), 'not a directory');
    const started = startEmbedded({
      dataDir,
      clock: systemClock,
      log,
      backoff: { initialMs: 10, maxMs: 30, startDeadlineMs: 4000 },
    });
    await expect(started).rejects.toSatisfy(
      (error) =>
        error instanceof StoreError && error.code === 'store_unavailable' && /exited with code 1/.test(error.message),
    );
    const delays = log.lines.filter((line) => 'delayMs' in line.fields).map((line) => line.fields['delayMs']);
    expect(delays.slice(0, 3)).toEqual([10, 20, 30]);
    expect(log.lines.some((line) => line.level === 'error' && /did not start/.test(line.message))).toBe(true);
  });

  it('is not the store’s fault: a stopped one is unavailable', async () => {
    const { engine, store } = await start('stopped');
    await engine.stop(2000);
    expect(engine.state()).toBe('stopped');
    expect(engine.pid()).toBeUndefined();
    await expect(store.query({ sql: 'SELECT 1' })).rejects.toMatchObject({ code: 'store_unavailable', engineCode: 0 });
    await expect(store.ping()).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});

describe('stop', () => {
  it('lets a running statement end', async () => {
    const { engine, store } = await start('drain');
    const running = store.query({ sql: 'SELECT sleep(1)' });
    await until(
      async () =>
        (await store.query({ sql: "SELECT count() FROM system.processes WHERE query LIKE '%sleep(1)%'" }))
          .rows[0]?.[0] === 2,
    );
    await engine.stop(10_000);
    expect((await running).rows).toEqual([[0]]);
    expect(engine.lastExit()).toBe('exited with code 0');
  });

  it('does not wait longer than the deadline', async () => {
    const { engine, store } = await start('deadline');
    const running = store.query({ sql: 'SELECT max(sipHash64(number)) FROM numbers(20000000000)' });
    const failed = expect(running).rejects.toMatchObject({ code: 'store_unavailable' });
    await until(
      async () =>
        (await store.query({ sql: "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%'" }))
          .rows[0]?.[0] === 2,
    );
    await engine.stop(200);
    expect(engine.lastExit()).toBe('was ended by SIGKILL');
    await failed;
  });
});

describe('a parent that dies', () => {
  /** A process with an engine of its own, and the engine's pid. */
  async function parent(dataDir: string): Promise<{ child: ChildProcess; enginePid: number }> {
    const code = `
      const [{ startEmbedded }, { systemClock }] = await Promise.all([
        import(${JSON.stringify(builtPath('store/embedded/supervisor.ts'))}), import(${JSON.stringify(builtPath('core/clock.ts'))})]);
      const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
      const engine = await startEmbedded({ dataDir: process.argv[1], clock: systemClock, log });
      console.log(engine.pid());
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanups.push(() => child.kill('SIGKILL'));
    if (child.stdout === null) throw new Error('no output');
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return { child, enginePid: Number(line) };
  }

  it('takes its engine with it, and the next one starts at once', async () => {
    const { child, enginePid } = await parent(join(base, 'orphan'));
    expect(isAlive(enginePid)).toBe(true);
    child.kill('SIGKILL');
    const { engine, store } = await start('orphan');
    expect((await store.query({ sql: 'SELECT 1' })).rows).toEqual([[1]]);
    expect(engine.pid()).not.toBe(enginePid);
    await until(() => !isAlive(enginePid));
  });

  it('is waited for while its engine still holds the directory', async () => {
    const dataDir = join(base, 'held');
    const { child, enginePid } = await parent(dataDir);
    const second = startEmbedded({
      dataDir,
      clock: systemClock,
      log: quietLog,
      backoff: { initialMs: 50, maxMs: 100 },
    });
    await sleep(800);
    child.kill('SIGKILL');
    const engine = await second;
    cleanups.push(() => engine.stop(2000));
    expect(engine.restarts()).toBeGreaterThan(0);
    await until(() => !isAlive(enginePid));
  });
});

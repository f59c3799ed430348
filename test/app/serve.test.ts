/** A real `heliograph serve` in its own process, as a user runs it. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { builtPath } from '../../core/paths.ts';
import { eventually, type HeliographProcess, spawnHeliograph } from '../support/heliograph-process.ts';
import { typicalBody } from '../support/otlp-typical.ts';

const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const dirs: string[] = [];
const running: HeliographProcess[] = [];

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-serve-'));
  dirs.push(dir);
  return dir;
}

async function start(dataDir: string, env: Record<string, string> = {}): Promise<HeliographProcess> {
  const heliograph = await spawnHeliograph(dataDir, env);
  running.push(heliograph);
  return heliograph;
}

/** Runs a command of the CLI to its end. */
function heliograph(
  args: string[],
  env: Record<string, string>,
  cwd: string,
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [builtPath('app/main.ts'), ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  return new Promise((resolve) => child.on('exit', (code) => resolve({ code, out, err })));
}

afterEach(async () => {
  for (const { child, exited } of running.splice(0)) {
    child.kill('SIGKILL');
    await exited;
  }
});
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

interface Answer {
  rows: Record<string, unknown>[];
  meta: { n: number; coverage: number | null; asOf: string | null };
}

async function query(instance: HeliographProcess, path: string): Promise<Answer> {
  return (await (await fetch(`${instance.pageUrl}/api/query/${path}`)).json()) as Answer;
}

const spansOf = async (instance: HeliographProcess): Promise<number> => {
  const { rows } = await query(instance, 'services?from=now-1h&to=now%2B5m');
  return rows.filter((row) => row['service'] !== 'heliograph').reduce((sum, row) => sum + Number(row['span_count']), 0);
};

describe('first light', () => {
  let instance: HeliographProcess;
  let dataDir: string;
  beforeAll(() => {
    dataDir = newDir();
  });

  test('it prints where things are, and its own routes appear before anything is sent', async () => {
    instance = await start(dataDir);
    expect(instance.stdout()).toContain(instance.pageUrl);
    expect(instance.stdout()).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=${instance.otlpUrl}`);
    const rows = await eventually(async () => {
      const answer = await query(instance, 'latency_by_route?from=now-1h&to=now&step=3600');
      return answer.rows.length >= 3 && answer.meta.n > 0 && answer.meta.asOf !== null ? answer : undefined;
    });
    expect(rows.rows.map((row) => row['route'])).toContain('/readyz');
    expect(rows.rows.every((row) => row['service'] === 'heliograph')).toBe(true);
    expect(rows.meta.asOf).not.toBeNull();
    expect(readFileSync(join(dataDir, '.gitignore'), 'utf8').trim()).toBe('*');
    expect(statSync(dataDir).mode & 0o077).toBe(0);
  });

  test('the doors and what runs under them are never traced', async () => {
    instance = await start(dataDir);
    for (let seed = 1; seed <= 5; seed++) {
      const body = typicalBody({ seed, spans: 8, nowNs: BigInt(Date.now()) * 1_000_000n });
      expect(
        (await fetch(`${instance.otlpUrl}/v1/traces`, { method: 'POST', headers: PROTOBUF, body: Buffer.from(body) }))
          .status,
      ).toBe(200);
    }
    await eventually(async () => ((await spansOf(instance)) === 40 ? true : undefined));
    const { rows } = await query(instance, 'routes?from=now-1h&to=now%2B5m');
    const own = rows.filter((row) => row['service'] === 'heliograph').map((row) => String(row['route']));
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter((route) => route.includes('/v1/'))).toEqual([]);
  });

  test('health is open, ready says what was checked', async () => {
    instance = await start(dataDir);
    expect(await (await fetch(`${instance.pageUrl}/healthz`)).text()).toBe('ok\n');
    const ready = (await (await fetch(`${instance.pageUrl}/readyz`)).json()) as {
      ok: boolean;
      checks: { name: string }[];
    };
    expect(ready).toMatchObject({ ok: true });
    expect(ready.checks.map((check) => check.name)).toEqual(['store', 'migrations', 'journal', 'profiler']);
    const metrics = await eventually(async () => {
      const text = await (await fetch(`${instance.pageUrl}/metrics`)).text();
      return text.includes('heliograph_engine_up 1') ? text : undefined;
    });
    expect(metrics).toContain('heliograph_job_runs_total{job="metrics-snapshot"}');
  });
});

describe('stopping', () => {
  test('SIGTERM under load drains within its deadline and loses nothing', async () => {
    const dataDir = newDir();
    const env = { HELIOGRAPH_SELF_TELEMETRY_ENABLED: 'false' };
    const first = await start(dataDir, env);
    let acked = 0;
    let stopping = false;
    const senders = Array.from({ length: 4 }, async (_, sender) => {
      for (let seed = 1; !stopping; seed++) {
        const body = Buffer.from(
          typicalBody({ seed: sender * 10_000 + seed, spans: 64, nowNs: BigInt(Date.now()) * 1_000_000n }),
        );
        const status = await fetch(`${first.otlpUrl}/v1/traces`, { method: 'POST', headers: PROTOBUF, body }).then(
          (response) => response.status,
          () => 0,
        );
        if (status === 200) acked += 64;
        if (status === 0) return;
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);
    stopping = true;
    await Promise.all(senders);
    expect(existsSync(join(dataDir, 'instance.json'))).toBe(false);
    expect(first.stderr()).toContain('"unfinished":[]');
    const second = await start(dataDir, env);
    expect(acked).toBeGreaterThan(0);
    const stored = await eventually(async () => {
      const count = await spansOf(second);
      return count >= acked ? count : undefined;
    });
    expect(stored).toBe(acked);
  });
});

describe('refusing to start', () => {
  test('a second instance on the same data directory', async () => {
    const dataDir = newDir();
    await start(dataDir);
    const { code, err } = await heliograph(
      ['serve', '--port', '0', '--otlp-http-port', '0'],
      { HELIOGRAPH_DATA_DIR: dataDir },
      dataDir,
    );
    expect(code).toBe(1);
    expect(err).toMatch(/Another Heliograph|another Heliograph|is used by/i);
    expect(err).toContain(dataDir);
  });

  test('a taken port is named, with the variable that moves it', async () => {
    const first = await start(newDir());
    const doors = { HELIOGRAPH_OTLP_HTTP_PORT: first.otlpUrl, HELIOGRAPH_OTLP_GRPC_PORT: first.otlpGrpcUrl };
    for (const [variable, url] of Object.entries(doors)) {
      const { port } = new URL(url);
      const dataDir = newDir();
      const { code, err } = await heliograph(
        ['serve', '--port', '0'],
        {
          HELIOGRAPH_DATA_DIR: dataDir,
          HELIOGRAPH_OTLP_HTTP_PORT: '0',
          HELIOGRAPH_OTLP_GRPC_PORT: '0',
          [variable]: port,
        },
        dataDir,
      );
      expect(code).toBe(1);
      expect(err).toContain(`port ${port} `);
      expect(err).toContain(variable);
    }
  });

  test('an unknown key in heliograph.yaml is named with its line and the nearest key', async () => {
    const dataDir = newDir();
    writeFileSync(join(dataDir, 'heliograph.yaml'), 'bind: 127.0.0.1\nprot: 8080\n');
    const { code, err } = await heliograph(['serve'], { HELIOGRAPH_DATA_DIR: dataDir }, dataDir);
    expect(code).toBe(2);
    expect(err).toMatch(/prot/);
    expect(err).toMatch(/port/);
    expect(err).toMatch(/heliograph\.yaml:2/);
    expect(readdirSync(dataDir)).toEqual(['heliograph.yaml']);
  });

  test('a bind beyond this machine without a token', async () => {
    const dataDir = newDir();
    const { code, err } = await heliograph(['serve', '--bind', '0.0.0.0'], { HELIOGRAPH_DATA_DIR: dataDir }, dataDir);
    expect(code).toBe(2);
    expect(err).toMatch(/HELIOGRAPH_TOKEN|token/);
  });
});

test('a token guards everything but health, and stands in no log', async () => {
  const token = 'tok-3f9a1c77d2';
  const instance = await start(newDir(), { HELIOGRAPH_TOKEN: token });
  const basic = { authorization: `Basic ${Buffer.from(`me:${token}`).toString('base64')}` };
  for (const path of [
    '/',
    '/d/heliograph-overview',
    '/api/boards',
    '/api/query',
    '/api/status',
    '/metrics',
    '/readyz',
    '/nothing',
  ]) {
    expect({ path, status: (await fetch(instance.pageUrl + path, { redirect: 'manual' })).status }).toEqual({
      path,
      status: 401,
    });
  }
  for (const path of ['/d/heliograph-overview', '/api/boards', '/metrics']) {
    expect((await fetch(instance.pageUrl + path, { headers: basic })).status).toBe(200);
    expect((await fetch(instance.pageUrl + path, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  }
  expect((await fetch(`${instance.pageUrl}/healthz`)).status).toBe(200);
  expect((await fetch(`${instance.otlpUrl}/v1/traces`, { method: 'POST', headers: PROTOBUF })).status).toBe(401);
  await eventually(async () =>
    (await (await fetch(`${instance.pageUrl}/api/status`, { headers: basic })).text()).includes('"spans":')
      ? true
      : undefined,
  );
  instance.child.kill('SIGTERM');
  await instance.exited;
  expect(instance.stdout() + instance.stderr()).not.toContain(token);
});

test('a page of another site cannot read by pointing its own name here', async () => {
  const instance = await start(newDir());
  const { port } = new URL(instance.pageUrl);
  const { request } = await import('node:http');
  const status = await new Promise<number>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/api/boards', headers: { host: 'evil.example' } }, (response) =>
      resolve(response.statusCode ?? 0),
    )
      .on('error', reject)
      .end();
  });
  expect(status).toBe(400);
});

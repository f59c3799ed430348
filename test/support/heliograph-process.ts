import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { builtPath } from '../../core/paths.ts';

/** A real `heliograph serve` in a process of its own. */
export interface HeliographProcess {
  child: ChildProcess;
  pid: number;
  pageUrl: string;
  otlpUrl: string;
  otlpGrpcUrl: string;
  /** What it has printed so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves with the exit code, or the signal's name. */
  exited: Promise<number | string>;
}

/** The process itself, before anything is known of its ports. */
export type Launched = Pick<HeliographProcess, 'child' | 'pid' | 'stdout' | 'stderr' | 'exited'>;

/** Starts on free ports and waits for nothing. `main` is the program, where it is not the one built here. */
export function launchHeliograph(
  dataDir: string,
  env: Record<string, string> = {},
  main = builtPath('app/main.ts'),
): Launched {
  mkdirSync(dataDir, { recursive: true });
  rmSync(join(dataDir, 'instance.json'), { force: true });
  const child = spawn(process.execPath, [main, 'serve'], {
    cwd: dataDir,
    env: {
      PATH: process.env['PATH'] ?? '',
      HELIOGRAPH_DATA_DIR: dataDir,
      HELIOGRAPH_PORT: '0',
      HELIOGRAPH_OTLP_HTTP_PORT: '0',
      HELIOGRAPH_OTLP_GRPC_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const exited = new Promise<number | string>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return { child, pid: child.pid ?? -1, stdout: () => out, stderr: () => err, exited };
}

/**
 * Starts on free ports and waits until it says that it is ready (or, with `untilReady: false`, until its doors are open).
 * `main` is the program, where it is not the one built here.
 */
export async function spawnHeliograph(
  dataDir: string,
  env: Record<string, string> = {},
  untilReady = true,
  main = builtPath('app/main.ts'),
): Promise<HeliographProcess> {
  const launched = launchHeliograph(dataDir, env, main);
  return { ...launched, ...(await untilOpen(launched, dataDir, untilReady)) };
}

/** Waits until the process says that it is ready, or until its doors are open. Throws when it ends before. */
export async function untilOpen(
  { child, stderr, exited }: Launched,
  dataDir: string,
  untilReady: boolean,
): Promise<{ pageUrl: string; otlpUrl: string; otlpGrpcUrl: string }> {
  let over: number | string | undefined;
  void exited.then((how) => (over = how));
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 50) {
    if (over !== undefined) throw new Error(`heliograph ended with ${over}: ${stderr()}`);
    const instance = readInstance(dataDir);
    if (instance !== undefined && (!untilReady || stderr().includes('heliograph is ready'))) return instance;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`heliograph was not ready after a minute: ${stderr()}`);
}

function readInstance(dataDir: string): { pageUrl: string; otlpUrl: string; otlpGrpcUrl: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(dataDir, 'instance.json'), 'utf8')) as {
      pageUrl: string;
      otlpUrl: string;
      otlpGrpcUrl: string;
    };
  } catch {
    return undefined;
  }
}

/** Polls until `probe` gives something other than undefined. */
export async function eventually<T>(probe: () => Promise<T | undefined>, limitMs = 30_000): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    const result = await probe().catch(() => undefined);
    if (result !== undefined) return result;
    if (performance.now() - startedMs > limitMs)
      throw new Error(`nothing after ${limitMs} ms: ${probe.toString().slice(0, 200)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

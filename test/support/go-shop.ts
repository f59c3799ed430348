import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { assetPath } from '../../core/paths.ts';

/** A process of examples/go-shop. */
export interface ShopProcess {
  child: ChildProcess;
  /** Addresses that it took. */
  listen: string;
  admin: string;
  stderr(): string;
  /** Sends SIGTERM and resolves with the exit code, or the signal's name. */
  stop(): Promise<number | string>;
}

/** With nothing in Go's cache, on a busy machine, the first build takes minutes. */
export const BUILD_LIMIT_MS = 600_000;

/** Compiles examples/go-shop, with the demo's flags so that both share Go's cache. Throws what the compiler says. */
export function buildGoShop(binary: string): void {
  const { status, stderr } = spawnSync('go', ['build', '-trimpath', '-o', binary, '.'], {
    cwd: assetPath('examples/go-shop'),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
}

/** Starts a service on free ports, or on those given as flags, and waits for the line that says where it is. */
export async function startService(
  binary: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ShopProcess> {
  const child = spawn(binary, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let err = '';
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const exited = new Promise<number | string>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    void exited.then((how) => reject(new Error(`${args[0]} ended with ${how}: ${err}`)));
  });
  const { listen, admin } = JSON.parse(line) as { listen: string; admin: string };
  const stop = (): Promise<number | string> => {
    child.kill('SIGTERM');
    return exited;
  };
  return { child, listen, admin, stderr: () => err, stop };
}

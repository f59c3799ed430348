/**
 * The engine's own process, so that a native crash cannot take the doors down. Started by `supervisor.ts` with its options as one
 * JSON argument and an IPC channel; when the channel closes, the parent is dead and this process follows it.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderConfig, renderUsers } from './config-xml.ts';
import { forgetUnkeptParts, isServed } from './deduplication.ts';
import { mendDefinitions } from './definitions.ts';
import { openSession, runScalar } from './engine.ts';
import type { ChildMessage, ChildOptions } from './options.ts';
import { createEngineServer } from './server.ts';
import { createSessionPool, pipeName, type SessionPool, spoolName } from './sessions.ts';

const DRAIN_POLL_MS = 20;

function logLine(level: 'info' | 'warn' | 'error', message: string, fields: object = {}): void {
  process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
}

/**
 * Ends the process at once. Inserts that were answered survive that; the library's orderly shutdown aborts, noisily, when a
 * statement is running.
 */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function main(options: ChildOptions): Promise<void> {
  const orphaned = (): void => {
    logLine('warn', 'the parent process is gone, the engine stops');
    die();
  };
  process.on('disconnect', orphaned);
  if (!process.connected) return orphaned();
  process.on('SIGINT', () => undefined); // a terminal sends it to both processes, but the parent stops this one when it is done

  const configPath = writeConfig(options);
  // A process that is about to be refused must not touch the files of the one that refuses it.
  if (!(await isServed(options.socketPath))) mendEngine(options.engineDir);
  const anchor = openSession(options.engineDir, configPath);
  prepareRunDir(options);
  const version = await runScalar(anchor, 'SELECT version()');
  const pool = createSessionPool(options, configPath, anchor);
  const server = createEngineServer(pool, version, (message) => {
    logLine('error', 'the engine shut itself down after a fatal error', { reason: message });
    die();
  });
  process.on('SIGTERM', () => void drain(server, pool, options.drainMs));
  await listen(server, options.socketPath);
  logLine('info', 'the engine is listening', { version, socketPath: options.socketPath });
  process.send?.({ kind: 'listening' } satisfies ChildMessage);
}

/** What a crash left that the engine itself does not mend. */
function mendEngine(engineDir: string): void {
  const struckOut = forgetUnkeptParts(engineDir);
  if (struckOut.length > 0) logLine('warn', 'tokens of inserts that a crash cut short were forgotten', { struckOut });
  const { restored, removed } = mendDefinitions(engineDir);
  if (restored.length + removed.length > 0)
    logLine('warn', 'definitions that a crash left empty were restored, or removed where unfinished', {
      restored,
      removed,
    });
}

/** The files are the same for every start, so a second process that is about to be refused may write them too. */
function writeConfig(options: ChildOptions): string {
  const configPath = join(options.runDir, 'config.xml');
  const usersPath = join(options.runDir, 'users.xml');
  writeFileSync(usersPath, renderUsers(options), { mode: 0o600 });
  writeFileSync(configPath, renderConfig(options, usersPath), { mode: 0o600 });
  return configPath;
}

/** Only the process that holds the engine may touch pipes and spooled bodies: the opened session is the lock. */
function prepareRunDir(options: ChildOptions): void {
  const indices = Array.from({ length: options.slots }, (_, index) => index);
  const pipes = indices.map((index) => join(options.runDir, pipeName(index)));
  for (const path of [...pipes, ...indices.map((index) => join(options.runDir, spoolName(index)))])
    rmSync(path, { force: true });
  const { status, error } = spawnSync('mkfifo', ['-m', '600', ...pipes]);
  if (status !== 0) throw new Error(`mkfifo failed in ${options.runDir}`, { cause: error });
}

function listen(server: Server, socketPath: string): Promise<void> {
  rmSync(socketPath, { force: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(0o177);
    server.listen(socketPath, () => {
      chmodSync(socketPath, 0o600);
      resolve();
    });
    process.umask(umask);
  });
}

/** Takes no more connections, lets the running statements end and their answers leave, and goes. */
async function drain(server: Server, pool: SessionPool, deadlineMs: number): Promise<void> {
  logLine('info', 'the engine drains', { running: pool.busy() });
  let closed = false;
  server.close(() => (closed = true));
  const deadline = performance.now() + deadlineMs;
  while (!closed || pool.busy() > 0) {
    if (performance.now() > deadline) {
      logLine('warn', 'statements were still running at the deadline', { running: pool.busy() });
      return die();
    }
    server.closeIdleConnections(); // a kept-alive connection becomes idle only when its last answer has left
    await sleep(DRAIN_POLL_MS);
  }
  process.exit(0);
}

main(JSON.parse(process.argv[2] ?? '{}') as ChildOptions).catch((error: unknown) => {
  logLine('error', 'the engine did not start', { reason: error instanceof Error ? error.message : String(error) });
  process.exit(1);
});

/**
 * One Heliograph per data directory, without files that outlive their owner. Node has no `flock`, so the lock is a listening Unix
 * socket: the kernel closes it with its process, however that dies, and a refused connection is proof of death.
 *
 * Every claimant listens under a name of its own before it looks at the others, so of two that race at least one sees the other.
 * Who meets an owner gives up; of claimants that meet, the smaller name goes on and the larger gives up. Names are never used
 * twice, so removing a dead one cannot hit the living.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeliographError } from '../../core/errors.ts';
import { socketDirectory } from './socket-path.ts';

export interface DataDirLock {
  release(): void;
}

type Claim = 'owner' | 'claimant' | 'dead';

const ANSWER_MS = 2000;
const RETRY_MS = 10;

/**
 * Creates the data directory where it is missing (mode 0700, with a `.gitignore` of its own) and claims it for this process.
 * Throws `data_dir_locked`, naming directory and pid, when another process has it.
 */
export async function acquireDataDir(dataDir: string): Promise<DataDirLock> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const real = realpathSync(dataDir);
  chmodSync(real, 0o700);
  const ignore = join(real, '.gitignore');
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n');

  const name = `${process.pid}-${randomBytes(6).toString('hex')}.sock`;
  const directory = socketDirectory(real, 'lock', name.padEnd(32, 'x'));
  const path = join(directory, name);
  let state: Claim = 'claimant';
  const server = await listen(path, () => state);
  const release = (): void => {
    server.close();
    rmSync(path, { force: true });
  };
  try {
    for (const other of readdirSync(directory)) {
      if (other === name || !other.endsWith('.sock')) continue;
      const claim = await outcome(join(directory, other), other > name);
      if (claim === 'dead') rmSync(join(directory, other), { force: true });
      else
        throw new HeliographError(
          'data_dir_locked',
          `${real} is in use by another Heliograph (pid ${other.split('-', 1)[0]})`,
        );
    }
  } catch (error) {
    release();
    throw error;
  }
  state = 'owner';
  return { release };
}

/** What becomes of another's claim. A claimant with the larger name has not seen us, or will give up: either way it ends. */
async function outcome(path: string, yields: boolean): Promise<Claim> {
  for (;;) {
    const claim = await ask(path);
    if (claim !== 'claimant' || !yields) return claim;
    await sleep(RETRY_MS);
  }
}

function ask(path: string): Promise<Claim> {
  return new Promise((resolve) => {
    let text = '';
    let again = false;
    const socket = createConnection(path);
    // Whoever is stopped or too busy to answer is alive none the less.
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve('dead');
      // It stopped listening with our connection unanswered: asked once more it is dead, or its process has moved on.
      again = error.code === 'ECONNRESET';
    });
    socket.on('close', () => resolve(again ? ask(path) : text === 'claimant' ? 'claimant' : 'owner'));
  });
}

/** Listens under another name first: between bind and listen a socket looks dead. */
async function listen(path: string, state: () => Claim): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(state());
  });
  const early = path.replace(/sock$/, 'new');
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(early, resolve);
  });
  renameSync(early, path);
  server.unref();
  return server;
}

/** Where Unix sockets of a data directory lie. Their paths are capped by the kernel: 108 bytes on Linux, 104 on macOS. */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeliographError } from '../../core/errors.ts';

const MAX_SOCKET_PATH_BYTES = 100;
const ENGINE_SOCKET = 'clickhouse.sock';

/** Socket of the engine that runs on this data directory, or will. Creates the directory it lies in. */
export function engineSocketPath(dataDir: string): string {
  return join(socketDirectory(dataDir, 'run', ENGINE_SOCKET), ENGINE_SOCKET);
}

/**
 * A private directory (mode 0700) whose sockets called `longestName` or shorter can be bound: `<dataDir>/<folder>`, or where that
 * is too long, one in the system's temporary directory named by a hash of the data directory. Throws `data_dir_locked` when
 * that directory is somebody else's.
 */
export function socketDirectory(dataDir: string, folder: string, longestName: string): string {
  const real = realpathSync(dataDir);
  const inside = join(real, folder);
  if (fits(join(inside, longestName))) {
    mkdirSync(inside, { recursive: true, mode: 0o700 });
    chmodSync(inside, 0o700);
    return inside;
  }
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 20);
  const name = `heliograph-${folder}-${hash}`;
  // A TMPDIR that is itself too long would defeat the purpose.
  const outside = [tmpdir(), '/tmp'].map((base) => join(base, name)).find((path) => fits(join(path, longestName)));
  return privateDirectory(outside ?? join('/tmp', name));
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES;
}

/** The name can be guessed, so another user may have been there first. */
function privateDirectory(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stat = lstatSync(path);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o077) !== 0) {
    throw new HeliographError(
      'data_dir_locked',
      `${path} must be a directory of this user with mode 0700; remove it or set TMPDIR`,
    );
  }
  return path;
}

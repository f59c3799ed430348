/** Who listens on a port, as far as Linux tells: /proc/net/tcp gives the socket, /proc/<pid>/fd its owner. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface PortHolder {
  pid: number;
  command: string;
}

const LISTEN = '0A';

/** The process that listens on `port`, undefined where the system does not say (other systems, other users' processes). */
export async function portHolder(port: number, procRoot = '/proc'): Promise<PortHolder | undefined> {
  const inodes = await listeningInodes(port, procRoot);
  if (inodes.size === 0) return undefined;
  for (const name of await entries(procRoot)) {
    if (!/^[0-9]+$/.test(name)) continue;
    if (await holdsAny(join(procRoot, name, 'fd'), inodes)) {
      return { pid: Number(name), command: await commandOf(join(procRoot, name)) };
    }
  }
  return undefined;
}

async function listeningInodes(port: number, procRoot: string): Promise<Set<string>> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of (await text(join(procRoot, 'net', table))).split('\n')) {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === LISTEN && local.endsWith(`:${wanted}`) && inode !== undefined) inodes.add(`socket:[${inode}]`);
    }
  }
  return inodes;
}

async function holdsAny(fdDir: string, inodes: ReadonlySet<string>): Promise<boolean> {
  for (const fd of await entries(fdDir)) {
    const target = await readlink(join(fdDir, fd)).catch(() => '');
    if (inodes.has(target)) return true;
  }
  return false;
}

/** The first two words of the command line: enough to know a program, too few to show a secret argument. */
async function commandOf(processDir: string): Promise<string> {
  const words = (await text(join(processDir, 'cmdline'))).split('\0').filter((word) => word !== '');
  const shown = words.slice(0, words[1]?.startsWith('-') === true ? 1 : 2).join(' ');
  return shown === '' ? (await text(join(processDir, 'comm'))).trim() : shown;
}

function entries(dir: string): Promise<string[]> {
  return readdir(dir).catch(() => []);
}

function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

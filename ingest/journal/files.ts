/**
 * The file system as the journal needs it. Raw descriptors and callbacks: `FileHandle` cost a tenth to a third of
 * the throughput when tried. An argument, so that tests can see the order of writes and syncs.
 */
import * as fs from 'node:fs';

export interface JournalFiles {
  /** Creates a file that must not exist yet, for writing, mode 0600. */
  create(path: string): Promise<number>;
  /** Writes at `position`, any number of buffers (libuv splits them at IOV_MAX); may write less than asked. */
  writev(fd: number, buffers: readonly Uint8Array[], position: number): Promise<number>;
  truncate(fd: number, length: number): Promise<void>;
  fdatasync(fd: number): Promise<void>;
  close(fd: number): Promise<void>;
  /** Makes created, renamed and deleted names of a directory durable. */
  syncDir(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Bytes that are free for this user on the file system of `path`. */
  freeBytes(path: string): Promise<number>;
}

type Done<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

function call<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))));
}

function run(start: (done: (error?: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
}

export const machineFiles: JournalFiles = {
  create: (path) => call((done) => fs.open(path, 'wx', 0o600, done)),
  writev: (fd, buffers, position) => call((done) => fs.writev(fd, buffers, position, done)),
  truncate: (fd, length) => run((done) => fs.ftruncate(fd, length, done)),
  fdatasync: (fd) => run((done) => fs.fdatasync(fd, done)),
  close: (fd) => run((done) => fs.close(fd, done)),
  async syncDir(path) {
    const fd = await call<number>((done) => fs.open(path, 'r', done));
    try {
      await run((done) => fs.fsync(fd, done));
    } finally {
      await run((done) => fs.close(fd, done));
    }
  },
  rename: (from, to) => run((done) => fs.rename(from, to, done)),
  unlink: (path) => run((done) => fs.unlink(path, done)),
  async freeBytes(path) {
    const stats = await call<fs.StatsFs>((done) => fs.statfs(path, done));
    return stats.bavail * stats.bsize;
  },
};

/** Writes every buffer from `position` on, however short the single writes are. Throws the error of the write that failed. */
export async function writeAll(
  files: JournalFiles,
  fd: number,
  buffers: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let at = position;
  let first = 0;
  let skip = 0; // bytes of buffers[first] already written
  while (first < buffers.length) {
    const chunk = buffers.slice(first);
    if (skip > 0 && chunk[0] !== undefined) chunk[0] = chunk[0].subarray(skip);
    let written = await files.writev(fd, chunk, at);
    if (written === 0) throw Object.assign(new Error('write made no progress'), { code: 'EIO' });
    at += written;
    for (const buffer of chunk) {
      if (written < buffer.byteLength) break;
      written -= buffer.byteLength;
      first++;
      skip = 0;
    }
    skip += written;
  }
}

/** The errno name of a file system error, or '' where there is none. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

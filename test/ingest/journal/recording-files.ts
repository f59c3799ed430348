/**
 * The machine's file system with a memory: it knows at every moment what a power loss would have to leave, and it can be
 * told to fail. All bytes really are written.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type JournalFiles, machineFiles } from '../../../ingest/journal/files.ts';

export type Operation = Exclude<keyof JournalFiles, 'freeBytes'>;

type Change = { at: number; bytes: Buffer } | { truncate: number };

interface Tracked {
  changes: Change[];
  /** So many of `changes` are on the disk for certain. */
  durable: number;
}

type NameChange = { create: string; file: Tracked } | { rename: string; to: string } | { unlink: string };

export interface Call {
  operation: Operation;
  file: string;
  /** `begin` when asked for, `end` when it was done, `fail` when it failed. */
  phase: 'begin' | 'end' | 'fail';
}

export class RecordingFiles implements JournalFiles {
  readonly calls: Call[] = [];
  /** Throws to make an operation fail before anything is done. A number for `writev` makes it write only so many bytes. */
  fault: (operation: Operation, file: string) => number | undefined = () => undefined;
  private readonly descriptors = new Map<number, { file: string; tracked: Tracked }>();
  private readonly names: NameChange[] = [];
  private durableNames = 0;

  async create(path: string): Promise<number> {
    return this.call('create', basename(path), async () => {
      const fd = await machineFiles.create(path);
      const tracked = { changes: [], durable: 0 };
      this.descriptors.set(fd, { file: basename(path), tracked });
      this.names.push({ create: basename(path), file: tracked });
      return fd;
    });
  }

  async writev(fd: number, buffers: readonly Uint8Array[], position: number): Promise<number> {
    const { file, tracked } = this.of(fd);
    return this.call('writev', file, async (short) => {
      const wanted = Buffer.concat(buffers);
      const bytes = short === undefined ? wanted : wanted.subarray(0, short);
      tracked.changes.push({ at: position, bytes });
      return machineFiles.writev(fd, [bytes], position);
    });
  }

  async truncate(fd: number, length: number): Promise<void> {
    const { file, tracked } = this.of(fd);
    await this.call('truncate', file, async () => {
      tracked.changes.push({ truncate: length });
      await machineFiles.truncate(fd, length);
    });
  }

  async fdatasync(fd: number): Promise<void> {
    const { file, tracked } = this.of(fd);
    const covered = tracked.changes.length;
    await this.call('fdatasync', file, async () => {
      await machineFiles.fdatasync(fd);
      tracked.durable = Math.max(tracked.durable, covered);
    });
  }

  async close(fd: number): Promise<void> {
    await this.call('close', this.of(fd).file, () => machineFiles.close(fd));
    this.descriptors.delete(fd);
  }

  async syncDir(path: string): Promise<void> {
    const covered = this.names.length;
    await this.call('syncDir', basename(path), async () => {
      await machineFiles.syncDir(path);
      this.durableNames = Math.max(this.durableNames, covered);
    });
  }

  async rename(from: string, to: string): Promise<void> {
    await this.call('rename', basename(from), async () => {
      await machineFiles.rename(from, to);
      this.names.push({ rename: basename(from), to: basename(to) });
    });
  }

  async unlink(path: string): Promise<void> {
    await this.call('unlink', basename(path), async () => {
      await machineFiles.unlink(path);
      this.names.push({ unlink: basename(path) });
    });
  }

  freeBytes(path: string): Promise<number> {
    return machineFiles.freeBytes(path);
  }

  /** Takes what lies in `dir` now for durable: what recovery left there. */
  adopt(dir: string): void {
    this.names.length = 0;
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const changes = [{ at: 0, bytes: readFileSync(join(dir, entry.name)) }];
      this.names.push({ create: entry.name, file: { changes, durable: 1 } });
    }
    this.durableNames = this.names.length;
  }

  /**
   * Writes to `dir` what a power loss right now may leave: all that was synced, and of the rest whatever `random` (in
   * [0, 1)) decides; always 0 keeps nothing of it. Unsynced writes may be there, half there or a hole.
   */
  afterPowerLoss(dir: string, random: () => number): void {
    mkdirSync(dir, { recursive: true });
    const entries = new Map<string, Tracked>();
    const kept = this.durableNames + Math.floor(random() * (this.names.length - this.durableNames + 1));
    for (const change of this.names.slice(0, kept)) {
      if ('create' in change) entries.set(change.create, change.file);
      else if ('unlink' in change) entries.delete(change.unlink);
      else {
        const moved = entries.get(change.rename);
        entries.delete(change.rename);
        if (moved !== undefined) entries.set(change.to, moved);
      }
    }
    for (const [file, { changes, durable }] of entries) {
      let bytes = Buffer.alloc(0);
      for (const change of changes.slice(0, durable)) bytes = applied(bytes, change);
      for (const change of changes.slice(durable)) {
        if (random() < 0.5) continue;
        bytes = applied(bytes, 'bytes' in change && random() > 0.5 ? torn(change, random) : change);
      }
      writeFileSync(join(dir, file), bytes);
    }
  }

  private of(fd: number): { file: string; tracked: Tracked } {
    const found = this.descriptors.get(fd);
    if (found === undefined) throw new Error(`descriptor ${fd} is not open`);
    return found;
  }

  private async call<T>(
    operation: Operation,
    file: string,
    act: (short: number | undefined) => Promise<T>,
  ): Promise<T> {
    this.calls.push({ operation, file, phase: 'begin' });
    try {
      const result = await act(this.fault(operation, file));
      this.calls.push({ operation, file, phase: 'end' });
      return result;
    } catch (error) {
      this.calls.push({ operation, file, phase: 'fail' });
      throw error;
    }
  }
}

export function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function applied(bytes: Buffer, change: Change): Buffer<ArrayBuffer> {
  if ('truncate' in change) {
    const cut = Buffer.alloc(change.truncate);
    bytes.copy(cut);
    return cut;
  }
  const grown = Buffer.alloc(Math.max(bytes.length, change.at + change.bytes.length));
  bytes.copy(grown);
  change.bytes.copy(grown, change.at);
  return grown;
}

/** A write of which a part is there, or whose blocks were allocated and never filled. */
function torn(change: { at: number; bytes: Buffer }, random: () => number): Change {
  const length = Math.floor(random() * (change.bytes.length + 1));
  if (random() > 0.5) return { at: change.at, bytes: change.bytes.subarray(0, length) };
  const holed = Buffer.from(change.bytes);
  holed.fill(0, length);
  return { at: change.at, bytes: holed };
}

/**
 * One segment while it is written: two files that grow group by group. Its one promise: what `commit` resolved for is on
 * the disk, and after a commit that failed the files end where the last good one ended.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { crc32c } from '@node-rs/crc32';
import type { JournalBody } from '../../core/ports.ts';
import { type JournalFiles, writeAll } from './files.ts';
import { contentHash, encodeHeader, encodeRecord, RECORD_BYTES, type SegmentHeader } from './index-file.ts';
import type { SealedSegment } from './types.ts';

/** So much is hashed in one go (about 2 ms) before other work of the process gets its turn; most bodies bring their hash. */
const HASH_CHUNK_BYTES = 4 * 1024 * 1024;

interface OpenFiles {
  path: string;
  indexPath: string;
  data: number;
  index: number;
  header: Buffer;
  headerCrc: number;
}

/** A body, with its content hash where it is known already. */
export interface HashedBody extends JournalBody {
  hash?: Uint8Array | undefined;
}

export interface SegmentPlan extends Omit<SegmentHeader, 'name'> {
  /** Draws a name that was never used; asked again when nothing of the segment was kept. */
  name: () => string;
}

export class SegmentWriter {
  readonly #files: JournalFiles;
  readonly #dir: string;
  readonly #plan: SegmentPlan;
  #name = '';
  #open: OpenFiles | null = null;
  #bytes = 0;
  #indexBytes = 0;
  #bodies = 0;
  #items = 0;
  #usable = true;
  #longerThanDurable = false;
  #syncs = 0;

  constructor(files: JournalFiles, dir: string, plan: SegmentPlan) {
    this.#files = files;
    this.#dir = dir;
    this.#plan = plan;
  }

  /** Durable bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get bodies(): number {
    return this.#bodies;
  }

  /** False when a sync failed or a cut failed: seal it as it is, write elsewhere. */
  get usable(): boolean {
    return this.#usable;
  }

  /** Sync calls so far. */
  get syncs(): number {
    return this.#syncs;
  }

  /**
   * Makes the group durable, or nothing of it. Throws the file system's error; then `usable` says whether the next group
   * may go here. The bytes are written as they are, never copied.
   */
  async commit(group: readonly HashedBody[]): Promise<void> {
    const open = this.#open ?? (await this.#create());
    const isNew = this.#indexBytes === 0;
    try {
      await this.#write(open, group, isNew);
    } catch (error) {
      await this.#cutBack(open, true);
      throw error;
    }
    try {
      await this.#sync(open, isNew);
    } catch (error) {
      // Linux drops the pages of a failed sync and reports the error once: a second sync would lie.
      this.#usable = false;
      await this.#cutBack(open, false);
      throw error;
    }
    this.#indexBytes += group.length * RECORD_BYTES + (isNew ? open.header.length : 0);
    this.#bodies += group.length;
    for (const { bytes, items } of group) {
      this.#bytes += bytes.byteLength;
      this.#items += items;
    }
  }

  /**
   * Ends the segment. Null when it holds nothing (its files are gone then). Throws when the segment file still ends
   * behind its last durable byte and cannot be cut: call again later.
   */
  async seal(): Promise<SealedSegment | null> {
    const open = this.#open;
    if (open === null) return null;
    if (this.#longerThanDurable) await this.#cut(open);
    this.#open = null;
    await Promise.allSettled([this.#files.close(open.data), this.#files.close(open.index)]);
    const { name: _draw, replaces: _replaced, ...plan } = this.#plan;
    return {
      ...plan,
      name: this.#name,
      path: open.path,
      indexPath: open.indexPath,
      bytes: this.#bytes,
      bodies: this.#bodies,
      items: this.#items,
    };
  }

  async #create(): Promise<OpenFiles> {
    this.#name = this.#plan.name();
    const path = join(this.#dir, `${this.#name}.seg`);
    const indexPath = join(this.#dir, `${this.#name}.idx`);
    const { bytes: header, crc: headerCrc } = encodeHeader({ ...this.#plan, name: this.#name });
    const data = await this.#files.create(path);
    try {
      const index = await this.#files.create(indexPath);
      this.#open = { path, indexPath, data, index, header, headerCrc };
      return this.#open;
    } catch (error) {
      await Promise.allSettled([this.#files.close(data), this.#files.unlink(path)]);
      throw error;
    }
  }

  async #write(open: OpenFiles, group: readonly HashedBody[], isNew: boolean): Promise<void> {
    // The header first, once a segment: a process that dies here leaves no bytes that no header explains.
    if (isNew) await writeAll(this.#files, open.index, [open.header], 0);
    const recordsAt = isNew ? open.header.length : this.#indexBytes;
    const buffers = group.map((body) => body.bytes);
    await all([
      writeAll(this.#files, open.data, buffers, this.#bytes),
      // Checksums and hashes are computed while the bodies are on their way to the disk.
      this.#records(group, open.headerCrc).then((records) => writeAll(this.#files, open.index, [records], recordsAt)),
    ]);
  }

  async #records(group: readonly HashedBody[], seed: number): Promise<Buffer> {
    const records = Buffer.allocUnsafe(group.length * RECORD_BYTES);
    let offset = this.#bytes;
    let pauseAt = offset + HASH_CHUNK_BYTES;
    for (const [i, { bytes, items, hash }] of group.entries()) {
      const length = bytes.byteLength;
      if (offset > pauseAt) {
        await setImmediate();
        pauseAt = offset + HASH_CHUNK_BYTES;
      }
      const record = { offset, length, items, crc: crc32c(bytes), hash: hash ?? contentHash(bytes) };
      encodeRecord(records, i * RECORD_BYTES, record, seed);
      offset += length;
    }
    return records;
  }

  async #sync(open: OpenFiles, isNew: boolean): Promise<void> {
    const syncs = [this.#files.fdatasync(open.data), this.#files.fdatasync(open.index)];
    if (isNew) syncs.push(this.#files.syncDir(this.#dir));
    this.#syncs += syncs.length;
    await all(syncs);
  }

  /** Undoes a failed group. Never throws: what cannot be undone makes the segment unusable. */
  async #cutBack(open: OpenFiles, maySync: boolean): Promise<void> {
    if (this.#bodies === 0) {
      this.#open = null;
      await Promise.allSettled([this.#files.close(open.data), this.#files.close(open.index)]);
      await Promise.allSettled([this.#files.unlink(open.path), this.#files.unlink(open.indexPath)]);
      return;
    }
    try {
      await this.#cut(open);
      // The cut is made durable too: a refused tail that comes back after a power loss would change a loaded segment.
      if (maySync) await this.#sync(open, false);
    } catch {
      this.#usable = false;
    }
  }

  async #cut(open: OpenFiles): Promise<void> {
    this.#longerThanDurable = true;
    await this.#files.truncate(open.index, this.#indexBytes);
    await this.#files.truncate(open.data, this.#bytes);
    this.#longerThanDurable = false;
  }
}

/** Waits for every operation before it throws the first failure: none may still be writing when the files are cut. */
async function all(operations: Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(operations);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

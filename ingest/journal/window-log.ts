/**
 * The window of duplicates on disk. A segment's own index holds the hashes of its bodies until it is loaded and deleted; before
 * that, they are written here, one sync a segment, so that they outlive it. Files are thrown away whole once their newest entry is past its
 * time.
 *
 *     file    "HGJW", version u32, then records
 *     record  key 16 bytes, when the segment's first body arrived f64 (Unix ms), crc32c of the record u32, little endian
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import type { Clock } from '../../core/ports.ts';
import { type JournalFiles, writeAll } from './files.ts';

const MAGIC = 0x574a4748; // "HGJW"
const VERSION = 1;
const HEADER_BYTES = 8;
const RECORD_BYTES = 28;
const CRC_AT = RECORD_BYTES - 4;
const EXTENSION = '.dup';

export interface WindowEntry {
  key: Uint32Array;
  /** Unix ms. */
  atMs: number;
}

interface LogFile {
  path: string;
  newestMs: number;
}

interface OpenFile extends LogFile {
  fd: number;
  end: number;
  bornMs: number;
}

export class WindowLog {
  readonly #dir: string;
  readonly #files: JournalFiles;
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #nextName: () => string;
  #old: LogFile[] = [];
  #open: OpenFile | null = null;
  /** Writes run one after the other. */
  #turn: Promise<void> = Promise.resolve();

  /** `nextName` draws a file name that was never used in `dir`. */
  constructor(dir: string, files: JournalFiles, clock: Clock, keepMs: number, nextName: () => string) {
    this.#dir = dir;
    this.#files = files;
    this.#clock = clock;
    this.#keepMs = keepMs;
    this.#nextName = nextName;
  }

  /** Shows what earlier processes left, oldest file first; once, before the first `record`. Torn and foreign bytes are passed over. */
  async read(visit: (entry: WindowEntry) => void): Promise<void> {
    const names = (await readdir(this.#dir)).filter((name) => name.endsWith(EXTENSION));
    const read = async (name: string) => ({
      path: join(this.#dir, name),
      bytes: await readFile(join(this.#dir, name)),
    });
    const files = await Promise.all(names.map(read));
    for (const { path, bytes } of files.toSorted((a, b) => firstMs(a.bytes) - firstMs(b.bytes))) {
      let newestMs = 0;
      decode(bytes, (entry) => {
        newestMs = Math.max(newestMs, entry.atMs);
        visit(entry);
      });
      this.#old.push({ path, newestMs });
    }
  }

  /** Resolves when the entries are on disk. Throws what the file system throws; the next call starts a new file then. */
  record(entries: readonly WindowEntry[]): Promise<void> {
    const done = this.#turn.then(() => this.#record(entries));
    this.#turn = done.catch(() => {});
    return done;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#retire();
  }

  async #record(entries: readonly WindowEntry[]): Promise<void> {
    await this.#throwAway();
    const file = await this.#current();
    try {
      await writeAll(this.#files, file.fd, [encode(entries)], file.end);
      await this.#files.fdatasync(file.fd);
    } catch (error) {
      await this.#retire();
      throw error;
    }
    file.end += entries.length * RECORD_BYTES;
    for (const { atMs } of entries) file.newestMs = Math.max(file.newestMs, atMs);
  }

  /** The file that is written to; a new one eight times a window, so that little is kept past its time. */
  async #current(): Promise<OpenFile> {
    const bornMs = this.#clock.monotonicMs();
    if (this.#open !== null && bornMs - this.#open.bornMs < this.#keepMs / 8) return this.#open;
    await this.#retire();
    const path = join(this.#dir, `${this.#nextName()}${EXTENSION}`);
    const fd = await this.#files.create(path);
    this.#open = { path, newestMs: this.#clock.nowMs(), fd, end: HEADER_BYTES, bornMs };
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(MAGIC, 0);
    header.writeUInt32LE(VERSION, 4);
    try {
      await writeAll(this.#files, fd, [header], 0);
      await this.#files.syncDir(this.#dir);
    } catch (error) {
      await this.#retire();
      throw error;
    }
    return this.#open;
  }

  async #retire(): Promise<void> {
    const file = this.#open;
    if (file === null) return;
    this.#open = null;
    this.#old.push({ path: file.path, newestMs: file.newestMs });
    await Promise.allSettled([this.#files.close(file.fd)]);
  }

  /** A file that cannot be deleted is tried again at the next start: its entries are past their time. */
  async #throwAway(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const isOver = ({ newestMs }: LogFile): boolean => nowMs - newestMs > this.#keepMs;
    const over = this.#old.filter(isOver);
    this.#old = this.#old.filter((file) => !isOver(file));
    await Promise.allSettled(over.map(({ path }) => this.#files.unlink(path)));
  }
}

function encode(entries: readonly WindowEntry[]): Buffer {
  const bytes = Buffer.allocUnsafe(entries.length * RECORD_BYTES);
  entries.forEach(({ key, atMs }, i) => {
    const at = i * RECORD_BYTES;
    key.forEach((word, w) => bytes.writeUInt32LE(word, at + w * 4));
    bytes.writeDoubleLE(atMs, at + 16);
    bytes.writeUInt32LE(crc32c(bytes.subarray(at, at + CRC_AT)), at + CRC_AT);
  });
  return bytes;
}

function isOurs(bytes: Buffer): boolean {
  return bytes.length >= HEADER_BYTES && bytes.readUInt32LE(0) === MAGIC && bytes.readUInt32LE(4) === VERSION;
}

function firstMs(bytes: Buffer): number {
  return bytes.length < HEADER_BYTES + RECORD_BYTES ? 0 : bytes.readDoubleLE(HEADER_BYTES + 16);
}

/** `key` of what is visited is good for the call alone: there may be a million. */
function decode(bytes: Buffer, visit: (entry: WindowEntry) => void): void {
  if (!isOurs(bytes)) return;
  const key = new Uint32Array(4);
  for (let at = HEADER_BYTES; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
    if (crc32c(bytes.subarray(at, at + CRC_AT)) !== bytes.readUInt32LE(at + CRC_AT)) continue;
    for (let w = 0; w < key.length; w++) key[w] = bytes.readUInt32LE(at + w * 4);
    visit({ key, atMs: bytes.readDoubleLE(at + 16) });
  }
}

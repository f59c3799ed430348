/**
 * Which bodies became durable within the last ten minutes, so that a sender that repeats one, because the answer was lost, is acked and
 * not counted twice. Exporters give up on a body after five minutes at most.
 *
 * A key is the body's content hash mixed with its lane, so equal bytes of two teams are two bodies. Time is the
 * monotonic clock's while the process lives, so a step of the wall clock changes nothing. Over a restart only wall times
 * are left: those of an entry that lies in the future count as now (the window is wider by the time between two starts, and no more), and
 * a clock that was set forward shortens the window by its step.
 *
 * The window holds `maxKeys` bodies. More than that in ten minutes, and the oldest go early: counted, in `stats`.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Appended, Clock, Log, SegmentFormat } from '../../core/ports.ts';
import { decodeRecord, parseHeader, RECORD_BYTES } from './index-file.ts';
import { RecentKeys } from './recent-keys.ts';
import type { SealedSegment, WindowStats } from './types.ts';
import type { WindowEntry, WindowLog } from './window-log.ts';

/** How long a body is remembered. */
export const WINDOW_MS = 600_000;
/** At 56 bytes each, 56 MiB when full: 1,700 bodies a second for all of ten minutes. */
export const WINDOW_MAX_BODIES = 2 ** 20;

const WORDS = 4;

/** What distinguishes a lane, as long as a hash. */
export type LaneSalt = Uint32Array;

export class DuplicateWindow {
  readonly #keys: RecentKeys;
  readonly #underWay = new Map<string, Promise<Appended>>();
  readonly #log: WindowLog;
  readonly #clock: Clock;
  readonly #report: Log;
  #unrecordedSegments = 0;

  constructor(log: WindowLog, clock: Clock, report: Log, maxKeys: number) {
    this.#keys = new RecentKeys(WINDOW_MS, maxKeys);
    this.#log = log;
    this.#clock = clock;
    this.#report = report;
  }

  /** Takes over what earlier processes made durable: what the log holds, and what waits in sealed segments. Throws for an unreadable directory. */
  async recover(sealed: readonly SealedSegment[]): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const monotonicMs = this.#clock.monotonicMs();
    const adopt = ({ key, atMs }: WindowEntry): void => {
      const ageMs = Math.max(0, nowMs - atMs);
      if (ageMs < WINDOW_MS) this.#keys.add(key, monotonicMs - ageMs);
    };
    await this.#log.read(adopt);
    for (const segment of sealed) {
      await this.#entriesOf(segment).then(
        (found) => found.forEach(adopt),
        (error: unknown) => this.#report.warn({ err: error, segment: segment.name }, 'hashes could not be read'),
      );
    }
  }

  /** Whether the body is durable already. */
  has(key: Uint32Array): boolean {
    return this.#keys.has(key, this.#clock.monotonicMs());
  }

  /** The commit that makes the same body durable right now, if there is one. */
  underWay(key: Uint32Array): Promise<Appended> | undefined {
    return this.#underWay.get(textOf(key));
  }

  /** From now on the body is under way; once `commit` resolves it is remembered. Must be called before anybody else waits for `commit`. */
  begin(key: Uint32Array, commit: Promise<Appended>): void {
    const text = textOf(key);
    this.#underWay.set(text, commit);
    const end = (): boolean => this.#underWay.delete(text);
    commit.then(() => {
      end();
      this.#keys.add(key, this.#clock.monotonicMs());
    }, end);
  }

  /**
   * Called before a loaded segment is deleted: writes its hashes down for later starts. Bodies at the offsets of `unloaded` went to
   * quarantine instead of the store: they are forgotten, so that they can be sent again. Never rejects: without a record only
   * a restart forgets.
   */
  async loaded(segment: SealedSegment, unloaded: readonly number[]): Promise<void> {
    try {
      const entries = await this.#entriesOf(segment, unloaded);
      if (entries.length > 0) await this.#log.record(entries);
    } catch (error) {
      this.#unrecordedSegments++;
      this.#report.warn({ err: error, segment: segment.name }, 'hashes of a loaded segment could not be kept');
    }
  }

  stats(): WindowStats {
    return {
      bodies: this.#keys.size,
      evictedBodies: this.#keys.evicted,
      unrecordedSegments: this.#unrecordedSegments,
    };
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  /** Keys of a segment that is young enough to matter; its time is that of its first body. */
  async #entriesOf(segment: SealedSegment, unloaded: readonly number[] = []): Promise<WindowEntry[]> {
    const { signal, format, team, firstAppendMs } = segment;
    const isOver = this.#clock.nowMs() - firstAppendMs >= WINDOW_MS;
    if (!hasWindow(format) || (isOver && unloaded.length === 0)) return [];
    const index = await readFile(segment.indexPath);
    const header = parseHeader(index);
    if (!header.ok) throw new Error(`index of segment ${segment.name}: header ${header.reason}`);
    const salt = laneSalt(signal, format, team);
    const entries: WindowEntry[] = [];
    for (let at = header.bytes; at + RECORD_BYTES <= index.length; at += RECORD_BYTES) {
      const record = decodeRecord(index, at, header.crc);
      if (record === null) continue;
      const key = keyOf(salt, record.hash);
      if (unloaded.includes(record.offset)) this.#keys.forget(key);
      else if (!isOver) entries.push({ key, atMs: firstAppendMs });
    }
    return entries;
  }
}

/** Rows are made here and replaced by key in the store; only bodies of foreign senders are told apart by their bytes. */
export function hasWindow(format: SegmentFormat): boolean {
  return format === 'protobuf';
}

export function laneSalt(signal: string, format: SegmentFormat, team: string): LaneSalt {
  return wordsOf(
    createHash('sha256')
      .update(JSON.stringify([signal, format, team]))
      .digest(),
  );
}

/** The key of a body in a lane. `hash` is its content hash. */
export function keyOf(salt: LaneSalt, hash: Uint8Array): Uint32Array {
  const key = wordsOf(hash);
  for (let w = 0; w < WORDS; w++) key[w] = (key[w] as number) ^ (salt[w] as number);
  return key;
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, WORDS * 4);
  const words = new Uint32Array(WORDS);
  for (let w = 0; w < WORDS; w++) words[w] = view.getUint32(w * 4, true);
  return words;
}

function textOf(key: Uint32Array): string {
  return String.fromCharCode(...new Uint16Array(key.buffer, key.byteOffset, WORDS * 2));
}

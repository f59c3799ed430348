/**
 * How much more the journal may take: bytes that wait for the loader, bytes in memory, bytes free on the disk. It is what
 * slows senders down when the store or the disk is behind.
 */
import { HeliographError } from '../../core/errors.ts';
import type { Clock, Log } from '../../core/ports.ts';
import type { JournalFiles } from './files.ts';
import { DrainRate } from './drain-rate.ts';
import { errnoOf } from './files.ts';
import type { JournalRoom } from './types.ts';

const FREE_CHECK_INTERVAL_MS = 1000;
const TELL_INTERVAL_MS = 10_000;
const UNAVAILABLE_RETRY_SECONDS = 1;
const RETRY_MAX_SECONDS = 300;
/** Where it is not the loader that can make room. */
const RETRY_UNKNOWN_SECONDS = 60;
/** A disk that is full says nothing of how much is missing: as much again as this must have been loaded and deleted first. */
const FULL_DISK_BYTES = 16 * 1024 * 1024;

export interface RoomLimits {
  maxBacklogBytes: number;
  maxPendingBytes: number;
  minFreeBytes: number;
}

export class Room {
  readonly #dir: string;
  readonly #files: JournalFiles;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: RoomLimits;
  #backlogBytes = 0;
  #pendingBytes = 0;
  /** Of the body that was offered last: the next one is taken to be like it. */
  #offeredBytes = 1;
  #freeBytes = Number.POSITIVE_INFINITY;
  #freeCheckedMs = Number.NEGATIVE_INFINITY;
  /** The last refusal by the disk, until it takes a body again. */
  #refused: { error: HeliographError; atMs: number } | null = null;
  readonly #drain: DrainRate;
  #told = false;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(dir: string, files: JournalFiles, clock: Clock, log: Log, limits: RoomLimits) {
    this.#dir = dir;
    this.#files = files;
    this.#clock = clock;
    this.#log = log;
    this.#limits = limits;
    this.#drain = new DrainRate(clock.monotonicMs());
  }

  /** Body bytes that wait for the loader, what is not durable yet included. */
  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /** Takes `bytes` in, or answers why not. What was taken in is later `settled` or `refused`. */
  admit(bytes: number): HeliographError | null {
    this.#offeredBytes = bytes;
    const refusal = this.#refusal(bytes);
    if (refusal !== null) {
      this.#tell(refusal);
      return refusal;
    }
    this.#backlogBytes += bytes;
    this.#pendingBytes += bytes;
    return null;
  }

  #refusal(bytes: number): HeliographError | null {
    const { maxBacklogBytes, maxPendingBytes } = this.#limits;
    const over = this.#backlogBytes + bytes - maxBacklogBytes;
    if (over > 0) {
      const held = `The journal holds ${this.#backlogBytes} bytes that wait for the store; its limit is ${maxBacklogBytes}.`;
      return this.#full(held, over);
    }
    if (this.#pendingBytes + bytes > maxPendingBytes) {
      const held = `${this.#pendingBytes} bytes wait for the disk; the limit is ${maxPendingBytes}.`;
      return new HeliographError('journal_unavailable', held, { retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS });
    }
    return null;
  }

  /** `bytes` that were admitted are durable now. */
  settled(bytes: number): void {
    this.#pendingBytes -= bytes;
    this.#refused = null;
    if (!this.#told) return;
    this.#told = false;
    this.#log.info({}, 'the journal takes bodies again');
  }

  /** `bytes` that were admitted were refused after all. */
  refused(bytes: number, error: HeliographError): void {
    this.release(bytes);
    this.#refused = { error, atMs: this.#clock.monotonicMs() };
    this.#tell(error);
  }

  /** Logs the first refusal of a row, and no more than one in ten seconds: a full disk refuses thousands. */
  #tell(error: HeliographError): void {
    const now = this.#clock.monotonicMs();
    if (this.#told || now - this.#toldMs < TELL_INTERVAL_MS) return;
    this.#told = true;
    this.#toldMs = now;
    this.#log.error({ code: error.code, err: error.cause }, `the journal refuses bodies: ${error.message}`);
  }

  /** `bytes` that were admitted are not needed after all. */
  release(bytes: number): void {
    this.#pendingBytes -= bytes;
    this.#backlogBytes -= bytes;
  }

  /** Segments found at the start. */
  found(bytes: number): void {
    this.#backlogBytes += bytes;
  }

  /** A loaded segment is gone. */
  removed(bytes: number): void {
    this.#backlogBytes -= bytes;
    this.#drain.removed(bytes, this.#clock.monotonicMs());
  }

  drainBytesPerSecond(): number {
    return this.#drain.bytesPerSecond(this.#clock.monotonicMs());
  }

  /**
   * Whether the next body would be refused, as far as is known without writing one. A fault of the disk counts for ten seconds:
   * nobody may be sending.
   */
  state(): JournalRoom {
    if (this.#clock.monotonicMs() - this.#freeCheckedMs >= FREE_CHECK_INTERVAL_MS) void this.#readFree();
    const fault = this.#refused;
    const isFresh = fault !== null && this.#clock.monotonicMs() - fault.atMs < TELL_INTERVAL_MS;
    const refusal =
      this.#refusal(this.#offeredBytes) ?? this.#shortage(this.#offeredBytes) ?? (isFresh ? fault.error : null);
    const { maxBacklogBytes, minFreeBytes } = this.#limits;
    return {
      full: refusal?.message,
      retryAfterSeconds: refusal?.retryAfterSeconds ?? null,
      backlogLeftBytes: Math.max(0, maxBacklogBytes - this.#backlogBytes),
      maxBacklogBytes,
      freeBytes: Number.isFinite(this.#freeBytes) ? this.#freeBytes : null,
      minFreeBytes,
    };
  }

  /** Throws `journal_full` when writing `bytes` would leave less than the limit on the disk. Looks at most once a second. */
  async checkFree(bytes: number): Promise<void> {
    if (this.#limits.minFreeBytes === 0) return;
    if (this.#clock.monotonicMs() - this.#freeCheckedMs >= FREE_CHECK_INTERVAL_MS) await this.#readFree();
    const shortage = this.#shortage(bytes);
    if (shortage !== null) throw shortage;
    this.#freeBytes -= bytes;
  }

  async #readFree(): Promise<void> {
    this.#freeCheckedMs = this.#clock.monotonicMs();
    try {
      this.#freeBytes = await this.#files.freeBytes(this.#dir);
    } catch (error) {
      this.#freeBytes = Number.POSITIVE_INFINITY; // no answer is no reason to refuse: the write itself will tell
      this.#log.warn({ err: error }, 'the free space of the journal could not be read');
    }
  }

  #shortage(bytes: number): HeliographError | null {
    const { minFreeBytes } = this.#limits;
    const short = minFreeBytes + bytes - this.#freeBytes;
    if (minFreeBytes === 0 || short <= 0) return null;
    return this.#full(
      `The disk of the journal has ${this.#freeBytes} bytes free; ${minFreeBytes} must stay free.`,
      short,
    );
  }

  /** The error that `bytes` are refused with when the file system failed with `error`. */
  refusalFor(error: unknown, bytes: number): HeliographError {
    if (error instanceof HeliographError) return error;
    const errno = errnoOf(error);
    if (errno === 'ENOSPC' || errno === 'EDQUOT')
      return this.#full('The disk of the journal is full.', bytes + FULL_DISK_BYTES, error);
    return new HeliographError('journal_unavailable', `The journal could not write: ${errno || 'unknown error'}.`, {
      cause: error,
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
    });
  }

  #full(message: string, bytesOver: number, cause?: unknown): HeliographError {
    return new HeliographError('journal_full', message, { cause, retryAfterSeconds: this.#secondsFor(bytesOver) });
  }

  /** How long the loader needs for so many bytes, going by the last half minute. */
  #secondsFor(bytes: number): number {
    if (bytes > this.#backlogBytes) return RETRY_UNKNOWN_SECONDS;
    return Math.max(1, Math.min(RETRY_MAX_SECONDS, Math.ceil(bytes / this.drainBytesPerSecond())));
  }
}

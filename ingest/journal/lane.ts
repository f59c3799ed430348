/**
 * One lane: one signal, one format, one team. Bodies that arrive while a commit runs form the next group; one commit runs
 * at a time, lanes run beside each other.
 *
 * Bounds and segments: `bounds()` gives the bounds of the current segment, and `append()` puts the body there. When the
 * body does not fit any more, the segment is closed and the next one is opened with the same bounds, so a body judged by
 * `bounds()` in the same tick always lands in a segment with those bounds. Under steady load segments would inherit
 * bounds for ever; so `bounds()` itself starts a new segment once they are older than `BOUNDS_MAX_AGE_MS`.
 */
import { HeliographError } from '../../core/errors.ts';
import type { Appended, Clock, JournalLane, Log, SegmentFormat, TimeBounds, Timer } from '../../core/ports.ts';
import { checkBody } from './body.ts';
import type { Counters } from './counters.ts';
import type { JournalFiles } from './files.ts';
import type { Room } from './room.ts';
import { type HashedBody, SegmentWriter } from './segment-writer.ts';
import type { LoadSettings, SealedSegment } from './types.ts';

const HOUR_MS = 3_600_000;
const BOUNDS_MAX_AGE_MS = 10_000;
const CUT_RETRY_MS = 1000;
const HOLD_RECHECK_MS = 50;

export interface LaneDeps {
  dir: string;
  files: JournalFiles;
  clock: Clock;
  log: Log;
  room: Room;
  counters: Counters;
  segmentMaxBytes: number;
  segmentMaxEngineBytes: number;
  segmentMaxAgeMs: number;
  segmentHoldMs: number;
  segmentFillMs: number;
  /** Whether sealed segments wait for the loader. */
  loaderBehind: () => boolean;
  retentionMs: (signal: string) => number;
  loadSettings: LoadSettings;
  nextName: (signal: string) => string;
  /** Why appends are refused now, or null. */
  refusal: () => HeliographError | null;
  onSealed: (segment: SealedSegment) => void;
}

const STORED: Appended = { duplicate: false };

/** What segments share that judge bodies alike. */
export interface Frame {
  bounds: TimeBounds;
  openedMs: number;
  /** When the bounds were fixed, monotonic. */
  fixedAtMs: number;
}

interface Entry extends HashedBody {
  resolve: (appended: Appended) => void;
  reject: (error: HeliographError) => void;
}

interface LiveSegment extends Frame {
  /** Comes with the first body. */
  writer: SegmentWriter | null;
  firstAppendMs: number | null;
  pending: Entry[];
  /** Bytes durable, under way or pending. */
  assignedBytes: number;
  /** The same, unfolded by the engine. */
  engineBytes: number;
  closed: boolean;
  timer: Timer | null;
  /** Told when all of it is sealed or refused. */
  waiters: (() => void)[];
}

export class Lane implements JournalLane {
  readonly #deps: LaneDeps;
  readonly #signal: string;
  readonly #format: SegmentFormat;
  readonly #team: string;
  /** Oldest first. Only the last can be open for new bodies. */
  readonly #segments: LiveSegment[] = [];
  /** Closed segments whose file still ends behind the last durable byte. */
  readonly #uncut = new Set<LiveSegment>();
  #running = false;

  constructor(deps: LaneDeps, signal: string, format: SegmentFormat, team: string) {
    this.#deps = deps;
    this.#signal = signal;
    this.#format = format;
    this.#team = team;
  }

  bounds(): TimeBounds {
    const { clock, retentionMs } = this.#deps;
    const now = clock.monotonicMs();
    const current = this.#current();
    if (current !== null && now - current.fixedAtMs < BOUNDS_MAX_AGE_MS) return current.bounds;
    if (current !== null) this.#close(current);
    const openedMs = Math.trunc(clock.nowMs());
    const bounds = {
      loNs: BigInt(Math.max(0, Math.trunc(openedMs - retentionMs(this.#signal)))) * 1_000_000n,
      hiNs: BigInt(openedMs + HOUR_MS) * 1_000_000n,
    };
    return this.#open({ bounds, openedMs, fixedAtMs: now }).bounds;
  }

  /** The frame of the segment that `bounds()` spoke of; null where none is open. */
  frame(): Frame | null {
    return this.#current();
  }

  /** With a `frame`, the body lands in a segment of that frame, whatever has been opened since. */
  append(body: HashedBody, frame: Frame | null = null): Promise<Appended> {
    const { bytes, items, hash } = body;
    const length = bytes.byteLength;
    if (length === 0) return Promise.resolve(STORED); // nothing to keep
    const refusal =
      checkBody(bytes, this.#format, this.#deps.segmentMaxBytes) ??
      this.#deps.refusal() ??
      this.#deps.room.admit(length);
    if (refusal !== null) {
      this.#deps.counters.refused(1, refusal);
      return Promise.reject(refusal);
    }
    const { engineBytes = length } = body;
    const segment = this.#segmentFor(length, engineBytes, frame);
    segment.assignedBytes += length;
    segment.engineBytes += engineBytes;
    if (segment.firstAppendMs === null) this.#begin(segment);
    const done = new Promise<Appended>((resolve, reject) => {
      segment.pending.push({ bytes, items, hash, resolve, reject });
    });
    this.#kick();
    return done;
  }

  /** Closes the current segment; resolves when all that was appended before is sealed or refused. */
  async seal(): Promise<void> {
    const current = this.#current();
    if (current !== null) this.#close(current);
    const live = [...this.#segments, ...this.#uncut];
    await Promise.all(live.map((segment) => new Promise<void>((resolve) => segment.waiters.push(resolve))));
  }

  /** Segments with bodies that are not sealed yet. */
  depth(): { segments: number; oldestMs: number | null } {
    const live = [...this.#uncut, ...this.#segments].filter((segment) => segment.assignedBytes > 0);
    return { segments: live.length, oldestMs: live[0]?.firstAppendMs ?? null };
  }

  #current(): LiveSegment | null {
    const last = this.#segments.at(-1);
    return last === undefined || last.closed ? null : last;
  }

  #segmentFor(length: number, engineBytes: number, frame: Frame | null): LiveSegment {
    const current = this.#current();
    if (frame !== null && current?.bounds !== frame.bounds) {
      if (current !== null) this.#close(current);
      return this.#open(frame);
    }
    if (current === null) {
      this.bounds();
      return this.#segmentFor(length, engineBytes, frame);
    }
    const { segmentMaxBytes, segmentMaxEngineBytes } = this.#deps;
    const fits =
      current.assignedBytes + length <= segmentMaxBytes && current.engineBytes + engineBytes <= segmentMaxEngineBytes;
    // A body that is too much by itself still gets a segment: the door has bounded it.
    if (fits || current.assignedBytes === 0) return current;
    this.#close(current);
    return this.#open(current);
  }

  /** Opens a segment in memory; its files come with its first commit. */
  #open(like: Frame): LiveSegment {
    const { bounds, openedMs, fixedAtMs } = like;
    const segment: LiveSegment = {
      writer: null,
      bounds,
      openedMs,
      fixedAtMs,
      firstAppendMs: null,
      pending: [],
      assignedBytes: 0,
      engineBytes: 0,
      closed: false,
      timer: null,
      waiters: [],
    };
    this.#segments.push(segment);
    return segment;
  }

  #begin(segment: LiveSegment): void {
    const { clock, files, dir, loadSettings, nextName, segmentMaxAgeMs, segmentHoldMs, segmentFillMs } = this.#deps;
    const firstAppendMs = Math.trunc(clock.nowMs());
    segment.firstAppendMs = firstAppendMs;
    segment.writer = new SegmentWriter(files, dir, {
      name: () => nextName(this.#signal),
      signal: this.#signal,
      format: this.#format,
      team: this.#team,
      ...segment.bounds,
      openedMs: segment.openedMs,
      firstAppendMs,
      loadSettings,
    });
    segment.timer = clock.after(segmentMaxAgeMs, () => {
      const fillMs = this.#fillsSoon(segment) ? segmentFillMs : 0;
      const holdMs = Math.max(segmentHoldMs, fillMs);
      this.#age(segment, holdMs, holdMs - fillMs);
    });
  }

  /** Whether a segment that is due would be at least half full if it were given `segmentFillMs` more, going by how it has filled. */
  #fillsSoon({ assignedBytes }: LiveSegment): boolean {
    const { segmentMaxAgeMs, segmentFillMs, segmentMaxBytes } = this.#deps;
    return (
      segmentFillMs > 0 && (assignedBytes * (segmentMaxAgeMs + segmentFillMs)) / segmentMaxAgeMs >= segmentMaxBytes / 2
    );
  }

  /**
   * A larger segment loads cheaper. While the loader is behind, one that is handed to it later costs no freshness; while bodies come so fast
   * that the segment fills soon, it costs little, and is given until `holdLeftMs` has come down to `fillUntilMs`.
   */
  #age(segment: LiveSegment, holdLeftMs: number, fillUntilMs: number): void {
    const isHeld = holdLeftMs > fillUntilMs || this.#deps.loaderBehind();
    if (holdLeftMs < HOLD_RECHECK_MS || !isHeld) return this.#close(segment);
    segment.timer = this.#deps.clock.after(HOLD_RECHECK_MS, () =>
      this.#age(segment, holdLeftMs - HOLD_RECHECK_MS, fillUntilMs),
    );
  }

  #close(segment: LiveSegment): void {
    segment.closed = true;
    segment.timer?.cancel();
    this.#kick();
  }

  #kick(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // lets every body of this tick join the first group
    for (let segment = this.#segments[0]; segment !== undefined; segment = this.#segments[0]) {
      if (segment.writer !== null && segment.pending.length > 0) await this.#commit(segment, segment.writer);
      else if (segment.closed) await this.#seal(segment);
      else break;
    }
    this.#running = false;
  }

  async #commit(segment: LiveSegment, writer: SegmentWriter): Promise<void> {
    const { room, counters } = this.#deps;
    const group = segment.pending;
    segment.pending = [];
    const bytes = group.reduce((sum, entry) => sum + entry.bytes.byteLength, 0);
    const syncsBefore = writer.syncs;
    let refusal: HeliographError | null = null;
    try {
      await room.checkFree(bytes);
      await writer.commit(group);
    } catch (error) {
      refusal = room.refusalFor(error, bytes);
    }
    counters.synced(writer.syncs - syncsBefore);
    if (refusal === null) {
      room.settled(bytes);
      counters.committed(group);
      for (const entry of group) entry.resolve(STORED);
      return;
    }
    segment.assignedBytes -= bytes;
    room.refused(bytes, refusal);
    counters.refused(group.length, refusal);
    for (const entry of group) entry.reject(refusal);
    if (!writer.usable) this.#replace(segment, writer);
  }

  /** Moves what waits for a segment that can no longer be written to a fresh one with the same bounds, right behind it. */
  #replace(segment: LiveSegment, writer: SegmentWriter): void {
    const wasCurrent = this.#current() === segment;
    const next = this.#open(segment);
    this.#segments.pop();
    this.#segments.splice(1, 0, next);
    next.pending = segment.pending;
    next.assignedBytes = segment.assignedBytes - writer.bytes;
    next.engineBytes = segment.engineBytes;
    segment.pending = [];
    segment.assignedBytes = writer.bytes;
    if (next.pending.length > 0) {
      this.#begin(next);
      next.waiters = segment.waiters;
      segment.waiters = [];
    }
    this.#close(segment);
    if (!wasCurrent) this.#close(next);
  }

  /** Takes a closed segment off the lane. Until then it is waited for and counted. */
  async #seal(segment: LiveSegment): Promise<void> {
    const { clock, log, onSealed } = this.#deps;
    try {
      const sealed = (await segment.writer?.seal()) ?? null;
      if (!this.#uncut.delete(segment)) this.#segments.shift();
      if (sealed !== null) onSealed(sealed);
      for (const tell of segment.waiters) tell();
    } catch (error) {
      // The loader must never see bytes behind the last durable one; the next start would cut them by the index.
      if (!this.#uncut.has(segment)) {
        log.error({ err: error }, 'a segment cannot be cut to its durable length; it waits');
        this.#segments.shift();
        this.#uncut.add(segment);
      }
      clock.after(CUT_RETRY_MS, () => void this.#seal(segment));
    }
  }
}

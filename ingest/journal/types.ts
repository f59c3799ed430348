/** The words of the journal: what is asked of it, what it hands out, what it counts. */
import type { Clock, Journal, Log, SegmentFormat } from '../../core/ports.ts';
import type { JournalFiles } from './files.ts';

/** Block settings pinned to a segment: the engine must load it again with the very same ones. */
export type LoadSettings = Record<string, string | number>;

/** A segment that nobody writes to any more. `name` is also its deduplication token. */
export interface SealedSegment {
  readonly name: string;
  /** Holds exactly `bytes` bytes: the bodies, end to end. */
  readonly path: string;
  readonly indexPath: string;
  readonly signal: string;
  readonly format: SegmentFormat;
  readonly team: string;
  /** Accepted start times, inclusive, Unix nanoseconds. */
  readonly loNs: bigint;
  readonly hiNs: bigint;
  /** When the bounds were fixed, Unix ms. */
  readonly openedMs: number;
  /** When its first body arrived, Unix ms: freshness counts from here. */
  readonly firstAppendMs: number;
  readonly bytes: number;
  readonly bodies: number;
  readonly items: number;
  readonly loadSettings: LoadSettings;
}

/** One body read back from a sealed segment. A damaged one has `crcOk: false`; its `items` may be unknown (0). */
export interface StoredBody {
  offset: number;
  length: number;
  items: number;
  crcOk: boolean;
  bytes: Buffer;
}

export interface JournalOptions {
  /** A segment never grows over this, and no body may be larger. */
  segmentMaxBytes?: number;
  /** A segment takes no further body that would bring its `engineBytes` over this: the engine unfolds it in memory, whole. */
  segmentMaxEngineBytes?: number;
  /** A segment is sealed at most this long after its first body (and the commit then under way). */
  segmentMaxAgeMs?: number;
  /** How much longer an aged segment may stay open, and grow, while sealed ones wait for the loader; 0 by default. */
  segmentHoldMs?: number;
  /** How much longer an aged segment that fills fast may stay open and grow, even where the loader keeps up; 0 by default. */
  segmentFillMs?: number;
  /** Body bytes waiting for the loader, open segments included; above it appends are refused. */
  maxBacklogBytes?: number;
  /** Body bytes in memory that are not durable yet; above it appends are refused, so a stalled disk cannot eat the heap. */
  maxPendingBytes?: number;
  /** Bodies remembered for telling a repeated one; a million by default. */
  maxWindowBodies?: number;
  /** Appends are refused while the file system has less than this left; 0: until it is full. */
  minFreeBytes?: number;
  /** How far back a start time may lie, per signal. */
  retentionMs: (signal: string) => number;
  loadSettings: LoadSettings;
}

export interface JournalDeps {
  /** Created when missing, mode 0700. The caller holds the data directory's lock: a second journal here would cut live segments. */
  dir: string;
  clock: Clock;
  log: Log;
  /** `count` random bytes; the machine's by default. */
  random?: (count: number) => Uint8Array;
  /** The file system; the machine's by default. */
  files?: JournalFiles;
  options: JournalOptions;
}

/** What was found in the directory at the start. */
export interface RecoveryReport {
  /** Sealed segments taken over. */
  segments: number;
  bodies: number;
  /** Bytes behind the last intact body that no ack stood for. */
  bytesCut: number;
  /** Damaged pieces moved to quarantine, each with its reason. */
  quarantined: number;
  /** Segments that could not be read or mended now; untouched on disk, tried again at the next start. */
  left: number;
}

/** Counts since the start. */
export interface JournalCounts {
  bodies: number;
  items: number;
  bytes: number;
  /** Group commits that succeeded. */
  commits: number;
  /** fdatasync and directory fsync calls. */
  syncs: number;
  /** Bodies refused, by error code. */
  refused: Readonly<Record<'journal_full' | 'journal_unavailable' | 'shutting_down', number>>;
  /** Bodies acked because the same bytes had been stored before; in none of the sums above. */
  duplicateBodies: number;
  duplicateBytes: number;
}

/** What is remembered for telling a repeated body. */
export interface WindowStats {
  /** Bodies remembered now. */
  bodies: number;
  /** Bodies that were forgotten before their time because the window was full. */
  evictedBodies: number;
  /** Loaded segments whose bodies a restart forgets, as they could not be written down. */
  unrecordedSegments: number;
}

/** For metrics and for people. */
export interface JournalStats extends JournalCounts {
  window: WindowStats;
  /** Bytes a second that the loader took off the journal, over the last half minute or so. */
  drainBytesPerSecond: number;
}

/** Whether bodies are taken in, and how much more. */
export interface JournalRoom {
  /** Why appends are refused now, for people; undefined when they are not. */
  full: string | undefined;
  /** Seconds after which a refused sender should try again; null while nothing is refused. */
  retryAfterSeconds: number | null;
  /** Body bytes that may still wait for the store. */
  backlogLeftBytes: number;
  maxBacklogBytes: number;
  /** Bytes free on the disk, as of at most a second before the last commit; null where it was not looked at yet. */
  freeBytes: number | null;
  minFreeBytes: number;
}

export interface JournalDepth {
  segments: number;
  bytes: number;
  /** When the oldest waiting body arrived, Unix ms; null when nothing waits. */
  oldestMs: number | null;
}

/** The journal on this machine's disk. */
export interface DiskJournal extends Journal {
  readonly recovered: RecoveryReport;
  /** Where damaged bytes go; `quarantine()` and `listQuarantine()` take it. */
  readonly quarantineDir: string;
  /** Sealed segments that wait for the loader, oldest first. */
  sealed(): SealedSegment[];
  /** Tells the listener of every segment sealed from now on; returns the way to unsubscribe. */
  onSealed(listener: (segment: SealedSegment) => void): () => void;
  /** Seals every open segment now; resolves when what was appended before the call is sealed or refused. */
  sealAll(): Promise<void>;
  /** Reads a segment body by body, for bisecting. Throws what the file system throws. */
  readBodies(segment: SealedSegment): AsyncIterable<StoredBody>;
  /**
   * Deletes a loaded segment. A name that is gone already is no error. `unloaded`: offsets of bodies that went to quarantine, which
   * may be sent again.
   */
  remove(name: string, unloaded?: readonly number[]): Promise<void>;
  /** What waits for the loader, open segments included. */
  depth(): JournalDepth;
  stats(): JournalStats;
  room(): JournalRoom;
  /** Refuses new appends, finishes the commits, seals. False when the deadline came first (what was acked is safe all the same). */
  close(deadlineMs: number): Promise<boolean>;
}

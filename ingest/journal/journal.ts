/**
 * The journal on this machine's disk: append, make durable, then ack. DESIGN section 1 has the road, index-file.ts the
 * layout, lane.ts the commits, recover-pair.ts what becomes of what a crash left.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { HeliographError } from '../../core/errors.ts';
import type { Clock, JournalLane, Log, SegmentFormat } from '../../core/ports.ts';
import { Counters } from './counters.ts';
import {
  DuplicateWindow,
  hasWindow,
  type LaneSalt,
  laneSalt,
  WINDOW_MAX_BODIES,
  WINDOW_MS,
} from './duplicate-window.ts';
import { type JournalFiles, machineFiles } from './files.ts';
import { Lane, type LaneDeps } from './lane.ts';
import { OnceLane } from './once-lane.ts';
import { readBodies } from './read-bodies.ts';
import { recover } from './recover.ts';
import { removePair } from './recover-pair.ts';
import { Room } from './room.ts';
import type {
  DiskJournal,
  JournalDepth,
  JournalDeps,
  JournalOptions,
  JournalRoom,
  JournalStats,
  RecoveryReport,
  SealedSegment,
  StoredBody,
} from './types.ts';
import { WindowLog } from './window-log.ts';

const MIB = 1024 * 1024;
/** Sealed segments that a loader has under way when it keeps up. */
const LOADER_KEEPS_UP_SEGMENTS = 1;
const BOOT_BYTES = 8;
const SIGNAL = /^[a-z][a-z0-9_]{0,63}$/;

const DEFAULTS = {
  segmentMaxBytes: 16 * MIB,
  segmentMaxEngineBytes: 160 * MIB,
  segmentMaxAgeMs: 500,
  segmentHoldMs: 0,
  segmentFillMs: 0,
  maxBacklogBytes: 8192 * MIB,
  maxPendingBytes: 128 * MIB,
  minFreeBytes: 512 * MIB,
  maxWindowBodies: WINDOW_MAX_BODIES,
};

/**
 * Opens the journal in `dir` and takes over what an earlier process left there. Throws a RangeError for an option that
 * breaks a rule, and what the file system throws when the directory cannot be made or read.
 */
export async function createJournal(deps: JournalDeps): Promise<DiskJournal> {
  const { clock, log, random = randomBytes, files = machineFiles } = deps;
  const dir = resolve(deps.dir);
  const options = { ...DEFAULTS, ...deps.options };
  checkOptions(options);
  await makeDir(dir, files);
  const nextName = names(await bootId(dir, random));
  const quarantineDir = join(dir, 'quarantine');
  const { sealed, report } = await recover({ dir, quarantineDir, files, log, nextName });
  const windowLog = new WindowLog(dir, files, clock, WINDOW_MS, () => nextName('window'));
  const window = new DuplicateWindow(windowLog, clock, log, options.maxWindowBodies);
  await window.recover(sealed);
  return new OnDiskJournal({ dir, quarantineDir, files, clock, log, nextName, options, window }, sealed, report);
}

interface Parts {
  dir: string;
  quarantineDir: string;
  files: JournalFiles;
  clock: Clock;
  log: Log;
  nextName: (signal: string) => string;
  options: Required<JournalOptions>;
  window: DuplicateWindow;
}

class OnDiskJournal implements DiskJournal {
  readonly recovered: RecoveryReport;
  readonly quarantineDir: string;
  readonly readBodies: (segment: SealedSegment) => AsyncIterable<StoredBody> = readBodies;
  readonly #parts: Parts;
  readonly #room: Room;
  readonly #counters = new Counters();
  /** Oldest first: recovered ones by age, then in the order of sealing. */
  readonly #sealed: Map<string, SealedSegment>;
  readonly #lanes = new Map<string, { lane: Lane; door: JournalLane }>();
  readonly #listeners = new Set<(segment: SealedSegment) => void>();
  #closing = false;

  constructor(parts: Parts, recovered: SealedSegment[], report: RecoveryReport) {
    const { dir, files, clock, log, options } = parts;
    this.#parts = parts;
    this.recovered = report;
    this.quarantineDir = parts.quarantineDir;
    this.#room = new Room(dir, files, clock, log, options);
    this.#sealed = new Map(recovered.map((segment) => [segment.name, segment]));
    for (const segment of recovered) this.#room.found(segment.bytes);
  }

  lane(signal: string, format: SegmentFormat, team: string): JournalLane {
    if (!SIGNAL.test(signal)) throw new RangeError(`signal ${JSON.stringify(signal)}: must match ${SIGNAL.source}`);
    const key = JSON.stringify([signal, format, team]);
    const known = this.#lanes.get(key);
    if (known !== undefined) return known.door;
    const lane = new Lane(this.#laneDeps(), signal, format, team);
    const door = hasWindow(format) ? this.#once(lane, laneSalt(signal, format, team)) : lane;
    this.#lanes.set(key, { lane, door });
    return door;
  }

  #once(lane: Lane, salt: LaneSalt): JournalLane {
    const { window, options } = this.#parts;
    const { segmentMaxBytes } = options;
    return new OnceLane(lane, { window, salt, room: this.#room, counters: this.#counters, segmentMaxBytes });
  }

  sealed(): SealedSegment[] {
    return [...this.#sealed.values()];
  }

  onSealed(listener: (segment: SealedSegment) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async sealAll(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(({ lane }) => lane.seal()));
  }

  async remove(name: string, unloaded: readonly number[] = []): Promise<void> {
    const segment = this.#sealed.get(name);
    if (segment === undefined) return;
    await this.#parts.window.loaded(segment, unloaded);
    await removePair(this.#parts.files, this.#parts.dir, name);
    if (this.#sealed.delete(name)) this.#room.removed(segment.bytes);
  }

  depth(): JournalDepth {
    const depth: JournalDepth = { segments: this.#sealed.size, bytes: this.#room.backlogBytes, oldestMs: null };
    const older = (ms: number | null) => {
      if (ms !== null && (depth.oldestMs === null || ms < depth.oldestMs)) depth.oldestMs = ms;
    };
    for (const segment of this.#sealed.values()) older(segment.firstAppendMs);
    for (const { lane } of this.#lanes.values()) {
      const { segments, oldestMs } = lane.depth();
      depth.segments += segments;
      older(oldestMs);
    }
    return depth;
  }

  stats(): JournalStats {
    return {
      ...this.#counters.snapshot(),
      window: this.#parts.window.stats(),
      drainBytesPerSecond: this.#room.drainBytesPerSecond(),
    };
  }

  room(): JournalRoom {
    return this.#room.state();
  }

  close(deadlineMs: number): Promise<boolean> {
    const { clock, log, window } = this.#parts;
    this.#closing = true;
    return new Promise((settle, fail) => {
      const timer = clock.after(deadlineMs, () => {
        log.warn({ deadlineMs }, 'the journal could not seal everything in time; the next start takes it over');
        settle(false);
      });
      this.sealAll()
        .then(() => window.close())
        .then(() => {
          timer.cancel();
          settle(true);
        }, fail);
    });
  }

  #laneDeps(): LaneDeps {
    const { dir, files, clock, log, nextName, options } = this.#parts;
    return {
      dir,
      files,
      clock,
      log,
      nextName,
      room: this.#room,
      counters: this.#counters,
      segmentMaxBytes: options.segmentMaxBytes,
      segmentMaxEngineBytes: options.segmentMaxEngineBytes,
      segmentMaxAgeMs: options.segmentMaxAgeMs,
      segmentHoldMs: options.segmentHoldMs,
      segmentFillMs: options.segmentFillMs,
      loaderBehind: () => this.#sealed.size > LOADER_KEEPS_UP_SEGMENTS,
      retentionMs: options.retentionMs,
      loadSettings: options.loadSettings,
      refusal: () => (this.#closing ? new HeliographError('shutting_down', undefined, { retryAfterSeconds: 1 }) : null),
      onSealed: (segment) => this.#tell(segment),
    };
  }

  #tell(segment: SealedSegment): void {
    this.#sealed.set(segment.name, segment);
    for (const listener of this.#listeners) {
      try {
        listener(segment);
      } catch (error) {
        this.#parts.log.error({ err: error, segment: segment.name }, 'a listener for sealed segments failed');
      }
    }
  }
}

/** Names are `<boot>-<signal>-<sequence>`; the boot id is drawn per start, so a name, which is a token, never comes back. */
function names(boot: string): (signal: string) => string {
  let sequence = 0;
  return (signal) => `${boot}-${signal}-${String(++sequence).padStart(10, '0')}`;
}

async function bootId(dir: string, random: (count: number) => Uint8Array): Promise<string> {
  const taken = await readdir(dir);
  for (;;) {
    const boot = Buffer.from(random(BOOT_BYTES)).toString('hex');
    if (!taken.some((file) => file.startsWith(boot))) return boot;
  }
}

/** Makes the directory and makes its name durable, and those of the parents that had to be made with it. */
async function makeDir(dir: string, files: JournalFiles): Promise<void> {
  const created = await mkdir(dir, { recursive: true, mode: 0o700 });
  if (created === undefined) return;
  for (let path = dir; path.length >= created.length; path = dirname(path)) await files.syncDir(dirname(path));
}

function checkOptions(options: typeof DEFAULTS): void {
  for (const key of [
    'segmentMaxBytes',
    'segmentMaxAgeMs',
    'maxBacklogBytes',
    'maxPendingBytes',
    'maxWindowBodies',
  ] as const) {
    if (!(options[key] > 0)) throw new RangeError(`journal option ${key}: must be above 0, got ${options[key]}`);
  }
  const { minFreeBytes } = options;
  if (!(minFreeBytes >= 0))
    throw new RangeError(`journal option minFreeBytes: must not be below 0, got ${minFreeBytes}`);
}

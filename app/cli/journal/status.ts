/** The journal's status as lines for a person. */
import type { JournalStatus } from '../../http/journal.ts';
import type { DirectoryStatus } from './directory.ts';

/** `instance` is the address that answered; null where the data directory was read. */
export type StatusParts = ({ instance: string } & JournalStatus) | ({ instance: null; dir: string } & DirectoryStatus);

export function statusLines(parts: StatusParts, nowMs: number): string {
  const facts = parts.instance === null ? ofDirectory(parts, nowMs) : ofInstance(parts, nowMs);
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  return facts.map(([name, value]) => `${name.padEnd(width)}${value}\n`).join('');
}

type Fact = [string, string];

function ofInstance(status: Extract<StatusParts, { instance: string }>, nowMs: number): Fact[] {
  const { depth, stats, room, quarantine } = status;
  const { bodies, evictedBodies } = stats.window;
  const free =
    room.freeBytes === null ? 'not looked at yet' : `${size(room.freeBytes)} free, ${size(room.minFreeBytes)} are kept`;
  const early = evictedBodies === 0 ? '' : `; ${evictedBodies} were forgotten early`;
  return [
    ['instance', status.instance],
    [
      'takes bodies',
      room.full === null ? 'yes' : `no: ${room.full} Senders are told to wait ${room.retryAfterSeconds} s.`,
    ],
    [
      'waiting',
      `${depth.segments} segments, ${size(depth.bytes)} of ${size(room.maxBacklogBytes)}${ageText(depth.oldestMs, nowMs)}`,
    ],
    ['drain', `${size(stats.drainBytesPerSecond)} a second lately`],
    ['disk', free],
    ['since the start', `${stats.bodies} bodies, ${stats.items} items, ${size(stats.bytes)}, ${stats.commits} commits`],
    [
      'duplicates',
      `${stats.duplicateBodies} acked and not stored again; ${bodies} bodies of the last ten minutes remembered${early}`,
    ],
    ['quarantine', `${quarantineText(quarantine)}, ${quarantine.droppedItems} dropped for want of room`],
  ];
}

function ofDirectory(status: Extract<StatusParts, { instance: null }>, nowMs: number): Fact[] {
  return [
    ['instance', 'none answers; this is what lies on disk'],
    ['directory', status.dir],
    ['waiting', `${status.segments} segments, ${size(status.bytes)}${ageText(status.oldestMs, nowMs)}`],
    ['duplicates', `${status.windowFiles} files of the last ten minutes`],
    ['quarantine', quarantineText(status.quarantine)],
  ];
}

function quarantineText({ items, bytes, replayedItems }: DirectoryStatus['quarantine']): string {
  return `${items} bodies, ${size(bytes)}, ${replayedItems} replayed`;
}

function ageText(oldestMs: number | null, nowMs: number): string {
  return oldestMs === null ? '' : `, the oldest for ${Math.max(0, Math.round((nowMs - oldestMs) / 1000))} s`;
}

function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const value = bytes / 1024 ** step;
  return `${step === 0 ? Math.round(value) : value.toFixed(1)} ${units[step]}`;
}

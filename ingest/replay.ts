/**
 * Sends a quarantined body through the journal again. Everything that could keep it from being stored once is looked at first; then the
 * append is an ordinary one, with the window of duplicates behind it.
 */
import { readFile } from 'node:fs/promises';
import type { Clock, Log, OtlpCollector } from '../core/ports.ts';
import { WINDOW_MS } from './journal/duplicate-window.ts';
import { type QuarantineEntry, writeReason } from './journal/quarantine.ts';
import { findQuarantined, shelveReplayed } from './journal/quarantine-shelf.ts';
import type { DiskJournal } from './journal/types.ts';

export interface ReplayDeps {
  quarantineDir: string;
  journal: Pick<DiskJournal, 'lane' | 'sealed'>;
  collectors: readonly OtlpCollector[];
  /** Why the store would refuse the bytes again, going by a reading that stores nothing; undefined where it would not, or cannot tell. */
  trial(signal: string, path: string): Promise<string | undefined>;
  clock: Clock;
  log: Log;
}

export interface Replay {
  id: string;
  /** `unknown`: no such item. `refused`: nothing was sent, and the reason says why. */
  outcome: 'replayed' | 'already_replayed' | 'refused' | 'unknown';
  /** For people. */
  reason: string;
  /** Spans or rows stored by this replay. */
  items: number;
}

/** `anyway`: also where an earlier replay was cut short and nobody can tell whether it was stored. Throws what the journal throws. */
export type ReplayOne = (id: string, anyway: boolean) => Promise<Replay>;

export function createReplay(deps: ReplayDeps): ReplayOne {
  const underWay = new Map<string, Promise<Replay>>();
  return (id, anyway) => {
    const running = underWay.get(id);
    if (running !== undefined) return running;
    const done = replay(deps, id, anyway).finally(() => underWay.delete(id));
    underWay.set(id, done);
    return done;
  };
}

async function replay(deps: ReplayDeps, id: string, anyway: boolean): Promise<Replay> {
  const found = await findQuarantined(deps.quarantineDir, id);
  const refused = (reason: string): Replay => ({ id, outcome: 'refused', reason, items: 0 });
  if (found === undefined) return { id, outcome: 'unknown', reason: 'nothing of that name is in quarantine', items: 0 };
  if (found.isReplayed) {
    return { id, outcome: 'already_replayed', reason: 'it was replayed before and is stored', items: 0 };
  }
  const { entry } = found;
  const obstacle = obstacleOf(entry, deps.clock.nowMs(), anyway);
  if (obstacle !== undefined) return refused(obstacle);
  // Until then the window of duplicates would take the body for one that is stored.
  if (deps.journal.sealed().some(({ name }) => name === entry.segment))
    return refused('its segment is being loaded; try again in a moment');
  const bytes = await readFile(entry.path);
  const { format = 'protobuf', team = '' } = entry;
  const signal = entry.signal ?? '';
  const refusal = await deps.trial(signal, entry.path);
  if (refusal !== undefined) return refused(`the store would refuse it again: ${refusal}`);
  const lane = deps.journal.lane(signal, format, team);
  if (format === 'protobuf') {
    const verdict = judge(deps, signal, bytes, lane.bounds());
    if ('obstacle' in verdict) return refused(verdict.obstacle);
  }
  await writeReason(deps.quarantineDir, { ...entry, replayingMs: deps.clock.nowMs() });
  // Judged again in the tick of the append: the bounds may have moved while the mark was written.
  const verdict =
    format === 'protobuf'
      ? judge(deps, signal, bytes, lane.bounds())
      : { items: entry.items ?? 0, engineBytes: bytes.length };
  if ('obstacle' in verdict) return refused(verdict.obstacle);
  const { duplicate } = await lane.append({ bytes, ...verdict });
  await shelveReplayed(deps.quarantineDir, id);
  deps.log.info({ id, signal, team, items: verdict.items, duplicate }, 'quarantined body replayed');
  if (!duplicate) return { id, outcome: 'replayed', reason: '', items: verdict.items };
  return {
    id,
    outcome: 'already_replayed',
    reason: 'the same bytes were stored within the last ten minutes',
    items: 0,
  };
}

/** Why an item cannot be replayed, by what is known of it. */
function obstacleOf(entry: QuarantineEntry, nowMs: number, anyway: boolean): string | undefined {
  const { kind, bytes, signal, replayingMs } = entry;
  if (bytes === null) return 'its bytes are not there';
  if (kind === 'sample') {
    return 'it is a sample: what was accepted of it was stored when it came, and what was rejected would be rejected again';
  }
  if (kind !== 'unloaded' || signal === null) return 'its bytes were damaged on disk: they are not what was acked';
  const isUncertain = replayingMs !== undefined && nowMs - replayingMs >= WINDOW_MS;
  if (!isUncertain || anyway) return undefined;
  return `a replay of ${new Date(replayingMs).toISOString()} was cut short and may have been stored: look, then replay it with --anyway or drop it`;
}

function judge(
  { collectors }: ReplayDeps,
  signal: string,
  bytes: Buffer,
  bounds: Parameters<OtlpCollector['walk']>[1],
): { items: number; engineBytes: number } | { obstacle: string } {
  const collector = collectors.find((each) => each.signal === signal);
  if (collector === undefined) return { obstacle: `no collector takes ${signal}` };
  const walk = collector.walk(bytes, bounds);
  if (!walk.ok) return { obstacle: `broken protobuf at byte ${walk.offset}: ${walk.rule}` };
  const items = walk.spans - walk.rejectedTotal;
  if (items > 0) return { items, engineBytes: bytes.length + walk.copiedBytes };
  return { obstacle: `every item in it would be rejected now: ${collector.rejectMessage(walk.rejected)}` };
}

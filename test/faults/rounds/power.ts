/**
 * Loss of power: the real door, journal and loader write through a file system that knows what was synced; at a random moment
 * everything else is dropped, torn or left as holes, and what remains is opened as the journal of a machine that starts again,
 * beside the store as it is. The store's own promise is held by the settings of its tables.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { OTLP_COLLECTORS, REWRITERS } from '../../../collectors/index.ts';
import { systemClock } from '../../../core/clock.ts';
import type { Store } from '../../../core/ports.ts';
import { createLedger } from '../../../ingest/doors/ledger.ts';
import { createReceiver, type Receive } from '../../../ingest/doors/receive.ts';
import { createJournal } from '../../../ingest/journal/journal.ts';
import type { JournalFiles } from '../../../ingest/journal/files.ts';
import type { DiskJournal, SealedSegment } from '../../../ingest/journal/types.ts';
import { loadSegment } from '../../../ingest/loader/load-segment.ts';
import { PINNED_BLOCK_SETTINGS } from '../../../store/load.ts';
import { RecordingFiles } from '../../ingest/journal/recording-files.ts';
import { quietLog } from '../../support/quiet-log.ts';
import { seeded } from '../../support/seeded.ts';
import { type Fault, numberingOf, type Round } from './fault.ts';
import type { SentBody } from './load.ts';
import { numberedBody } from './numbered.ts';
import { reckon } from './reckoning.ts';
import { sleep } from './station.ts';

const DAY_MS = 86_400_000;
const SENDERS = 4;

function openJournal(dir: string, files?: JournalFiles): Promise<DiskJournal> {
  return createJournal({
    dir,
    clock: systemClock,
    log: quietLog,
    ...(files === undefined ? {} : { files }),
    options: {
      segmentMaxBytes: 120_000,
      segmentMaxAgeMs: 60,
      minFreeBytes: 0,
      retentionMs: () => 14 * DAY_MS,
      loadSettings: { ...PINNED_BLOCK_SETTINGS },
    },
  });
}

function door(journal: DiskJournal): Receive {
  return createReceiver({
    door: 'otlp_http',
    rewrite: async (signal, format, bytes) => {
      const rewriter = REWRITERS[signal]?.[format];
      if (rewriter === undefined) throw new Error(`no rewriter for ${format} of ${signal}`);
      return rewriter(bytes, 16 * 1024 * 1024);
    },
    journal,
    ledger: createLedger(systemClock, quietLog),
    keepRejected: () => undefined,
  });
}

/** Loads what is sealed, oldest first, until told to stop; resolves when it has. */
async function loadUntil(journal: DiskJournal, store: Store, scratchDir: string, over: () => boolean): Promise<void> {
  const load = async (segment: SealedSegment): Promise<void> => {
    const quarantine = async (): Promise<void> => {
      throw new Error(`a body of ${segment.name} cannot be parsed`);
    };
    const deps = { store, readBodies: journal.readBodies, quarantine, scratchDir, clock: systemClock, log: quietLog };
    await loadSegment(deps as Parameters<typeof loadSegment>[0], segment, new AbortController().signal);
  };
  while (!over()) {
    const [segment] = journal.sealed();
    if (segment === undefined) await sleep(5);
    else {
      await load(segment);
      if (!over()) await journal.remove(segment.name);
    }
  }
}

async function cutUnderLoad(round: Round, store: Store, dir: string): Promise<SentBody[]> {
  const files = new RecordingFiles();
  mkdirSync(join(dir, 'before'), { mode: 0o700 });
  const journal = await openJournal(join(dir, 'before'), files);
  const receive = door(journal);
  const [traces] = OTLP_COLLECTORS;
  if (traces === undefined) throw new Error('no collector of traces');
  const bodies: SentBody[] = [];
  let over = false;
  const send = async (index: number): Promise<void> => {
    const draw = seeded(round.seed + index + 1);
    while (!over) {
      const body: SentBody = {
        ...numberedBody(numberingOf(round), bodies.length + 1, draw),
        fate: 'unanswered',
        accepted: 0,
        attempts: 1,
      };
      bodies.push(body);
      const bytes = body.gzip ? gunzipSync(body.wire) : body.wire;
      const { rejectedSpans } = await receive(traces, {
        bytes,

        format: 'protobuf',
        sender: { team: '', key: '' },
      });
      if (over) return; // its ack left a machine that had no power
      body.fate = 'acked';
      body.accepted = body.spans - rejectedSpans;
      await sleep(draw.below(8));
    }
  };
  const senders = Array.from({ length: SENDERS }, (_, index) => send(index));
  const loader = loadUntil(journal, store, dir, () => over);
  await sleep(round.draw.between(150, 1500));
  // Between two ticks, so that acks and files are of one moment.
  over = true;
  const keepsNothing = round.draw.chance(0.2);
  files.afterPowerLoss(join(dir, 'after'), keepsNothing ? () => 0 : round.draw.unit);
  await Promise.all([...senders, loader]);
  await journal.close(5000);
  return bodies;
}

/** Tables that the loader fills and that would not be synced; the store's part of the promise. */
async function unsyncedTables(store: Store): Promise<string[]> {
  const { rows } = await store.query({
    sql: `SELECT database || '.' || name FROM system.tables
      WHERE database IN ('otel', 'heliograph', 'people') AND engine LIKE '%MergeTree'
        AND NOT (position(create_table_query, 'fsync_after_insert = 1') > 0
          AND position(create_table_query, 'fsync_part_directory = 1') > 0)`,
  });
  return rows.map(([name]) => String(name));
}

export const POWER: readonly Fault[] = [
  {
    kind: 'power-loss',
    weight: 3,
    async run(round) {
      const station = await round.stations.common();
      await station.settled();
      const dir = mkdtempSync(join(tmpdir(), 'hg-power-'));
      try {
        return await station.withStore(async (store) => {
          const bodies = await cutUnderLoad(round, store, dir);
          const journal = await openJournal(join(dir, 'after'));
          const waiting = journal.sealed().length;
          await loadUntil(journal, store, dir, () => journal.sealed().length === 0);
          await journal.close(1000);
          const reckoning = await reckon({ bodies, numbering: numberingOf(round), store });
          const unsynced = await unsyncedTables(store);
          if (unsynced.length > 0) reckoning.problems.push(`not synced on insert: ${unsynced.join(', ')}`);
          round.note(`${waiting} segments waited, ${journal.recovered.bytesCut} bytes cut`);
          return reckoning;
        });
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    },
  },
];

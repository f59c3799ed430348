/** `/api/journal`: how the journal stands, and replaying what is in quarantine. What `heliograph journal` asks. */
import type { FastifyInstance } from 'fastify';
import { HeliographError } from '../../core/errors.ts';
import type { QuarantineState } from '../../ingest/journal/quarantine-keeper.ts';
import type {
  DiskJournal,
  JournalDepth,
  JournalRoom,
  JournalStats,
  RecoveryReport,
} from '../../ingest/journal/types.ts';
import type { Replay, ReplayOne } from '../../ingest/replay.ts';

export interface JournalStatus {
  depth: JournalDepth;
  stats: JournalStats;
  room: Omit<JournalRoom, 'full'> & { full: string | null };
  recovered: RecoveryReport;
  quarantine: QuarantineState;
}

export interface JournalApiDeps {
  journal: DiskJournal;
  quarantine(): QuarantineState;
  replay: ReplayOne;
}

/** Adds the routes. Errors are thrown as HeliographError for the app's error handler. */
export function registerJournal(app: FastifyInstance, { journal, quarantine, replay }: JournalApiDeps): void {
  app.get('/api/journal', async (): Promise<JournalStatus> => {
    const room = journal.room();
    return {
      depth: journal.depth(),
      stats: journal.stats(),
      room: { ...room, full: room.full ?? null },
      recovered: journal.recovered,
      quarantine: quarantine(),
    };
  });

  app.post<{ Params: { id: string }; Querystring: { anyway?: string } }>(
    '/api/journal/quarantine/:id/replay',
    async ({ params, query, headers }): Promise<Replay> => {
      // A page of another site can make a browser send a POST here, but not one of this type.
      if (headers['content-type'] !== 'application/json')
        throw new HeliographError('bad_request', 'Content-Type must be application/json');
      const result = await replay(params.id, query.anyway === 'true');
      if (result.outcome === 'unknown')
        throw new HeliographError('not_found', `${params.id.slice(0, 80)}: ${result.reason}`);
      return result;
    },
  );
}

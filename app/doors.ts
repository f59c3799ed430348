/** The doors on the main port that take data: webhooks and deploy events, with the collectors that read them. */
import type { FastifyInstance } from 'fastify';
import { DEPLOYMENTS, GITHUB_HOOK } from '../collectors/index.ts';
import type { Clock, Log } from '../core/ports.ts';
import { registerDeployments } from '../ingest/doors/deployments.ts';
import { createHookLedger, type HookLedger } from '../ingest/doors/hook-ledger.ts';
import { createHookSecrets } from '../ingest/doors/hook-secrets.ts';
import { registerHook } from '../ingest/doors/hooks.ts';
import { createRejectKeeper } from '../ingest/doors/reject-keeper.ts';
import type { DiskJournal } from '../ingest/journal/types.ts';
import { createRowSink } from '../ingest/rows.ts';

export interface PageDoors {
  /** Adds the routes. */
  register(app: FastifyInstance): void;
  ledger: HookLedger;
  /** Sources in `boards.source_status` that these doors take in while they are open. */
  sources: readonly string[];
  /** Resolves once every rejected body is put away; to be called when no request is open any more. */
  settled(): Promise<void>;
}

/** `secretFile` holds the secret of the GitHub webhook; undefined leaves that hook closed. */
export async function openPageDoors(
  secretFile: string | undefined,
  journal: DiskJournal,
  clock: Clock,
  log: Log,
): Promise<PageDoors> {
  const secrets = secretFile === undefined ? undefined : createHookSecrets(secretFile, clock, log);
  await secrets?.refresh();
  const ledger = createHookLedger(clock, log);
  const keeper = createRejectKeeper(journal.quarantineDir, clock, log, 'events');
  const common = {
    rows: createRowSink(journal),
    ledger,
    keepRejected: keeper.keep,
    clock,
  };
  return {
    register(app) {
      registerHook(app, { ...common, collector: GITHUB_HOOK, secrets });
      registerDeployments(app, { ...common, collector: DEPLOYMENTS });
    },
    ledger,
    sources: ['deployments', ...(secrets === undefined ? [] : ['github'])],
    settled: keeper.settled,
  };
}

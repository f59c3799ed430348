/** Brings the store to the shape this build wants: migrations, then the views. */
import { ANALYZERS } from '../analyzers/index.ts';
import { HeliographError } from '../core/errors.ts';
import type { Clock, Log } from '../core/ports.ts';
import { isFullDisk } from '../store/full-disk.ts';
import { migrate, readMigrations } from '../store/migrate.ts';
import type { ViewSettings } from '../store/render.ts';
import { setRouteLimit } from '../store/route-limit.ts';
import { defineViews, grantFaceRole } from '../store/views.ts';
import type { OpenStore } from './store.ts';

const STORE_RETRY_MAX_MS = 10_000;

/** Migrates and defines the views; waits for a store that does not answer yet or has no room, as the doors already ack without it. */
export async function prepareStore(
  { store, layout, engine }: OpenStore,
  settings: ViewSettings & { routesPerService: number },
  clock: Clock,
  log: Log,
): Promise<void> {
  const migrations = await readMigrations();
  for (let delayMs = 500; ; delayMs = Math.min(delayMs * 2, STORE_RETRY_MAX_MS)) {
    try {
      await migrate(store, layout, log, migrations);
      if ((await engine?.syncTokens()) === false)
        log.warn({}, 'chattr +S does not work here: a segment that is loading when power is lost may be counted twice');
      keepDefinitions(engine, log);
      await setRouteLimit(store, settings.routesPerService);
      await defineViews(
        store,
        layout,
        ANALYZERS.map((analyzer) => analyzer.sql),
        settings,
      );
      return await grantFaceRole(store, layout, log);
    } catch (error) {
      const cause = error instanceof HeliographError && error.code === 'migration_failed' ? error.cause : error;
      const passes = isFullDisk(cause) || (cause instanceof HeliographError && cause.entry.retryable);
      if (!passes) throw error;
      log.warn({ err: error, retryMs: delayMs }, 'store not ready, will retry');
      await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
    }
  }
}

/** A disk without room for the copies is no reason not to start. */
function keepDefinitions(engine: OpenStore['engine'], log: Log): void {
  try {
    engine?.keepDefinitions();
  } catch (error) {
    log.warn({ err: error }, 'the definitions of the tables could not be kept a second time');
  }
}

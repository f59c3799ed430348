/** The one place that touches the engine's library. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type ChdbResult, Session } from 'chdb';

interface Addon {
  CloseConnection(connection: unknown): void;
}

const require = createRequire(import.meta.url);
/**
 * The library's own `close()` waits for every statement of the process, of other sessions too, so one long query would keep
 * each session opened meanwhile (160 kB). A session here is closed when its own statements are done, which is all the engine needs.
 */
const addon = (
  require(join(dirname(require.resolve('chdb')), 'dist/loader.js')) as { loadNative(): Addon }
).loadNative();

/** A connection to the engine with settings, parameters, role and temporary tables of its own. */
export type EngineSession = Session;

/** Opens a session; the first one of a process opens the data directory (80 ms and up), later ones take 0.6 ms. */
export function openSession(engineDir: string, configPath: string): EngineSession {
  return new Session(engineDir, { connectionArgs: [`--config-file=${configPath}`] });
}

/** Closes a session that runs nothing. Closing one that does aborts the engine for the whole process. */
export function closeSession(session: EngineSession): void {
  const connection = session.connection;
  session.connection = null;
  session.close();
  if (connection !== null) addon.CloseConnection(connection);
}

/** Runs one statement to its end and gives its result as one buffer. */
export function run(session: EngineSession, sql: string, format: string): Promise<ChdbResult> {
  return session.queryAsync(sql, { format });
}

/** Runs a statement and gives the first field of its first row as text. */
export async function runScalar(session: EngineSession, sql: string): Promise<string> {
  return (await run(session, sql, 'TSVRaw')).text().trimEnd();
}

/** What the engine says of itself, and as whom readers run there. */
import { EngineException } from '../embedded/exception.ts';
import { type FaceEngine, readAnswer } from './engine.ts';

export interface EngineFacts {
  version: string;
  timezone: string;
  /** Lower-case names of all functions. */
  functions: ReadonlySet<string>;
  /** Role that readers take; undefined where the engine has not granted it to our user. */
  role: string | undefined;
  /** Whether that role hides everything but `boards`. Where it does not, walls 1 and 3 stand alone. */
  confined: boolean;
}

const MAX_BYTES = 1024 * 1024;
/** UNKNOWN_ROLE and SET_NON_GRANTED_ROLE: a user of a server's own configuration files cannot be granted a role. */
const NO_ROLE = new Set([511, 512]);

const SQL = `SELECT version(), timezone(), groupArray(lower(name)),
  (SELECT count() FROM system.tables WHERE database IN ('heliograph', 'otel', 'people')) = 0
FROM system.functions`;

/** Asks the engine. Throws `EngineException`. */
export async function readFacts(
  engine: FaceEngine,
  role: string | undefined,
  signal: AbortSignal,
): Promise<EngineFacts> {
  const parameters = new URLSearchParams({ readonly: '1', default_format: 'JSONCompact', max_execution_time: '10' });
  if (role !== undefined) parameters.set('role', role);
  try {
    const text = await readAnswer(await engine.call({ sql: SQL, parameters, gzip: false, signal }), MAX_BYTES);
    const { data } = JSON.parse(text) as { data: [[string, string, string[], number]] };
    const [[version, timezone, functions, hidden]] = data;
    return {
      version,
      timezone,
      functions: new Set(functions),
      role,
      confined: role !== undefined && Number(hidden) === 1,
    };
  } catch (error) {
    if (role === undefined || !(error instanceof EngineException) || !NO_ROLE.has(error.engineCode)) throw error;
    return readFacts(engine, undefined, signal);
  }
}

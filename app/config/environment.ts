/** The only place that reads the process's environment; everything else is handed what it needs. */
import { readFileSync } from 'node:fs';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of this process. */
export function processEnvironment(): Environment {
  return process.env;
}

/** Text of a file, undefined where there is none. Throws what else the system says (EACCES, EISDIR). */
export function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

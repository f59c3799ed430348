/** A log whose lines another thread writes: worker threads have none of their own. */
import type { Log } from '../../core/ports.ts';

/** One line as it crosses the threads. */
export interface LogLine {
  level: 'info' | 'warn' | 'error';
  fields: Record<string, unknown>;
  message: string;
}

/** `bound` stands on every line. */
export function messageLog(post: (line: LogLine) => void, bound: object = {}): Log {
  const at = (level: LogLine['level']) => (fields: object, message: string) =>
    post({ level, fields: portable({ ...bound, ...fields }), message });
  return {
    debug: () => {},
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => messageLog(post, { ...bound, ...fields }),
  };
}

/** Errors lose their message when cloned into a record; their text does not. */
function portable(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? value.message : value]),
  );
}

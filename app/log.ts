/** The log: JSON lines on stderr, or lines for reading where a person watches. */
import { pino } from 'pino';
import type { Log } from '../core/ports.ts';

/** `level` as pino names it. Values under the keys of secrets are replaced wherever they stand. */
export function createLog(level: string, out: NodeJS.WriteStream = process.stderr): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: [
        'token',
        '*.token',
        'authorization',
        '*.authorization',
        'headers.authorization',
        'password',
        '*.password',
      ],
      censor: '[redacted]',
    },
  };
  return pino(options, out.isTTY ? { write: (line: string) => void out.write(readable(line)) } : out);
}

/** `12:00:01 warn  request refused reason=unauthenticated`, from a JSON line. */
export function readable(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as {
    level: string;
    time: string;
    msg: string;
    err?: { message?: string };
  };
  const pairs = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const reason = err?.message === undefined ? [] : [`err=${err.message}`];
  return `${[time.slice(11, 19), level.padEnd(5), msg, ...pairs, ...reason].join(' ')}\n`;
}

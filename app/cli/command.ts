/** What a command of the CLI is, and what it is given. */
import type { Environment } from '../config/environment.ts';
import type { ConfigInput } from '../config/load.ts';

/** The world outside, handed in. */
export interface CliIo {
  /** Writes to standard output as is. */
  out: (text: string) => void;
  /** Writes to standard error as is. */
  err: (text: string) => void;
  env: Environment;
  cwd: string;
  readFile: (path: string) => string | undefined;
  /** Whether output may carry colour. */
  colour: boolean;
  nodeVersion: string;
}

export interface CommandOption {
  /** As commander takes them: `--from <time>`, `--json`. */
  flags: string;
  description: string;
  /** May be given several times; the values arrive as a list. */
  repeatable?: boolean;
}

/** One call of a command. */
export interface CommandCall {
  args: string[];
  /** By camel-cased name: a text, `true` for a bare flag, a list for a repeatable one; absent when not given. */
  options: Readonly<Record<string, unknown>>;
  /** For `loadConfig`: flags, variables and file of this call. */
  configInput: ConfigInput;
  io: CliIo;
}

export interface CommandSpec {
  /** Words of the command: `query`, `boards export`. */
  name: string;
  summary: string;
  /** As commander takes them: `[view]`, `<name>`. */
  args?: readonly string[];
  options?: readonly CommandOption[];
  /** Text after the help. */
  help?: string;
  /** Resolves with the exit code: 0 ok, 1 failed, 2 wrong usage. A HeliographError is printed as one clear line. */
  run(call: CommandCall): Promise<number>;
}

/** A mistake in how a command was called. Exit code 2. */
export class UsageError extends Error {}

/** The text of an option, undefined when it was not given. */
export function textOption(call: CommandCall, name: string): string | undefined {
  const value = call.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** Whether a bare flag was given. */
export function hasFlag(call: CommandCall, name: string): boolean {
  return call.options[name] === true;
}

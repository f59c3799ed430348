/** Every command of the CLI. A new command is one file and one line here. */
import type { CommandSpec } from './command.ts';
import { boardsExportCommand } from './commands/boards.ts';
import { configCommand } from './commands/config.ts';
import { doctorCommand } from './commands/doctor.ts';
import { keysListCommand, keysNewCommand, keysRevokeCommand } from './commands/keys.ts';
import { JOURNAL_COMMANDS } from './commands/journal.ts';
import { queryCommand } from './commands/query.ts';
import { serveCommand } from './commands/serve.ts';

export const COMMANDS: readonly CommandSpec[] = [
  serveCommand,
  queryCommand,
  configCommand,
  doctorCommand,
  boardsExportCommand,
  keysNewCommand,
  keysListCommand,
  keysRevokeCommand,
  ...JOURNAL_COMMANDS,
];

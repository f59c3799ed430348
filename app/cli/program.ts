/** The command line: commander parses it, the registry says what there is, errors become one line and an exit code. */
import { Command, CommanderError, Option } from 'commander';
import { HeliographError } from '../../core/errors.ts';
import { FILE_FLAG } from '../config/load.ts';
import { ruleText } from '../config/rules.ts';
import { SETTINGS_LIST } from '../config/schema.ts';
import { VERSION } from '../version.ts';
import { type CliIo, type CommandSpec, UsageError } from './command.ts';

const OK = 0;
const FAILED = 1;
const USAGE = 2;

/** Runs `argv` (without node and script) and resolves with the exit code. Never rejects. */
export async function runCli(argv: readonly string[], commands: readonly CommandSpec[], io: CliIo): Promise<number> {
  let exitCode = OK;
  const program = newCommand('heliograph', io)
    .description('Self-hosted observability and developer health.')
    .version(VERSION);
  for (const spec of commands) {
    addCommand(program, spec, io, (code) => {
      exitCode = code;
    });
  }
  try {
    if (argv.length === 0) program.help({ error: true });
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    return exitCodeOf(error, io);
  }
}

function newCommand(name: string, io: CliIo): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      getOutHasColors: () => io.colour,
      getErrHasColors: () => io.colour,
    })
    .helpCommand(false);
}

function addCommand(program: Command, spec: CommandSpec, io: CliIo, done: (exitCode: number) => void): void {
  const words = spec.name.split(' ');
  const parent = words.slice(0, -1).reduce((at, word) => childOf(at, word, spec, io), program);
  const command = newCommand(words.at(-1) ?? spec.name, io).description(spec.summary);
  parent.addCommand(command);
  for (const arg of spec.args ?? []) command.argument(arg);
  for (const { flags, description, repeatable } of spec.options ?? []) {
    const option = new Option(flags, description);
    if (repeatable === true)
      option.argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value]);
    command.addOption(option);
  }
  const keys = addSettings(command);
  if (spec.help !== undefined) command.addHelpText('after', `\n${spec.help}`);
  command.action(async () => {
    const options = command.opts<Record<string, unknown>>();
    const { env, cwd, readFile } = io;
    const file = typeof options['config'] === 'string' ? options['config'] : undefined;
    const configInput = { flags: givenSettings(options, keys), file, env, cwd, readFile };
    done(await spec.run({ args: command.args, options, configInput, io }));
  });
}

/** What the commands with subcommands are about. */
const GROUPS: Readonly<Record<string, string>> = {
  boards: 'Write the boards as Grafana JSON.',
  keys: 'Make, list and take back API keys of teams.',
  journal: 'Look at the journal; list, explain, replay and drop what is in quarantine.',
};

/** The command that a subcommand hangs on. */
function childOf(parent: Command, word: string, spec: CommandSpec, io: CliIo): Command {
  const known = parent.commands.find((command) => command.name() === word);
  if (known !== undefined) return known;
  const command = newCommand(word, io).description(GROUPS[word] ?? spec.summary);
  parent.addCommand(command);
  return command;
}

/** Every setting as an option without a default, so that only what was given counts. Returns option name -> key. */
function addSettings(command: Command): Map<string, string> {
  command.optionsGroup('Settings (see `heliograph config`):');
  command.option(`${FILE_FLAG} <path>`, 'configuration file (heliograph.yaml)');
  const keys = new Map<string, string>();
  for (const { key, flag, schema } of SETTINGS_LIST) {
    const option = new Option(`${flag} <value>`, `${ruleText(schema)} (${schema.default ?? 'absent'})`);
    command.addOption(option);
    keys.set(option.attributeName(), key);
  }
  return keys;
}

function givenSettings(options: Record<string, unknown>, keys: Map<string, string>): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const [name, key] of keys) {
    const value = options[name];
    if (typeof value === 'string') flags[key] = value;
  }
  return flags;
}

function exitCodeOf(error: unknown, io: CliIo): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? OK : USAGE; // commander has said why
  if (error instanceof UsageError) {
    io.err(`error: ${error.message}\n`);
    return USAGE;
  }
  if (error instanceof HeliographError) {
    io.err(`error: ${error.code}: ${error.message}\n`);
    return error.code === 'bad_config' ? USAGE : FAILED;
  }
  io.err(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  return FAILED;
}

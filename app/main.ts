#!/usr/bin/env node
/** Entry of the `heliograph` command. */
import { COMMANDS } from './cli/commands.ts';
import { runCli } from './cli/program.ts';
import { processEnvironment, readTextFile } from './config/environment.ts';

const env = processEnvironment();
const noColour = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '';

// A reader that has seen enough (`heliograph query | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runCli(process.argv.slice(2), COMMANDS, {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  env,
  cwd: process.cwd(),
  readFile: readTextFile,
  colour: process.stdout.isTTY === true && !noColour,
  nodeVersion: process.versions.node,
});

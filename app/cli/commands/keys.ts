import { randomBytes } from 'node:crypto';
import { appendFileSync, chmodSync, renameSync, writeFileSync } from 'node:fs';
import { hashOf, isName, type KeyRecord, keyLine, keyOf, parseKeys } from '../../../ingest/auth/keys.ts';
import { HeliographError } from '../../../core/errors.ts';
import { loadConfig } from '../../config/load.ts';
import { type CommandCall, type CommandSpec, textOption, UsageError } from '../command.ts';
import { cellText, textTable } from '../table.ts';

const NEW_FILE =
  '# API keys of Heliograph: name team sha256:<hash of the key> [created=<date>] [spans=<per second>] [bytes=<per second>]\n';
const OWNER_ONLY = 0o600;

export const keysNewCommand: CommandSpec = {
  name: 'keys new',
  summary: 'Make an API key for a team. It is printed once; the file keeps its hash.',
  options: [
    { flags: '--team <team>', description: 'team of what is sent with it' },
    { flags: '--name <name>', description: 'what it is called, unique; never a secret' },
    { flags: '--rate <spans>', description: 'spans a second that it may send (budgets.spansPerSecond where absent)' },
    {
      flags: '--byte-rate <bytes>',
      description: 'bytes a second that it may send (budgets.bytesPerSecond where absent)',
    },
  ],
  help: 'A running instance takes the key within a second. To rotate: make a second key, move the senders to it, then `heliograph keys revoke` the first.',
  async run(call) {
    const { path, records, isNew } = readKeys(call);
    const [name, team] = [nameOption(call, 'name'), nameOption(call, 'team')];
    if (records.some((record) => record.name === name)) throw new UsageError(`there is a key named ${name} already`);
    const rate = { spans: rateOption(call, 'rate'), bytes: rateOption(call, 'byteRate') };
    const key = keyOf(randomBytes(32));
    const line = keyLine({ name, team, hash: hashOf(key), created: new Date().toISOString().slice(0, 10), rate });
    appendFileSync(path, isNew ? NEW_FILE + line : line, { mode: OWNER_ONLY });
    call.io.err(`Kept in ${path} by its hash; this is the only time that it is shown:\n`);
    call.io.out(`${key}\n`);
    return 0;
  },
};

export const keysListCommand: CommandSpec = {
  name: 'keys list',
  summary: 'List the API keys: names, teams and rates, never the keys.',
  async run(call) {
    const rows = readKeys(call).records.map(({ name, team, created, rate }) => [
      name,
      team,
      created === '' ? cellText(null) : created,
      rate.spans === 0 ? cellText(null) : String(rate.spans),
      rate.bytes === 0 ? cellText(null) : String(rate.bytes),
    ]);
    call.io.out(textTable(['name', 'team', 'created', 'spans/s', 'bytes/s'], rows));
    return 0;
  },
};

export const keysRevokeCommand: CommandSpec = {
  name: 'keys revoke',
  summary: 'Take an API key back; a running instance refuses it within a second.',
  args: ['<name>'],
  async run(call) {
    const { path, text, records } = readKeys(call);
    const name = call.args[0] ?? '';
    if (!records.some((record) => record.name === name)) throw new UsageError(`there is no key named "${name}"`);
    const kept = text.split('\n').filter((line) => line.startsWith('#') || line.trim().split(' ', 1)[0] !== name);
    // Readers see the old file or the new one, never half of it.
    writeFileSync(`${path}.new`, kept.join('\n'), { mode: OWNER_ONLY });
    chmodSync(`${path}.new`, OWNER_ONLY);
    renameSync(`${path}.new`, path);
    call.io.err(`Revoked ${name}.\n`);
    return 0;
  },
};

function readKeys(call: CommandCall): { path: string; text: string; records: KeyRecord[]; isNew: boolean } {
  const path = loadConfig(call.configInput).config.auth.keysFile;
  if (path === undefined)
    throw new HeliographError('bad_config', 'auth.keysFile is not set: name the file, as by --auth-keys-file ./keys');
  const text = call.io.readFile(path);
  try {
    return { path, text: text ?? '', records: parseKeys(text ?? ''), isNew: text === undefined };
  } catch (error) {
    throw new HeliographError('bad_config', `${path}: ${(error as Error).message}`, { cause: error });
  }
}

function nameOption(call: CommandCall, option: string): string {
  const value = textOption(call, option);
  if (value === undefined || !isName(value))
    throw new UsageError(`--${option} is required: letters, digits, . _ / -, at most 100 of them`);
  return value;
}

function rateOption(call: CommandCall, option: string): number {
  const value = textOption(call, option);
  if (value === undefined) return 0;
  if (!/^[1-9][0-9]{0,14}$/.test(value)) throw new UsageError('a rate is a whole number above 0, per second');
  return Number(value);
}

/** `heliograph journal …`: how the journal stands, and what to do about what is in quarantine. */
import { join } from 'node:path';
import { systemClock } from '../../../core/clock.ts';
import { HeliographError } from '../../../core/errors.ts';
import type { TimeBounds } from '../../../core/ports.ts';
import { listQuarantine, type QuarantineEntry } from '../../../ingest/journal/quarantine.ts';
import { dropQuarantined, findQuarantined, replayedDir } from '../../../ingest/journal/quarantine-shelf.ts';
import type { Replay } from '../../../ingest/replay.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import type { JournalStatus } from '../../http/journal.ts';
import { type CommandCall, type CommandSpec, hasFlag, UsageError } from '../command.ts';
import { ask, askOrThrow, instanceUrl } from '../instance.ts';
import { readDirectory } from '../journal/directory.ts';
import { explain } from '../journal/explain.ts';
import { statusLines, type StatusParts } from '../journal/status.ts';
import { type Align, cellText, textTable } from '../table.ts';

const JSON_OPTION = { flags: '--json', description: 'as JSON' };
const HOUR_MS = 3_600_000;

export const JOURNAL_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'journal status',
    summary: 'What waits for the store, what may still come in, what is in quarantine.',
    options: [JSON_OPTION],
    help: 'Asks the running instance; where none answers, it reads the data directory.',
    run: status,
  },
  {
    name: 'journal list',
    summary: 'List the bodies in quarantine.',
    options: [JSON_OPTION, { flags: '--replayed', description: 'those that were replayed, instead' }],
    run: list,
  },
  {
    name: 'journal explain',
    summary: 'Say why a body is in quarantine, where its bytes break and what to do.',
    args: ['<id>'],
    run: explainOne,
  },
  {
    name: 'journal replay',
    summary: 'Send a body in quarantine through the running instance again.',
    args: ['[id]'],
    options: [
      { flags: '--all', description: 'every body that the store could not read' },
      { flags: '--anyway', description: 'also where a replay was cut short and may have been stored' },
      JSON_OPTION,
    ],
    help: 'A body is never stored twice: one that was replayed, or came again within ten minutes, is only said to have been. Exit code 1 when one was refused.',
    run: replay,
  },
  {
    name: 'journal drop',
    summary: 'Delete a body from quarantine for good.',
    args: ['<id>'],
    run: drop,
  },
];

function quarantineDir({ dataDir }: Config): string {
  return join(dataDir, 'journal', 'quarantine');
}

async function status(call: CommandCall): Promise<number> {
  const { config } = loadConfig(call.configInput);
  const parts = await statusParts(call, config);
  call.io.out(hasFlag(call, 'json') ? `${JSON.stringify(parts, null, 2)}\n` : statusLines(parts, systemClock.nowMs()));
  return 0;
}

async function statusParts(call: CommandCall, config: Config): Promise<StatusParts> {
  const baseUrl = instanceUrl(config, call.io.readFile);
  if (baseUrl !== undefined && (await ask(baseUrl, '/healthz', undefined)).kind === 'answer') {
    return { instance: baseUrl, ...((await askOrThrow(baseUrl, '/api/journal', config.token)) as JournalStatus) };
  }
  const dir = join(config.dataDir, 'journal');
  const found = await readDirectory(dir, systemClock.nowMs());
  if (found === undefined)
    throw new HeliographError('not_found', `no Heliograph answers, and there is no journal in ${dir}`);
  return { instance: null, dir, ...found };
}

async function list(call: CommandCall): Promise<number> {
  const { config } = loadConfig(call.configInput);
  const dir = quarantineDir(config);
  const entries = await listQuarantine(hasFlag(call, 'replayed') ? replayedDir(dir) : dir);
  entries.sort((a, b) => a.atMs - b.atMs);
  if (hasFlag(call, 'json')) {
    call.io.out(`${JSON.stringify(entries, null, 2)}\n`);
    return 0;
  }
  const header = ['id', 'when', 'kind', 'signal', 'team', 'bytes', 'items', 'reason'];
  const rows = entries.map((entry) => [
    entry.name,
    new Date(entry.atMs).toISOString(),
    ...[entry.kind, entry.signal, entry.team, entry.bytes, entry.items].map(cellText),
    cellText(entry.reason).slice(0, 100),
  ]);
  const left = Array<Align>(5).fill('left');
  if (rows.length > 0) call.io.out(textTable(header, rows, [...left, 'right', 'right']));
  call.io.out(`${rows.length === 0 ? '' : '\n'}${rows.length} in ${dir}\n`);
  return 0;
}

async function explainOne(call: CommandCall): Promise<number> {
  const { config } = loadConfig(call.configInput);
  const { entry, isReplayed } = await findOrThrow(config, call.args[0] ?? '');
  const nowMs = systemClock.nowMs();
  const bounds: TimeBounds = {
    loNs: BigInt(Math.max(0, Math.trunc(nowMs - config.retention.spans))) * 1_000_000n,
    hiNs: BigInt(Math.trunc(nowMs + HOUR_MS)) * 1_000_000n,
  };
  call.io.out(await explain(entry, isReplayed, bounds));
  return 0;
}

async function findOrThrow(config: Config, id: string): Promise<{ entry: QuarantineEntry; isReplayed: boolean }> {
  const found = await findQuarantined(quarantineDir(config), id);
  if (found !== undefined) return found;
  throw new HeliographError('not_found', `nothing called ${id.slice(0, 80)} is in quarantine; heliograph journal list`);
}

async function replay(call: CommandCall): Promise<number> {
  const [id] = call.args;
  const isAll = hasFlag(call, 'all');
  if ((id === undefined) === !isAll) throw new UsageError('give one id, or --all');
  const { config } = loadConfig(call.configInput);
  const baseUrl = instanceUrl(config, call.io.readFile);
  if (baseUrl === undefined)
    throw new UsageError('port is 0 and no running instance left its address in the data directory');
  const ids = id === undefined ? await replayable(config) : [id];
  const results: Replay[] = [];
  for (const each of ids) {
    const path = `/api/journal/quarantine/${encodeURIComponent(each)}/replay?anyway=${hasFlag(call, 'anyway')}`;
    const result = (await askOrThrow(baseUrl, path, config.token, 'POST')) as Replay;
    results.push(result);
    if (!hasFlag(call, 'json')) call.io.out(`${sentence(result)}\n`);
  }
  if (hasFlag(call, 'json')) call.io.out(`${JSON.stringify(results, null, 2)}\n`);
  else if (results.length === 0) call.io.out('nothing in quarantine can be replayed\n');
  return results.some(({ outcome }) => outcome === 'refused') ? 1 : 0;
}

async function replayable(config: Config): Promise<string[]> {
  return (await listQuarantine(quarantineDir(config)))
    .filter(({ kind }) => kind === 'unloaded')
    .map(({ name }) => name);
}

function sentence({ id, outcome, reason, items }: Replay): string {
  if (outcome === 'replayed') return `${id}: replayed, ${items} items`;
  return `${id}: ${outcome === 'refused' ? 'not replayed' : 'not stored again'}: ${reason}`;
}

async function drop(call: CommandCall): Promise<number> {
  const { config } = loadConfig(call.configInput);
  const { entry } = await findOrThrow(config, call.args[0] ?? '');
  await dropQuarantined(entry);
  call.io.out(`${entry.name}: dropped, ${entry.bytes ?? 0} bytes\n`);
  return 0;
}

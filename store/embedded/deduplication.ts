/**
 * What a crash leaves in the engine's deduplication logs. The engine notes the token of an insert before the insert's part gets
 * its name; a kill between the two leaves a token without rows, and the segment that is loaded again is taken for a repeat and
 * lost. So before the engine opens, notes of parts that are not there are struck out, and with them lines that a loss of power
 * tore, which would keep the table from opening. A token struck out by mistake would cost a row twice, never one lost.
 */
import { execFile } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

const LOGS = 'deduplication_logs';
const LOG_FILE = /^deduplication_log_\d+\.txt$/;
/** `operation \t part \t token`; operation 1 notes an insert, 2 takes a note back. Any other stops the engine at its start. */
const LINE = /^([12])\t([^\t]+)\t[^\t]+$/;
const NOTED = '1';
/** `partition_firstBlock_lastBlock_level`, with the mutation behind where there was one. */
const PART = /^([^_]+)_(\d+)_(\d+)_\d+(?:_\d+)?$/;

interface Blocks {
  first: number;
  last: number;
}

/**
 * Mends the logs of every table under `engineDir`, on which no engine may be running. Returns the notes struck out, as
 * `part` names; a directory that is not there yet has none.
 */
export function forgetUnkeptParts(engineDir: string): string[] {
  return tableDirs(join(engineDir, 'store')).flatMap((dir) => {
    const parts = partsIn(dir);
    const files = readdirSync(join(dir, LOGS)).filter((file) => LOG_FILE.test(file));
    return files.flatMap((file) => mend(join(dir, LOGS, file), parts));
  });
}

/**
 * Has what is written to the logs of the tables under `engineDir`, open ones too, synced as it is written. The engine syncs the
 * parts of an insert and never its tokens; a loss of power during a load would leave parts whose tokens are gone, and the
 * segment loaded again would count twice. Costs one small write to the disk per table and load. Resolves false where the
 * file system has no such attribute, or the machine no `chattr`.
 */
export function syncTokens(engineDir: string): Promise<boolean> {
  const logs = tableDirs(join(engineDir, 'store')).map((dir) => join(dir, LOGS));
  return new Promise((resolve) => {
    if (logs.length === 0) return resolve(true);
    execFile('chattr', ['-R', '+S', ...logs], (error) => resolve(error === null));
  });
}

/** Whether an engine listens on `socketPath`: then its logs are its own. */
export function isServed(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}

function tableDirs(storeDir: string): string[] {
  if (!existsSync(storeDir)) return [];
  return readdirSync(storeDir)
    .flatMap((group) => readdirSync(join(storeDir, group)).map((table) => join(storeDir, group, table)))
    .filter((dir) => existsSync(join(dir, LOGS)));
}

/** By partition. A merged part stands for all blocks between its first and its last. */
function partsIn(tableDir: string): Map<string, Blocks[]> {
  const parts = new Map<string, Blocks[]>();
  for (const name of readdirSync(tableDir)) {
    const [, partition, first, last] = PART.exec(name) ?? [];
    if (partition === undefined) continue;
    const blocks = parts.get(partition) ?? [];
    blocks.push({ first: Number(first), last: Number(last) });
    parts.set(partition, blocks);
  }
  return parts;
}

function mend(path: string, parts: Map<string, Blocks[]>): string[] {
  const text = readFileSync(path, 'latin1');
  const struckOut: string[] = [];
  const kept = text.split('\n').filter((line, index, lines) => {
    if (index === lines.length - 1) return line === ''; // behind the last newline; anything there is torn
    const [, operation, part = ''] = LINE.exec(line) ?? [];
    const keeps = operation !== undefined && (operation !== NOTED || isThere(part, parts));
    if (!keeps) struckOut.push(part === '' ? 'a torn line' : part);
    return keeps;
  });
  const mended = kept.at(-1) === '' ? kept.join('\n') : [...kept, ''].join('\n');
  if (mended !== text) replace(path, mended);
  return struckOut;
}

function isThere(name: string, parts: Map<string, Blocks[]>): boolean {
  const [, partition = '', first, last] = PART.exec(name) ?? [];
  return (parts.get(partition) ?? []).some((part) => part.first <= Number(first) && Number(last) <= part.last);
}

/** The copy is written beside the directory of the logs, in which the engine takes every file for one of them. */
function replace(path: string, text: string): void {
  const copy = join(dirname(dirname(path)), `${LOGS}.new`);
  const fd = openSync(copy, 'w', 0o640);
  try {
    writeSync(fd, text, null, 'latin1');
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(copy, path);
}

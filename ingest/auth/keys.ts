/**
 * API keys: 256 random bits each, of which the file holds SHA-256. A slow hash guards what people think up; nobody tries 2^256
 * keys, and this one is made for every call. One line a key: `name team sha256:<hex> created=<date> [spans=<n>] [bytes=<n>]`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Rate } from './rate.ts';

export interface KeyRecord {
  /** Unique. */
  name: string;
  team: string;
  /** SHA-256 of the key, lower hex. */
  hash: string;
  /** ISO date; '' where the file says nothing. */
  created: string;
  rate: Rate;
}

export interface KeyRing {
  /** The record of a key, undefined where it is none. */
  find(key: string): KeyRecord | undefined;
  size: number;
}

/** Every key begins so: scanners for leaked secrets find it, and a door knows it from a token. */
export const KEY_PREFIX = 'hgk_';
const KEY_LENGTH = KEY_PREFIX.length + 43;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/;
const LINE = /^(\S+) (\S+) sha256:([0-9a-f]{64})((?: [a-z]+=\S+)*)$/;

/** The key that 32 random bytes make. */
export function keyOf(random: Buffer): string {
  return `${KEY_PREFIX}${random.toString('base64url')}`;
}

export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Lines of the file, comments and empty ones left out. Throws with the number of the line and the rule that it breaks. */
export function parseKeys(text: string): KeyRecord[] {
  const records: KeyRecord[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const record = parseLine(line.trim());
    if (typeof record === 'string') throw new Error(`line ${index + 1}: ${record}`);
    if (records.some(({ name }) => name === record.name)) throw new Error(`line ${index + 1}: the name stands twice`);
    records.push(record);
  }
  return records;
}

export function keyLine({ name, team, hash, created, rate }: KeyRecord): string {
  const limits = [rate.spans > 0 ? ` spans=${rate.spans}` : '', rate.bytes > 0 ? ` bytes=${rate.bytes}` : ''];
  return `${name} ${team} sha256:${hash}${created === '' ? '' : ` created=${created}`}${limits.join('')}\n`;
}

/** Whether a text can name a key or a team. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

export function createKeyRing(records: readonly KeyRecord[]): KeyRing {
  const byHash = new Map(records.map((record) => [record.hash, record]));
  return {
    size: byHash.size,
    find(key) {
      if (key.length !== KEY_LENGTH) return undefined;
      const hash = hashOf(key);
      // The look-up's time tells at most of a hash, of which nobody can choose the key; the comparison tells nothing.
      const record = byHash.get(hash);
      return record !== undefined && timingSafeEqual(Buffer.from(record.hash), Buffer.from(hash)) ? record : undefined;
    },
  };
}

/** The record, or the rule that the line breaks. */
function parseLine(line: string): KeyRecord | string {
  const [, name = '', team = '', hash = '', rest = ''] = LINE.exec(line) ?? [];
  if (hash === '') return 'must be: name team sha256:<64 hex digits> [created=<date>] [spans=<n>] [bytes=<n>]';
  if (!isName(name) || !isName(team)) return 'name and team are letters, digits, . _ / -';
  const record: KeyRecord = { name, team, hash, created: '', rate: { spans: 0, bytes: 0 } };
  for (const part of rest
    .trim()
    .split(' ')
    .filter((each) => each !== '')) {
    const [key = '', value = ''] = part.split('=', 2);
    if (key === 'created') record.created = value;
    else if ((key === 'spans' || key === 'bytes') && /^[1-9][0-9]{0,14}$/.test(value)) record.rate[key] = Number(value);
    else return `${key.slice(0, 20)} is not created, spans or bytes with a whole number above 0`;
  }
  return record;
}

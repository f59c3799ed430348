/**
 * Decodes pprof profiles: bytes in, distinct stacks and their values out. Bounded in memory and time by the size of its input and
 * by fixed limits, without recursion. Labels of samples are left out, since they may carry secrets.
 */
import { hexOf } from './hash.ts';
import { readStacks, sumOf, type Stacks } from './stacks.ts';
import { readTables, type Tables, textOf } from './tables.ts';
import { type ProfileReject, reject, unpack } from './unpack.ts';
import { Malformed } from './wire.ts';

/** What a profile unpacks to, at most. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

export interface SampleType {
  type: string;
  unit: string;
}

/** Functions and 'file:line' beside each, root first. The line is left out where it is not known. */
export interface Frames {
  functions: string[];
  locations: string[];
}

export interface Profile {
  ok: true;
  sampleTypes: readonly SampleType[];
  /** Hash of each distinct stack, 32 lower hex digits. */
  stacks: readonly string[];
  /** Sum over the samples with that stack; decimal text where it passes 2^53. */
  value(stack: number, sampleType: number): number | string;
  /** Sum over all stacks. */
  total(sampleType: number): number | string;
  /** What a stack is made of. Made anew by each call, as most stacks are known already. */
  frames(stack: number): Frames;
  /** Stacks of which only the 1,024 frames nearest the root are kept. */
  cutStacks: number;
  /** Bytes after unpacking. */
  unpackedBytes: number;
}

/** Decodes a profile, gzipped or not. Never throws. */
export function decodeProfile(bytes: Uint8Array, maxUnpackedBytes = MAX_UNPACKED_BYTES): Profile | ProfileReject {
  const unpacked = unpack(bytes, maxUnpackedBytes);
  if (!unpacked.ok) return unpacked;
  try {
    const tables = readTables(unpacked.bytes);
    const stacks = readStacks(unpacked.bytes, tables);
    return createProfile(unpacked.bytes, tables, stacks);
  } catch (error) {
    if (error instanceof Malformed) return reject(error.offset, error.rule);
    throw error;
  }
}

function createProfile(bytes: Uint8Array, tables: Tables, stacks: Stacks): Profile | ProfileReject {
  const text = cachedTexts(bytes, tables);
  const types = tables.sampleTypes.length / 2;
  const sampleTypes = Array.from({ length: types }, (_, i) => ({
    type: text(tables.sampleTypes.at(i * 2)),
    unit: text(tables.sampleTypes.at(i * 2 + 1)),
  }));
  const values = Array.from({ length: types * stacks.count }, (_, i) =>
    sumOf(stacks.low[i] as number, stacks.high[i] as number),
  );
  const totals = sampleTypes.map((_, type) => {
    let [low, high] = [0, 0];
    for (let i = type; i < values.length; i += types) {
      low += stacks.low[i] as number;
      high += stacks.high[i] as number;
    }
    return sumOf(low, high);
  });
  if (values.includes(undefined) || totals.includes(undefined)) return reject(0, 'a sum of values passes 64 bits');
  return {
    ok: true,
    sampleTypes,
    stacks: hexOf(stacks.lanes.data.subarray(0, stacks.lanes.length)),
    value: (stack, sampleType) => values[stack * types + sampleType] ?? 0,
    total: (sampleType) => totals[sampleType] ?? 0,
    frames: (stack) => framesOf(stacks, tables, text, stack),
    cutStacks: stacks.cut,
    unpackedBytes: bytes.length,
  };
}

function framesOf(stacks: Stacks, tables: Tables, text: (index: number) => string, stack: number): Frames {
  const functions: string[] = [];
  const locations: string[] = [];
  for (const frame of stacks.frames(stack)) {
    const name = tables.frameNames.at(frame);
    const line = tables.frameLines.at(frame);
    const file = withoutHome(text(tables.frameFiles.at(frame)));
    functions.push(name >= 0 ? text(name) : `[${/[^/\\]*$/.exec(text(~name))?.[0] || 'unknown'}]`);
    locations.push(line > 0 && file !== '' ? `${file}:${line}` : file);
  }
  return { functions, locations };
}

/** A path of somebody's home names that somebody. */
function withoutHome(path: string): string {
  return path.replace(/^(?:[A-Za-z]:)?[/\\](?:home|Users|users)[/\\][^/\\]+/, '~');
}

function cachedTexts(bytes: Uint8Array, { spans }: Tables): (index: number) => string {
  const texts = new Map<number, string>();
  return (index) => {
    let text = texts.get(index);
    if (text === undefined) texts.set(index, (text = textOf(bytes, spans, index)));
    return text;
  };
}

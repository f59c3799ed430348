/**
 * Case folders: `<collector>/cases/<name>/` holds `input.hex`, `input.json` or `input.gz`, and what must come out of it, row by row, in
 * `expected.ndjson` (what is kept) and `rejects.ndjson` (what is not, and why). A new case is a folder and no code:
 * `UPDATE_CASES=1` writes the two files, and the person who commits them has read them.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assetPath } from '../../core/paths.ts';

export type CaseInput = { format: 'hex'; bytes: Buffer } | { format: 'json'; value: unknown };

export interface CaseResult {
  expected: readonly object[];
  rejects: readonly object[];
}

export interface Case {
  name: string;
  folder: string;
  input: CaseInput;
}

/** The cases under `folder` (from the package root), by name. Throws when there are none. */
export function readCases(folder: string): Case[] {
  const root = assetPath(folder);
  const names = readdirSync(root).sort();
  if (names.length === 0) throw new Error(`no cases in ${folder}`);
  return names.map((name) => ({ name, folder: join(root, name), input: readInput(join(root, name)) }));
}

/** One test per case: `decode` of the input must give the committed rows. */
export function runCases(folder: string, decode: (input: CaseInput, name: string) => CaseResult): void {
  for (const { name, folder: path, input } of readCases(folder)) {
    test(name, () => {
      const result = decode(input, name);
      compare(join(path, 'expected.ndjson'), result.expected);
      compare(join(path, 'rejects.ndjson'), result.rejects);
    });
  }
}

/** Hex may be laid out in lines, with `#` before a remark. Of `input.gz` the bytes are given as they are. */
function readInput(path: string): CaseInput {
  const packedPath = join(path, 'input.gz');
  if (existsSync(packedPath)) return { format: 'hex', bytes: readFileSync(packedPath) };
  const hexPath = join(path, 'input.hex');
  if (!existsSync(hexPath)) {
    const value: unknown = JSON.parse(readFileSync(join(path, 'input.json'), 'utf8'));
    return { format: 'json', value };
  }
  const hex = readFileSync(hexPath, 'utf8').replace(/#.*$/gm, '').replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new Error(`${hexPath} is not lower-case hex`);
  return { format: 'hex', bytes: Buffer.from(hex, 'hex') };
}

function compare(path: string, rows: readonly object[]): void {
  const actual = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  if (process.env['UPDATE_CASES'] === '1') writeFileSync(path, actual);
  expect(actual).toBe(readFileSync(path, 'utf8'));
}

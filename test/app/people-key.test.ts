import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { readPeopleKey } from '../../app/people-key.ts';

let dir: string;
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), 'heliograph-key-'));
  dir = made;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
});

test('the key is made once, for this user alone, whoever comes first', async () => {
  const dataDir = join(dir, 'data');
  const keys = await Promise.all([1, 2, 3, 4].map(() => readPeopleKey(undefined, dataDir)));
  const path = join(dataDir, 'people.key');
  for (const key of keys) expect(Buffer.from(key)).toEqual(readFileSync(path));
  expect(keys[0]).toHaveLength(32);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(dataDir)).toEqual(['people.key']);
});

test('a configured file is taken as it is, and never made', async () => {
  const path = join(dir, 'mine.key');
  await expect(readPeopleKey(path, dir)).rejects.toThrow(/people\.keyFile: .*mine\.key is not there/);
  writeFileSync(path, Buffer.alloc(40, 5), { mode: 0o640 });
  expect(await readPeopleKey(path, dir)).toHaveLength(40);
});

test('a key that others can read, that is too short or no file is refused', async () => {
  const path = join(dir, 'people.key');
  writeFileSync(path, Buffer.alloc(31), { mode: 0o600 });
  await expect(readPeopleKey(undefined, dir)).rejects.toThrow(/is shorter than 32 bytes/);
  writeFileSync(path, Buffer.alloc(32));
  chmodSync(path, 0o644);
  await expect(readPeopleKey(undefined, dir)).rejects.toThrow(/can be read by others/);
  chmodSync(path, 0o600);
  writeFileSync(path, Buffer.alloc(5000));
  await expect(readPeopleKey(undefined, dir)).rejects.toThrow(/is longer than/);
  await expect(readPeopleKey(dir, dir)).rejects.toThrow(/bad|cannot be read|can be read by others/);
});

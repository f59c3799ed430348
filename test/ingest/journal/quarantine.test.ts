import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listQuarantine, quarantine } from '../../../ingest/journal/quarantine.ts';
import { tempDir } from './support.ts';

const item = { reason: 'code 33: cannot read all data', signal: 'traces', segment: 'boot-traces-1', offset: 17 };

test('bytes are kept with their reason, in a directory made on first use', async () => {
  const dir = join(tempDir(), 'quarantine');
  expect(await listQuarantine(dir)).toEqual([]);
  await quarantine(dir, { ...item, name: 'b.bin', bytes: Buffer.from('body') });
  await quarantine(dir, {
    name: 'a.bin',
    reason: 'r',
    signal: null,
    segment: null,
    offset: null,
    bytes: new Uint8Array(0),
  });
  const atMs: unknown = expect.any(Number);
  expect(await listQuarantine(dir)).toEqual([
    { name: 'a.bin', reason: 'r', signal: null, segment: null, offset: null, path: join(dir, 'a.bin'), bytes: 0, atMs },
    { ...item, name: 'b.bin', path: join(dir, 'b.bin'), bytes: 4, atMs },
  ]);
  expect(readFileSync(join(dir, 'b.bin'), 'utf8')).toBe('body');
});

test('a file is moved, not copied', async () => {
  const dir = tempDir();
  const path = join(dir, 'x.seg');
  writeFileSync(path, 'segment');
  await quarantine(join(dir, 'quarantine'), { ...item, name: 'x.seg', path });
  expect(existsSync(path)).toBe(false);
  expect(readFileSync(join(dir, 'quarantine', 'x.seg'), 'utf8')).toBe('segment');
});

test('the same name again, as after a crash, overwrites', async () => {
  const dir = tempDir();
  for (const text of ['a longer body', 'body']) await quarantine(dir, { ...item, name: 'n', bytes: Buffer.from(text) });
  expect(await listQuarantine(dir)).toMatchObject([{ name: 'n', bytes: 4 }]);
});

test('bytes that are not there and a reason that cannot be read are said, not hidden', async () => {
  const dir = tempDir();
  for (const name of ['lost', 'torn']) await quarantine(dir, { ...item, name, bytes: Buffer.from('x') });
  rmSync(join(dir, 'lost'));
  writeFileSync(join(dir, 'torn.json'), '{"rea');
  expect(await listQuarantine(dir)).toMatchObject([
    { name: 'lost', reason: item.reason, bytes: null },
    { name: 'torn', reason: 'the reason file cannot be read', bytes: 1 },
  ]);
});

test.each(['../out', 'a/b', '', '.hidden', 'nul\0'])('the name %j is refused', async (name) => {
  await expect(quarantine(tempDir(), { ...item, name, bytes: Buffer.from('x') })).rejects.toThrow(RangeError);
});

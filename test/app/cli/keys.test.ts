import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMANDS } from '../../../app/cli/commands.ts';
import { runCli } from '../../../app/cli/program.ts';
import { readTextFile } from '../../../app/config/environment.ts';
import { createKeyRing, parseKeys } from '../../../ingest/auth/keys.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-cli-keys-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function run(file: string, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const code = await runCli(['keys', ...argv], COMMANDS, {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    env: file === '' ? {} : { HELIOGRAPH_AUTH_KEYS_FILE: join(dir, file) },
    cwd: dir,
    readFile: readTextFile,
    colour: false,
    nodeVersion: '20.0.0',
  });
  return { code, ...said };
}

const read = (file: string): string => readFileSync(join(dir, file), 'utf8');

test('a new key is printed once and kept by its hash, in a file that its owner alone may read', async () => {
  const { code, out } = await run('new', 'new', '--team', 'shop', '--name', 'ci', '--rate', '5000');
  const key = out.trim();
  expect([code, /^hgk_[\w-]{43}$/.test(key)]).toEqual([0, true]);
  expect(read('new')).not.toContain(key.slice(4));
  expect(createKeyRing(parseKeys(read('new'))).find(key)).toMatchObject({
    name: 'ci',
    team: 'shop',
    rate: { spans: 5000, bytes: 0 },
  });
  expect(statSync(join(dir, 'new')).mode & 0o777).toBe(0o600);
});

test('list shows names and rates, never a key or a hash; revoke takes one and leaves the others and the comments', async () => {
  const keys = [];
  for (const name of ['a', 'ab', 'b'])
    keys.push((await run('many', 'new', '--team', 'shop', '--name', name)).out.trim());
  writeFileSync(join(dir, 'many'), `${read('many')}# the end\n`);
  const { out } = await run('many', 'list');
  expect(
    out
      .split('\n')
      .slice(2, 5)
      .map((line) => line.split(/\s+/)[0]),
  ).toEqual(['a', 'ab', 'b']);
  expect(out).not.toMatch(/hgk_|[0-9a-f]{64}/);
  expect((await run('many', 'revoke', 'a')).code).toBe(0);
  const ring = createKeyRing(parseKeys(read('many')));
  expect(keys.map((key) => ring.find(key)?.name)).toEqual([undefined, 'ab', 'b']);
  expect(read('many').endsWith('# the end\n')).toBe(true);
});

test.each([
  ['without a team', ['new', '--name', 'x'], '--team is required'],
  ['with a name that is none', ['new', '--team', 'shop', '--name', 'a b'], '--name is required'],
  ['with a rate that is none', ['new', '--team', 'shop', '--name', 'x', '--rate', 'fast'], 'a rate is a whole number'],
  ['with a name that is taken', ['new', '--team', 'shop', '--name', 'ci'], 'a key named ci already'],
  ['of a key that is not there', ['revoke', 'nobody'], 'no key named "nobody"'],
])('%s it is refused and nothing is written', async (_name, argv, said) => {
  const before = read('new');
  const { code, err } = await run('new', ...argv);
  expect([code, err.includes(said), read('new') === before]).toEqual([2, true, true]);
});

test('without a file named, the setting is named instead; a broken file is refused by its line', async () => {
  const { code, err } = await run('', 'list');
  expect([code, err.includes('auth.keysFile is not set'), existsSync(join(dir, 'keys'))]).toEqual([2, true, false]);
  writeFileSync(join(dir, 'broken'), 'what is this\n');
  expect((await run('broken', 'list')).err).toContain('line 1: must be');
});

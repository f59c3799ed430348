import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, expect, it } from 'vitest';
import { builtPath } from '../../../core/paths.ts';
import { acquireDataDir } from '../../../store/embedded/lock.ts';

const base = mkdtempSync(join(tmpdir(), 'heliograph-lock-'));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** A process that tries to take the directory; resolves with its word, `held` or the error's code, and goes on living. */
async function claimant(dir: string): Promise<{ word: string; child: ChildProcess }> {
  const code = `
    import(${JSON.stringify(builtPath('store/embedded/lock.ts'))}).then((lock) => lock.acquireDataDir(process.argv[1])).then(
      () => console.log('held'), (error) => console.log(error.code));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', code, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  if (child.stdout === null) throw new Error('no output');
  const [word] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { word, child };
}

it('creates a private directory that git leaves alone', async () => {
  const dir = join(base, 'fresh', 'deep');
  const lock = await acquireDataDir(dir);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  expect(readFileSync(join(dir, '.gitignore'), 'utf8')).toBe('*\n');
  lock.release();
});

it('refuses a second owner by directory and pid, under any name of the directory, until the first lets go', async () => {
  const dir = join(base, 'twice');
  const lock = await acquireDataDir(dir);
  const alias = join(base, 'alias');
  symlinkSync(dir, alias);
  await expect(acquireDataDir(alias)).rejects.toMatchObject({
    code: 'data_dir_locked',
    message: expect.stringContaining(`${dir} is in use`) as string,
  });
  await expect(acquireDataDir(dir)).rejects.toThrow(`pid ${process.pid}`);
  lock.release();
  (await acquireDataDir(dir)).release();
});

it('is free after a kill -9, and leaves nothing of the dead', async () => {
  const dir = join(base, 'killed');
  const { word, child } = await claimant(dir);
  expect(word).toBe('held');
  await expect(acquireDataDir(dir)).rejects.toThrow(`pid ${child.pid}`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = await acquireDataDir(dir);
  expect(readdirSync(join(dir, 'lock'))).toHaveLength(1);
  lock.release();
});

it('takes a stopped owner for alive', async () => {
  const dir = join(base, 'stopped');
  const { child } = await claimant(dir);
  child.kill('SIGSTOP');
  await expect(acquireDataDir(dir)).rejects.toMatchObject({ code: 'data_dir_locked' });
});

it('has one winner in a race', async () => {
  for (let round = 0; round < 5; round++) {
    const dir = join(base, `race-${round}`);
    const claims = await Promise.allSettled(Array.from({ length: 12 }, () => acquireDataDir(dir)));
    expect(claims.filter((claim) => claim.status === 'fulfilled')).toHaveLength(1);
  }
  const dir = join(base, 'race');
  const words = (await Promise.all(Array.from({ length: 6 }, () => claimant(dir)))).map(({ word }) => word);
  expect(words.filter((word) => word === 'held')).toHaveLength(1);
});

it('works where the path is longer than a socket’s may be', async () => {
  const dir = join(base, 'x'.repeat(120));
  mkdirSync(dir);
  const lock = await acquireDataDir(dir);
  await expect(acquireDataDir(dir)).rejects.toMatchObject({ code: 'data_dir_locked' });
  lock.release();
});

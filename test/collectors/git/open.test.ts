import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { withoutCredentials } from '../../../collectors/git/problem.ts';
import { enclosingRepository, nameOfUrl, openRepository } from '../../../collectors/git/repository.ts';
import type { RepositorySpec } from '../../../collectors/git/spec.ts';
import { TEST_TOOL } from '../../support/git-collect.ts';
import { createRepo, gitEnvironment, repoIn } from '../../support/git-repo.ts';

const AT_S = 1_700_000_000;
let dir: string;
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), 'heliograph-git-'));
  dir = made;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
});

const { signal } = new AbortController();
const open = (spec: RepositorySpec, tool = TEST_TOOL) =>
  openRepository({ tool, dataDir: join(dir, 'data') }, spec, signal);

test('a clone is found with its name, its branch and its tip', async () => {
  const repo = createRepo(join(dir, 'shop'));
  expect(await open({ path: repo.dir })).toMatchObject({ name: 'shop', branch: 'main', tip: undefined });
  const tip = repo.commit('x', AT_S);
  expect(await open({ path: repo.dir })).toEqual({ name: 'shop', gitDir: join(repo.dir, '.git'), branch: 'main', tip });
  repo.git('remote', 'add', 'origin', 'git@example.com:team/store.git');
  repo.git('branch', 'release', 'HEAD');
  expect(await open({ path: repo.dir, branch: 'release' })).toMatchObject({
    name: 'team/store',
    branch: 'release',
    tip,
  });
  repo.git('checkout', '--quiet', '--detach');
  expect(await open({ path: repo.dir, name: 'mine' })).toMatchObject({ name: 'mine', branch: 'HEAD', tip });
  const bare = join(dir, 'bare.git');
  repo.git('clone', '--quiet', '--bare', repo.dir, bare);
  expect(await open({ path: bare })).toMatchObject({ gitDir: bare, tip });
  const worktree = join(dir, 'worktree');
  repo.git('worktree', 'add', '--quiet', worktree, 'release');
  expect(await open({ path: worktree })).toMatchObject({ name: 'team/store', branch: 'release', tip });
  repo.git('update-ref', 'refs/remotes/origin/next', tip);
  expect(await open({ path: repo.dir, branch: 'next' })).toMatchObject({ branch: 'next', tip });
});

test('what cannot be collected is refused by rule', async () => {
  const repo = createRepo(join(dir, 'shop'));
  repo.commit('x', AT_S);
  repo.commit('y', AT_S);
  const shallow = join(dir, 'shallow');
  repo.git('clone', '--quiet', '--depth', '1', `file://${repo.dir}`, shallow);
  const inside = join(repo.dir, 'folder');
  mkdirSync(inside);
  const plain = join(dir, 'plain');
  mkdirSync(plain);
  const refusals: [RepositorySpec, RegExp][] = [
    [{ path: shallow }, /is a shallow clone/],
    [{ path: join(dir, 'missing') }, /there is no such directory/],
    [{ path: plain }, /is no git repository/],
    [{ path: inside }, /is no git repository/],
    [{ path: repo.dir, branch: 'nope' }, /has no branch nope/],
    [{ path: repo.dir, branch: '--all' }, /does not begin with a dash/],
    [{ url: '--upload-pack=touch /tmp/x' }, /does not begin with a dash/],
    [{ url: 'ext::sh -c touch% /tmp/x' }, /is none of/],
    [{ url: `file://${dir}/missing` }, /cannot be fetched/],
    [{ url: `file://${repo.dir}`, branch: 'nope' }, /has no branch nope/],
    [{}, /has a path or a url/],
  ];
  for (const [spec, rule] of refusals) await expect(open(spec), JSON.stringify(spec)).rejects.toThrow(rule);
  await expect(open({ path: repo.dir }, { env: { ...gitEnvironment(), PATH: plain } })).rejects.toThrow(
    /git is not on PATH/,
  );
});

test('a URL is mirrored once, then asked, then fetched when it has moved', async () => {
  const repo = createRepo(join(dir, 'origin', 'shop'));
  const url = `file://${repo.dir}`;
  expect(await open({ url })).toMatchObject({ name: 'origin/shop', tip: undefined });
  const first = repo.commit('x', AT_S);
  const opened = await open({ url });
  expect(opened).toMatchObject({ branch: 'main', tip: first });
  expect(opened.gitDir.startsWith(join(dir, 'data', 'git', 'shop-'))).toBe(true);
  expect(await open({ url })).toEqual(opened);
  const second = repo.commit('y', AT_S);
  expect((await open({ url })).tip).toBe(second);
  repo.git('reset', '--quiet', '--hard', first);
  expect((await open({ url })).tip).toBe(first);
  // What was thrown away is still there to be told as gone.
  expect(repoIn(opened.gitDir).git('cat-file', '-t', second)).toBe('commit');
  repo.git('branch', 'release', second);
  expect(await open({ url, branch: 'release' })).toMatchObject({ branch: 'release', tip: second });
});

test('a password reaches the remote, and no argument, no file and no message', async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(403).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const argv = join(dir, 'argv');
  const tool = { env: { ...gitEnvironment(), PATH: wrapGit(`echo "$@" >> ${argv}`) } };
  const url = `http://user:s3cret%21@127.0.0.1:${(server.address() as AddressInfo).port}/team/shop.git`;
  const failure = await open({ url }, tool).catch((error: unknown) => error as Error & { cause?: Error });
  expect(seen[0]).toBe(`Basic ${Buffer.from('user:s3cret!').toString('base64')}`);
  expect(failure).toBeInstanceOf(Error);
  const said = [(failure as Error).message, readFileSync(argv, 'utf8'), config(join(dir, 'data'))].join('\n');
  expect(said).toContain('ls-remote');
  expect(said).not.toMatch(/s3cret|user:/);
  expect(withoutCredentials(`fatal: ${url} and ssh://me@host/x`)).not.toMatch(/s3cret|me@/);
});

/** Every file of the mirrors, as text. */
function config(dataDir: string): string {
  return readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

/** A `git` that does something first; gives the PATH that finds it. */
function wrapGit(lines: string): string {
  const bin = mkdtempSync(join(dir, 'bin-'));
  writeFileSync(join(bin, 'git'), `#!/bin/sh\n${lines}\nPATH=\${PATH#${bin}:} exec git "$@"\n`, { mode: 0o755 });
  return `${bin}:${process.env['PATH']}`;
}

test("another user's repository is refused with the way to allow it", async () => {
  const repo = createRepo(join(dir, 'theirs'));
  repo.commit('x', AT_S);
  const tool = { env: { ...gitEnvironment(), PATH: wrapGit('export GIT_TEST_ASSUME_DIFFERENT_OWNER=1') } };
  await expect(open({ path: repo.dir }, tool)).rejects.toThrow(/belongs to another user.*safe\.directory/);
});

test('names come from addresses', () => {
  expect(nameOfUrl('https://user:pw@example.com/team/shop.git')).toBe('team/shop');
  expect(nameOfUrl('ssh://git@example.com:22/a/team/shop/')).toBe('team/shop');
  expect(nameOfUrl('git@example.com:team/shop.git')).toBe('team/shop');
  expect(nameOfUrl('/srv/git/shop.git')).toBeUndefined();
  expect(nameOfUrl('')).toBeUndefined();
});

test('the repository around a directory', async () => {
  const repo = createRepo(join(dir, 'shop'));
  const inside = join(repo.dir, 'a', 'b');
  mkdirSync(inside, { recursive: true });
  expect(await enclosingRepository(TEST_TOOL, inside, signal)).toBe(repo.dir);
  expect(await enclosingRepository(TEST_TOOL, dir, signal)).toBeUndefined();
});

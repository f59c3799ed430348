import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { HeliographError } from '../../../core/errors.ts';
import type { Rows, RowSink } from '../../../core/rows.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { collect, TEST_PEOPLE } from '../../support/git-collect.ts';
import { generateRepo } from '../../support/git-generated.ts';
import { createRepo, repoIn, type TestRepo, writeRawCommit } from '../../support/git-repo.ts';
import { recordingSink } from '../../support/recording-sink.ts';

const AT_S = 1_700_000_000;
let dir: string;
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), 'heliograph-git-'));
  dir = made;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
});

const pseudonym = (name: string, email: string): string => TEST_PEOPLE.pseudonymOf({ name, email });

function write(repo: TestRepo, path: string | Buffer, content: string | Buffer): void {
  const full = Buffer.concat([Buffer.from(`${repo.dir}/`), Buffer.from(path)]);
  writeFileSync(full, content);
}

async function rowsOf(path: string, options: Parameters<typeof collect>[2] = {}) {
  const sink = recordingSink();
  const { collected, repository } = await collect(sink, path, options);
  return {
    collected,
    repository,
    sink,
    commits: new Map(sink.rows('commits').map((row) => [row.sha, row])),
    files: (sha: string): Rows['commit_files'][] => sink.rows('commit_files').filter((row) => row.sha === sha),
  };
}

test('merges, octopus, renames, binary files, empty and root commits', async () => {
  const repo = createRepo(dir);
  write(repo, 'a.go', 'one\ntwo\nthree\n');
  const root = repo.commit('root', AT_S);
  const empty = repo.commit('empty', AT_S + 1);
  for (const branch of ['x', 'y']) {
    repo.git('checkout', '--quiet', '-b', branch, empty);
    write(repo, `${branch}.go`, `${branch}\n`);
    repo.commit(branch, AT_S + 2);
  }
  repo.git('checkout', '--quiet', 'main');
  repo.commit('main goes on', AT_S + 2);
  repo.git('merge', '--quiet', '--no-edit', 'x', 'y');
  const octopus = repo.git('rev-parse', 'HEAD');
  repo.git('mv', 'a.go', 'b.go');
  write(repo, 'logo.png', Buffer.from([0, 1, 2]));
  const last = repo.commit('rename and binary', AT_S + 3);
  const { commits, files } = await rowsOf(dir);
  expect(commits.size).toBe(Number(repo.git('rev-list', '--count', 'HEAD')));
  expect(commits.get(root)).toMatchObject({ parents: [], additions: 3, files: 1 });
  expect(commits.get(empty)).toMatchObject({ parents: [root], additions: 0, files: 0 });
  expect(commits.get(octopus)).toMatchObject({ additions: 2, files: 2 });
  expect(commits.get(octopus)?.parents).toHaveLength(3);
  expect(commits.get(last)).toMatchObject({ files: 2, renames: 1, binary_files: 1, additions: 0, deletions: 0 });
  expect(files(last)).toEqual([
    expect.objectContaining({ path: 'b.go', old_path: 'a.go', status: 'R', additions: 0 }),
    expect.objectContaining({ path: 'logo.png', status: 'A', additions: null }),
  ]);
});

test('names and paths in other encodings', async () => {
  const repo = createRepo(dir);
  repo.git('config', 'i18n.commitEncoding', 'ISO-8859-1');
  const base = `tree ${repo.git('write-tree')}\n`;
  const line = (name: Buffer): Buffer => Buffer.concat([name, Buffer.from(` <rene@example.com> ${AT_S} +0100\n`)]);
  const latin = Buffer.from('Ren\xe9', 'latin1');
  const declared = Buffer.concat([
    Buffer.from(`${base}author `),
    line(latin),
    Buffer.from('committer '),
    line(latin),
    Buffer.from('encoding ISO-8859-1\n\nx\n'),
  ]);
  const first = writeRawCommit(repo, declared);
  repo.git('update-ref', 'refs/heads/main', first);
  write(repo, Buffer.from('caf\xe9.txt', 'latin1'), 'x\n');
  write(repo, 'grün "1".txt', 'x\n');
  const second = repo.commit('paths', AT_S + 1);
  const { commits, files, sink } = await rowsOf(dir);
  expect(commits.get(first)).toMatchObject({ author: pseudonym('', 'rene@example.com'), author_offset_min: 60 });
  expect(files(second).map(({ path }) => path)).toEqual(['"caf\\351.txt"', 'grün "1".txt']);
  const sealed = sink.rows('identities').map((row) => TEST_PEOPLE.open(row.pseudonym, row.sealed));
  expect(sealed).toContainEqual({ name: 'René', email: 'rene@example.com' });
});

test('commits whose header git cannot read are counted, with what can be known of them', async () => {
  const repo = createRepo(dir);
  const tree = repo.git('write-tree');
  const broken = [
    'author N <n@x> -3600 +0000\ncommitter N <n@x> 1700000000 +0100',
    'author N <n@x> 1700000000 +99999999\ncommitter N <n@x> 99999999999999999999 -1459',
    'author N <n@x>\ncommitter ',
    'author no address\ncommitter N <n@x> 5 ',
  ];
  const shas: string[] = [];
  for (const people of broken) {
    const parent = shas.length === 0 ? '' : `parent ${shas.at(-1)}\n`;
    shas.push(writeRawCommit(repo, `tree ${tree}\n${parent}${people}\n\nm\0\nCo-authored-by: Behind <nul@x>\n`));
  }
  repo.git('update-ref', 'refs/heads/main', shas.at(-1) ?? '');
  const { commits, collected } = await rowsOf(dir);
  expect(collected).toMatchObject({ commits: 4, rejected: 0 });
  expect(commits.get(shas[0] ?? '')).toMatchObject({ author_time_s: AT_S, commit_time_s: AT_S });
  expect(commits.get(shas[1] ?? '')).toMatchObject({ author_time_s: AT_S, commit_time_s: 0 });
  expect(commits.get(shas[3] ?? '')).toMatchObject({ author: '', co_authors: [] });
});

test('.mailmap holds for authors and co-authors; a change of it brings the whole history anew', async () => {
  const repo = createRepo(dir);
  write(repo, '.mailmap', 'Grace <grace@example.com> <grace@old.example>\n');
  const old = { GIT_AUTHOR_NAME: 'g', GIT_AUTHOR_EMAIL: 'Grace@Old.example' };
  const first = repo.commit('x', AT_S, old);
  const second = repo.commit('y\n\nCo-authored-by: G <grace@old.example>\nCo-Authored-By: H <h@old.example>', AT_S + 1);
  const grace = pseudonym('', 'grace@example.com');
  const before = await rowsOf(dir);
  expect(before.commits.get(first)?.author).toBe(grace);
  expect(before.commits.get(second)?.co_authors).toEqual([grace, pseudonym('', 'h@old.example')]);
  // The file of the working tree is not what was committed.
  write(repo, '.mailmap', 'Hopper <h@example.com> <h@old.example>\n');
  expect((await rowsOf(dir)).commits.get(first)?.author).toBe(grace);
  repo.commit('another mailmap', AT_S + 2);
  const known = { branch: 'main', tip: second };
  const after = await rowsOf(dir, { known });
  expect(after.collected).toMatchObject({ mode: 'full', commits: 3, gone: 0 });
  expect(after.commits.get(second)?.co_authors).toEqual([
    pseudonym('', 'grace@old.example'),
    pseudonym('', 'h@example.com'),
  ]);
});

test('what is new is collected alone; a rewritten branch leaves tombstones', async () => {
  const repo = createRepo(dir);
  const shas = [0, 1, 2].map((index) => repo.commit(`c${index}`, AT_S + index));
  const known = { branch: 'main', tip: shas[1] ?? '' };
  expect((await rowsOf(dir, { known })).sink.rows('commits').map(({ sha }) => sha)).toEqual([shas[2]]);
  const same = await rowsOf(dir, { known: { branch: 'main', tip: shas[2] ?? '' } });
  expect(same.collected.mode).toBe('none');
  expect(same.sink.rows('git_tips')).toEqual([]);
  repo.git('reset', '--quiet', '--hard', shas[0] ?? '');
  const rewritten = repo.commit('another way', AT_S + 9);
  const pushed = await rowsOf(dir, { known: { branch: 'main', tip: shas[2] ?? '' } });
  expect(pushed.collected).toMatchObject({ mode: 'new', commits: 1, gone: 2 });
  expect([...pushed.commits.values()].map(({ sha, gone }) => [sha, gone])).toEqual([
    [rewritten, false],
    [shas[1], true],
    [shas[2], true],
  ]);
  expect(pushed.sink.rows('git_tips')).toEqual([expect.objectContaining({ tip: rewritten, branch: 'main' })]);
});

test('where the old tip is not there any more, what the store has and git has not is gone', async () => {
  const repo = createRepo(dir);
  const kept = repo.commit('kept', AT_S);
  const { commits } = await rowsOf(dir);
  const row = commits.get(kept);
  if (row === undefined) throw new Error('not collected');
  const lost = { ...row, sha: 'ab'.repeat(20), version_ms: 1 };
  const after = await rowsOf(dir, {
    known: { branch: 'main', tip: lost.sha },
    deps: { storedCommits: () => Promise.resolve([row, lost]) },
  });
  expect(after.collected).toMatchObject({ mode: 'full', commits: 1, gone: 1 });
  expect(after.commits.get(lost.sha)).toMatchObject({ gone: true, author: row.author });
  expect(after.commits.get(kept)).toMatchObject({ gone: false });
});

test('nothing that a repository configures runs, reaches out or changes a figure', async () => {
  const repo = createRepo(dir);
  write(repo, 'a.txt', 'a\n');
  write(repo, '.gitattributes', '*.txt diff=evil\n');
  const sha = repo.commit('x', AT_S);
  const plain = await rowsOf(dir);
  const touched = join(dir, 'touched');
  const evil = join(dir, 'evil.sh');
  writeFileSync(evil, `#!/bin/sh\ntouch ${touched}\ncat\n`, { mode: 0o755 });
  mkdirSync(join(dir, 'hooks'));
  for (const hook of ['post-index-change', 'reference-transaction', 'pre-auto-gc', 'post-checkout'])
    writeFileSync(join(dir, 'hooks', hook), `#!/bin/sh\ntouch ${touched}\n`, { mode: 0o755 });
  const settings = {
    'core.fsmonitor': evil,
    'core.pager': evil,
    'core.hooksPath': join(dir, 'hooks'),
    'core.sshCommand': evil,
    'core.alternateRefsCommand': evil,
    'diff.external': evil,
    'diff.evil.command': evil,
    'diff.evil.textconv': evil,
    'diff.evil.binary': 'true',
    'gpg.program': evil,
    'log.showSignature': 'true',
    'log.showRoot': 'false',
    'log.date': 'relative',
    'format.pretty': 'oneline',
    'diff.renames': 'false',
    'diff.algorithm': 'patience',
    'diff.ignoreSubmodules': 'all',
    'i18n.logOutputEncoding': 'UTF-16',
    'log.diffMerges': 'off',
    'trailer.separators': '#',
    'alias.log': `!${evil}`,
  };
  for (const [key, value] of Object.entries(settings)) repo.git('config', key, value);
  const hostile = await rowsOf(dir);
  expect(existsSync(touched)).toBe(false);
  const strip = (row: Rows['commits'] | undefined) => ({ ...row, version_ms: 0 });
  expect(strip(hostile.commits.get(sha))).toEqual(strip(plain.commits.get(sha)));
  expect(hostile.commits.get(sha)).toMatchObject({ additions: 2, files: 2, binary_files: 0 });
});

test('git waits while rows become durable, and a full journal only makes it wait longer', async () => {
  const { repo, commits } = generateRepo(join(dir, 'generated'), 5000);
  const clock = new FakeClock();
  let open = 0;
  let most = 0;
  let refusals = 3;
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const kept = recordingSink();
  const slow: RowSink = {
    async append(signal, rows) {
      if (signal === 'commits' && refusals > 0) {
        refusals -= 1;
        setImmediate(() => void clock.advance(5000));
        throw new HeliographError('journal_full', undefined, { retryAfterSeconds: 5 });
      }
      if (signal === 'commits') open += 1;
      most = Math.max(most, open);
      // The first eight are held until git has had time to bring more, if it could.
      if (open === 8) setTimeout(release, 100);
      if (signal === 'commits') await held;
      if (signal === 'commits') open -= 1;
      await kept.append(signal, rows);
    },
  };
  const { collected } = await collect(slow, repo.dir, { deps: { clock } });
  expect(refusals).toBe(0);
  expect(most).toBe(8); // as many as may be under way, and no more
  expect(collected).toMatchObject({ commits, rejected: 0 });
  expect(new Set(kept.rows('commits').map(({ sha }) => sha)).size).toBe(commits);
});

test('any other refusal ends the collection without a tip, so that it is begun again', async () => {
  const repo = createRepo(dir);
  repo.commit('x', AT_S);
  const kept = recordingSink();
  const failing: RowSink = {
    append: (signal, rows) =>
      signal === 'commit_files' || signal === 'commits'
        ? Promise.reject(new HeliographError('shutting_down'))
        : kept.append(signal, rows),
  };
  await expect(collect(failing, repo.dir)).rejects.toThrow(/draining/);
  expect(kept.rows('git_tips')).toEqual([]);
});

test('a commit of many files reaches the journal in pieces', async () => {
  const repo = createRepo(dir, '--bare');
  const files = Array.from({ length: 6000 }, (_, index) => `M 100644 inline f${index}\ndata 2\nx\n`).join('\n');
  repo.bytes(
    ['fast-import', '--quiet'],
    `commit refs/heads/main\ncommitter A <a@x> ${AT_S} +0000\ndata 1\nx\n${files}\ndone\n`,
  );
  const kept = recordingSink();
  const sizes: number[] = [];
  const rows: RowSink = { append: (signal, some) => (sizes.push(some.length), kept.append(signal, some)) };
  expect((await collect(rows, dir)).collected).toMatchObject({ commits: 1, rejected: 0 });
  expect(kept.rows('commit_files')).toHaveLength(6000);
  expect(Math.max(...sizes)).toBeLessThan(6000);
});

test('a clone without its files says so and fetches nothing', async () => {
  const origin = createRepo(join(dir, 'origin'));
  origin.git('config', 'uploadpack.allowFilter', 'true');
  write(origin, 'a.go', 'x\n');
  origin.commit('x', AT_S);
  write(origin, 'a.go', 'x\ny\n');
  origin.commit('y', AT_S + 1);
  const partial = join(dir, 'partial');
  origin.git('clone', '--quiet', '--bare', '--filter=blob:none', `file://${origin.dir}`, partial);
  await expect(rowsOf(partial)).rejects.toThrow(/objects are missing here/);
  const missing = repoIn(partial).git('rev-list', '--objects', '--missing=print', 'HEAD');
  expect(missing.split('\n').filter((line) => line.startsWith('?'))).toHaveLength(2);
});

test('a collection that is aborted ends with the reason, and git with it', async () => {
  const { repo } = generateRepo(join(dir, 'generated'), 2000);
  const controller = new AbortController();
  const reason = new Error('stopped');
  const rows: RowSink = {
    append: () => {
      controller.abort(reason);
      return Promise.resolve();
    },
  };
  await expect(collect(rows, repo.dir, { signal: controller.signal })).rejects.toBe(reason);
});

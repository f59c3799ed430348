import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assetPath } from '../../../core/paths.ts';
import { fastImportStream, HISTORY_DAYS, nextVersion, planHistory } from '../../../scripts/lib/demo/history.mjs';
import { atWork, BOT, localHour, TEAM } from '../../../scripts/lib/demo/people.mjs';
import { addCommits, createRepository, readSources } from '../../../scripts/lib/demo/repository.mjs';
import { peerTest } from '../../support/peers.ts';

const NOW = 1_795_000_000;
const LAST = ['internal/checkout/stock.go', 'internal/checkout/score.go'];
const files = readSources(assetPath('examples/go-shop'));
const plan = planHistory(files, LAST, NOW);

test('the sources of go-shop are found, without what is not written by hand', () => {
  expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(['main.go', 'go.mod', ...LAST]));
  expect(files.some(({ path }) => path.endsWith('.sum'))).toBe(false);
});

test('a team of people and a bot, over four weeks, in order of time', () => {
  const names = new Set(plan.map(({ author }) => author.name));
  expect(TEAM.filter(({ name }) => names.has(name)).length).toBeGreaterThanOrEqual(6);
  expect(names).toContain(BOT.name);
  expect(plan.every(({ author }) => author.email.endsWith('example.com'))).toBe(true);
  const times = plan.map(({ seconds }) => seconds);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times[0]).toBe(NOW - HISTORY_DAYS * 86_400);
  expect(Math.max(...times)).toBeLessThanOrEqual(NOW);
});

test('people commit in their own day', () => {
  for (const { author, seconds } of plan.slice(1)) {
    if (author.name === BOT.name || atWork(seconds).length === TEAM.length) continue;
    // The later commits of a branch may come a little after the hours in which it was begun.
    expect(localHour(author, seconds)).toBeGreaterThanOrEqual(8);
    expect(localHour(author, seconds)).toBeLessThan(24);
  }
});

test('branches are merged into main, and the bot commits to it', () => {
  const merges = plan.filter(({ parents }) => parents.length === 2);
  expect(merges.length).toBeGreaterThan(20);
  expect(merges.every(({ onMain, message }) => onMain && /^Merge pull request #\d+: /.test(message))).toBe(true);
  expect(
    plan.filter(({ author }) => author === BOT).every(({ onMain, parents }) => onMain && parents.length === 1),
  ).toBe(true);
  expect(plan.some(({ message }) => message.includes('Co-authored-by: '))).toBe(true);
});

test('the same files and time give the same history', () => {
  expect(planHistory(files, LAST, NOW)).toEqual(plan);
});

test('the stream counts bytes, not letters', () => {
  const [author] = TEAM;
  if (author === undefined) throw new Error('nobody is there');
  const commit = { mark: 1, author, seconds: NOW, message: 'Añadir\n', parents: [], changes: [], onMain: true };
  expect(fastImportStream([commit])).toBe(
    `commit refs/heads/main\nmark :1\nauthor Amara Okafor <amara.okafor@example.com> ${NOW} +0100\n` +
      `committer Amara Okafor <amara.okafor@example.com> ${NOW} +0100\ndata 8\nAñadir\n\n\n`,
  );
});

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'heliograph-history-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function git(...args: string[]): string {
  const { stdout, stderr } = spawnSync('git', ['-C', folder, ...args], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trim();
}

peerTest('git', 'git holds the history; the next version completes the files', async () => {
  createRepository(folder);
  const shas = addCommits(folder, plan);
  expect(git('rev-parse', 'HEAD')).toBe(shas.at(-1));
  expect(git('rev-list', '--count', 'HEAD')).toBe(String(plan.length));
  expect(git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  expect(git('status', '--porcelain')).toBe('');
  expect(git('fsck', '--strict')).toBe('');
  expect(git('log', '--format=%aN')).not.toContain('gwhitfield'); // the .mailmap knows her
  const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
  for (const { path, text } of files) {
    if (LAST.includes(path)) expect(text.startsWith(read(path).trimEnd())).toBe(true);
    else expect(read(path)).toBe(text);
  }
  const [sha] = addCommits(folder, [nextVersion(files, LAST, NOW + 60)], { onMain: true });
  expect(git('rev-parse', 'HEAD', 'HEAD~1').split('\n')).toEqual([sha, shas.at(-1)]);
  expect(git('show', '--format=', '--name-only', 'HEAD').split('\n').toSorted()).toEqual(LAST.toSorted());
  for (const { path, text } of files) expect(read(path)).toBe(text);
});

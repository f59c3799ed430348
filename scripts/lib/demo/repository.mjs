// @ts-check
/** Makes the demo's git repository from a planned history. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fastImportStream } from './history.mjs';

/** @typedef {import('./history.mjs').Commit} Commit */
/** @typedef {import('./history.mjs').SourceFile} SourceFile */

/**
 * Every file of go-shop that is worth a history.
 * @param {string} folder
 * @returns {SourceFile[]}
 */
export function readSources(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(go|md|mod)$/.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }));
}

/**
 * An empty repository with branch main.
 * @param {string} folder
 */
export function createRepository(folder) {
  mkdirSync(folder, { recursive: true });
  git(folder, ['init', '--quiet', '--initial-branch=main']);
}

/**
 * Adds planned commits to main. Returns their hashes in the same order.
 * @param {string} folder
 * @param {readonly Commit[]} commits
 * @param {{onMain?: boolean}} [options] `onMain`: the first commit stands on what main is now
 * @returns {string[]}
 */
export function addCommits(folder, commits, { onMain = false } = {}) {
  const marks = join(folder, '.git', 'marks');
  const base = onMain ? git(folder, ['rev-parse', 'main']).trim() : undefined;
  git(folder, ['fast-import', '--quiet', `--export-marks=${marks}`], fastImportStream(commits, base));
  git(folder, ['update-ref', '-d', 'refs/heads/work']); // its commits live on in the merges
  git(folder, ['reset', '--quiet', '--hard', 'main']);
  const byMark = new Map(
    readFileSync(marks, 'utf8')
      .trim()
      .split('\n')
      .map((line) => {
        const [mark = '', sha = ''] = line.split(' ');
        return [Number(mark.slice(1)), sha];
      }),
  );
  return commits.map(({ mark }) => byMark.get(mark) ?? '');
}

/**
 * Runs git without the settings of the person at this machine. Throws what git says.
 * @param {string} folder
 * @param {readonly string[]} args
 * @param {string} [input]
 */
function git(folder, args, input = '') {
  const { status, stdout, stderr, error } = spawnSync('git', args, {
    cwd: folder,
    input,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
  });
  if (error !== undefined) throw new Error(`git does not run: ${error.message}`);
  if (status !== 0) throw new Error(`git ${args[0]} failed: ${stderr.trim()}`);
  return stdout;
}

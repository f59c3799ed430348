/**
 * Collecting a git history beside the one `git log` that it needs: the same log, written to /dev/null, against everything that we
 * do (find the repository, log, decode, pseudonyms, rows, journal, fsync). `npm run bench -- git [rounds=7]`; about 20 s, of which
 * 5 s make a repository of 10,000 commits. Rounds alternate; the table shows the best of each, the ratio is of these.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { streamGit, logArguments } from '../collectors/git/command.ts';
import { createGitDecoder } from '../collectors/git/decode.ts';
import { systemClock } from '../core/clock.ts';
import { PACKAGE_ROOT } from '../core/paths.ts';
import type { Log } from '../core/ports.ts';
import type { RowSink } from '../core/rows.ts';
import { createJournal } from '../ingest/journal/journal.ts';
import { createRowSink } from '../ingest/rows.ts';
import { collect, TEST_TOOL } from '../test/support/git-collect.ts';
import { generateRepo } from '../test/support/git-generated.ts';
import { repoIn } from '../test/support/git-repo.ts';
import { printTable } from './support/table.ts';

const rounds = Number(process.argv[2] ?? 7);
const COMMITS = 10_000;
const AIM = 1.15;

const silent: Log = { debug() {}, info() {}, warn() {}, error: console.error, child: () => silent };
const dir = mkdtempSync(join(tmpdir(), 'bench-git-'));

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** The very same `git log`, which nobody reads. */
async function plainLog(repo: string): Promise<number> {
  const tip = repoIn(repo).git('rev-parse', 'HEAD');
  const devNull = await open('/dev/null', 'w');
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = spawn('git', logArguments(tip, undefined, tip), {
        cwd: repo,
        env: TEST_TOOL.env,
        stdio: ['ignore', devNull.fd, 'inherit'],
      });
      child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`git log ended with ${code}`))));
    });
  const ms = await timed(run);
  await devNull.close();
  return ms;
}

/** A journal of its own, so that every round begins with an empty one; what is sealed is deleted, as the loader would. */
async function withJournal<T>(work: (rows: RowSink) => Promise<T>): Promise<T> {
  const path = join(dir, randomBytes(6).toString('hex'));
  const options = { minFreeBytes: 0, retentionMs: () => 86_400_000, loadSettings: {} };
  const journal = await createJournal({ dir: path, clock: systemClock, log: silent, options });
  try {
    return await work(createRowSink(journal));
  } finally {
    await journal.close(10_000);
    rmSync(path, { recursive: true, force: true });
  }
}

/** The decoder alone, on the bytes of the log. */
async function decodeOnly(repo: string): Promise<{ ms: number; bytes: number }> {
  const git = repoIn(repo);
  const tip = git.git('rev-parse', 'HEAD');
  const { signal } = new AbortController();
  const { child } = streamGit(
    TEST_TOOL,
    git.git('rev-parse', '--absolute-git-dir'),
    logArguments(tip, undefined, tip),
    signal,
  );
  child.stdin.end();
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  const ms = await timed(async () => {
    const decoder = createGitDecoder();
    for (const chunk of chunks) decoder.push(chunk);
    decoder.end();
  });
  return { ms, bytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0) };
}

const best = (values: readonly number[]): number => Math.min(...values);

async function measure(name: string, repo: string): Promise<(string | number)[]> {
  const plain: number[] = [];
  const ours: number[] = [];
  const cpu: number[] = [];
  let rows = 0;
  const round = (): Promise<void> =>
    withJournal(async (sink) => {
      rows = 0;
      const counting: RowSink = {
        append: (signal, appended) => {
          rows += appended.length;
          return sink.append(signal, appended);
        },
      };
      const before = process.cpuUsage();
      ours.push(await timed(() => collect(counting, repo)));
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1000);
    });
  await plainLog(repo); // warms the page cache
  await round();
  ours.length = 0;
  cpu.length = 0;
  for (let index = 0; index < rounds; index++) {
    plain.push(await plainLog(repo));
    await round();
  }
  const decoded = await decodeOnly(repo);
  const [plainMs, oursMs] = [best(plain), best(ours)];
  return [
    name,
    Number(repoIn(repo).git('rev-list', '--count', 'HEAD')),
    rows,
    plainMs,
    oursMs,
    (oursMs / plainMs).toFixed(2),
    rows / (oursMs / 1000),
    best(cpu),
    decoded.bytes / 1e6 / (decoded.ms / 1000),
  ];
}

try {
  const generated = generateRepo(join(dir, 'generated'), COMMITS).repo.dir;
  const table = [await measure('generated', generated), await measure('this repository', PACKAGE_ROOT)];
  printTable(
    ['repository', 'commits', 'rows', 'git log ms', 'collected ms', 'ratio', 'rows/s', 'our CPU ms', 'decoder MB/s'],
    table,
  );
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(`peak resident ${peakMiB.toFixed(0)} MiB; aim: a ratio of at most ${AIM}\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

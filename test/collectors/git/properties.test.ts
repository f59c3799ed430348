import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGitDecoder, type Decoded } from '../../../collectors/git/decode.ts';
import { decodePath } from '../../../collectors/git/text.ts';
import { type LogCommit, logBytes, shaOf } from './log-bytes.ts';

/** Decodes in chunks of the given lengths, over and over. */
function decodeIn(bytes: Buffer, lengths: readonly number[]): Decoded {
  const decoder = createGitDecoder();
  const all: Decoded = { commits: [], rejects: [] };
  const keep = ({ commits, rejects }: Decoded): void => {
    all.commits.push(...commits);
    all.rejects.push(...rejects);
  };
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    const chunk = Buffer.from(bytes.subarray(at, at + length));
    keep(decoder.push(chunk));
    chunk.fill(0x41); // whoever hands in a chunk may use it again
    at += length;
  }
  keep(decoder.end());
  return all;
}

/** Text as an attacker would choose it: everything but NUL. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\x1e',
        '\x1f',
        '\x1d',
        '\n',
        '\t',
        '-',
        ':',
        ' ',
        shaOf(255),
        '1\t1\tx',
        ':100644 100644 0 0 M',
        '%aN',
      ),
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join('').replaceAll('\0', ''));

const date = fc.constantFrom('1700000000 +0000', '0 -1200', '', '1 +99999');
const who = fc.tuple(hostile, hostile, date);
const path = hostile.map((text) => `p${text}`).filter((text) => Buffer.byteLength(text) < 1000);
const file = fc.record(
  {
    status: fc.constantFrom('A', 'M', 'D', 'T'),
    path,
    figures: fc.constantFrom('0\t0', '12\t3', '-\t-'),
  },
  { requiredKeys: ['status', 'path', 'figures'] },
);
const renamed = fc.record({
  status: fc.constantFrom('R087', 'C100'),
  path,
  oldPath: path,
  figures: fc.constantFrom('0\t0', '4\t4', '-\t-'),
});
const commits: fc.Arbitrary<LogCommit[]> = fc
  .array(
    fc.record({
      author: who,
      committer: who,
      // Git prints the key as it found it, so that no trailer is the single dash behind them.
      trailers: fc.array(
        hostile.map((text) => `Co-authored-by: ${text}`),
        { maxLength: 3 },
      ),
      files: fc.array(fc.oneof(file, renamed), { maxLength: 4 }),
    }),
    { maxLength: 6 },
  )
  .map((list) => list.map((commit, index) => ({ ...commit, sha: shaOf(index + 1) })));

test('whatever a commit holds, it comes out as one commit with its own files, however the stream is cut', () => {
  fc.assert(
    fc.property(commits, fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 8 }), (list, lengths) => {
      const bytes = logBytes(list);
      const whole = decodeIn(bytes, [bytes.length + 1]);
      expect(whole.rejects).toEqual([]);
      expect(whole.commits.map(({ sha }) => sha)).toEqual(list.map(({ sha }) => sha));
      expect(whole.commits.map(({ files }) => files.length)).toEqual(list.map(({ files = [] }) => files.length));
      const paths = (each: LogCommit): string[] =>
        (each.files ?? []).map((item) => decodePath(Buffer.from(item.path), 0, Buffer.byteLength(item.path)));
      expect(whole.commits.map(({ files }) => files.map((item) => item.path))).toEqual(list.map(paths));
      expect(decodeIn(bytes, lengths)).toEqual(whole);
    }),
    { numRuns: 300 },
  );
});

test('commits with files that have no figures are rejected; kept and rejected together are all', () => {
  const lacking = fc
    .tuple(commits, fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }))
    .map(([list, flags]) =>
      list.map((commit, index) =>
        flags[index] === true ? { ...commit, files: [{ status: 'A', path: 'x', figures: undefined }] } : commit,
      ),
    );
  fc.assert(
    fc.property(lacking, (list) => {
      const { commits: kept, rejects } = decodeIn(logBytes(list), [64]);
      expect(kept.length + rejects.length).toBe(list.length);
      expect(new Set([...kept, ...rejects].map(({ sha }) => sha)).size).toBe(list.length);
    }),
  );
});

test('garbage never throws, and what is mended out of it is said', () => {
  const noise = fc.uint8Array({ maxLength: 400 });
  const damaged = fc.tuple(commits, fc.nat(), fc.nat({ max: 255 })).map(([list, at, byte]) => {
    const bytes = logBytes(list);
    if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(
      fc.oneof(
        noise.map((bytes) => Buffer.from(bytes)),
        damaged,
      ),
      fc.integer({ min: 1, max: 50 }),
      (bytes, n) => {
        const { commits: kept, rejects } = decodeIn(bytes, [n]);
        if (bytes.length > 0) expect(kept.length + rejects.length).toBeGreaterThan(0);
        for (const { rule } of rejects) expect(rule).not.toBe('');
      },
    ),
    { numRuns: 500 },
  );
});

test('paths stay apart: no two byte strings have one text', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 6 }),
    fc
      .string({ unit: fc.constantFrom('"', '\\', '3', '5', '1', 'a', 'é'), minLength: 1 })
      .map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      const [a, b] = [Buffer.from(one), Buffer.from(other)];
      expect(decodePath(a, 0, a.length) === decodePath(b, 0, b.length)).toBe(a.equals(b));
    }),
    { numRuns: 2000 },
  );
  const latin = Buffer.from('caf\xe9.txt', 'latin1');
  expect(decodePath(latin, 0, latin.length)).toBe('"caf\\351.txt"');
});

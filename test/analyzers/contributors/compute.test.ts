import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commitCoverage } from '../../../analyzers/contributors/compute.ts';

/** a - b - d(merge of b, c) - e; c branches off a. */
const COMMITS = [
  { sha: 'a', parents: [] },
  { sha: 'b', parents: ['a'] },
  { sha: 'c', parents: ['a'] },
  { sha: 'd', parents: ['b', 'c'] },
  { sha: 'e', parents: ['d', 'unknown'] },
];
const coverage = (...heads: [string, boolean][]) =>
  Object.fromEntries(
    commitCoverage(
      COMMITS,
      heads.map(([sha, successful]) => ({ sha, successful })),
    ),
  );

test('a run covers its head and what that contains', () => {
  expect(coverage(['b', true])).toEqual({ a: true, b: true });
  expect(coverage(['d', true])).toEqual({ a: true, b: true, c: true, d: true });
});

test('one successful run is enough; a commit that none contains has no row', () => {
  expect(coverage(['e', false], ['b', true])).toEqual({ a: true, b: true, c: false, d: false, e: false });
  expect(coverage(['b', true], ['b', false])).toEqual({ a: true, b: true });
  expect(coverage(['of a pull request', true])).toEqual({});
});

test('is the same as asking every pair', () => {
  const graph = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 3 }), { minLength: 1, maxLength: 30 }).map((list) =>
    list.map((links, index) => ({
      sha: String(index),
      parents: links.filter((parent) => parent < index).map(String),
    })),
  );
  const heads = fc.array(fc.record({ sha: fc.nat({ max: 35 }).map(String), successful: fc.boolean() }), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(graph, heads, (commits, runs) => {
      const contains = (head: string, sha: string): boolean => {
        const commit = commits.find((each) => each.sha === head);
        return commit !== undefined && (head === sha || commit.parents.some((parent) => contains(parent, sha)));
      };
      const found = commitCoverage(commits, runs);
      for (const { sha } of commits) {
        const over = runs.filter((run) => contains(run.sha, sha));
        expect(found.get(sha)).toBe(over.length === 0 ? undefined : over.some(({ successful }) => successful));
      }
    }),
    { numRuns: 200 },
  );
});

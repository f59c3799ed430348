import { createGitDecoder } from '../../../collectors/git/decode.ts';
import { createRowMaker } from '../../../collectors/git/rows.ts';
import { type CaseInput, type CaseResult, runCases } from '../../support/cases.ts';
import { TEST_PEOPLE } from '../../support/git-collect.ts';
import { type LogCommit, logBytes } from './log-bytes.ts';

const MAILMAP = new Map([['Bob <bob@old.example>', 'Robert <bob@example.com>']]);

/** Bytes as git wrote them, or commits that the builder writes; out come both kinds of rows, then who was met. */
function decode(input: CaseInput): CaseResult {
  const bytes = input.format === 'hex' ? input.bytes : logBytes(input.value as LogCommit[]);
  const decoder = createGitDecoder();
  const decoded = [decoder.push(bytes), decoder.end()];
  const maker = createRowMaker({ repository: 'r', versionMs: 1, gone: false, people: TEST_PEOPLE });
  const rows = maker.make(
    decoded.flatMap(({ commits }) => commits),
    MAILMAP,
  );
  return {
    expected: [...rows.commits, ...rows.files],
    rejects: decoded.flatMap(({ rejects }) => rejects),
  };
}

runCases('test/collectors/git/cases', decode);

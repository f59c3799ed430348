import { expect, test } from 'vitest';
import { ROOMS, sourceFiles } from '../support/source-tree.ts';

/** A file has one reason to be opened, a function fits on a screen. */
const FILE_LINES_MAX = 330;
const FUNCTION_LINES_MAX = 80;

const files = sourceFiles(ROOMS);

test('files stay small', () => {
  const long = files.filter((file) => file.text.split('\n').length > FILE_LINES_MAX).map((file) => file.path);
  expect(long).toEqual([]);
});

/** Functions that begin at the left margin or one step in, by their closing brace at the same depth. */
function functionLengths(text: string): { name: string; lines: number }[] {
  const lines = text.split('\n');
  return lines.flatMap((line, start) => {
    const match = /^( {0,2})(?:export )?(?:async )?(?:function\*? (\w+)|(?:static )?(?:async )?\*?(#?\w+)\(.*\{$)/.exec(
      line,
    );
    if (match === null || /^\s*(if|for|while|switch|return)\b/.test(line)) return [];
    const end = lines.findIndex((each, index) => index > start && each.startsWith(`${match[1]}}`));
    return end === -1 ? [] : [{ name: match[2] ?? match[3] ?? '', lines: end - start + 1 }];
  });
}

test('functions fit on a screen', () => {
  const long = files.flatMap((file) =>
    functionLengths(file.text)
      .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
      .map(({ name, lines }) => `${file.path} ${name} ${lines}`),
  );
  expect(long).toEqual([]);
});

test('what is banned is named with its replacement', () => {
  const banned: [RegExp, string, RegExp][] = [
    [/\bprocess\.env\b/, 'settings come from app/config', /^app\/config\/environment\.ts$/],
    [/\bconsole\.\w+\(/, 'the log is an argument', /^dashboards\/viewer\/page\//],
    [/\bsetInterval\(/, 'periodic work is a job of app/scheduler', /^dashboards\/viewer\/page\//],
    [/\bFIXME\b|\bT[O]DO\b/, 'do it or file it', /^$/],
    [/@ts-(ignore|nocheck|expect-error)/, 'fix the type', /^$/],
    [/\bas any\b|: any\b/, 'unknown, and a check', /^$/],
  ];
  const found = files.flatMap((file) =>
    banned
      .filter(([pattern, , except]) => !except.test(file.path) && pattern.test(file.text))
      .map(([pattern, instead]) => `${file.path}: ${pattern.source} → ${instead}`),
  );
  expect(found).toEqual([]);
});

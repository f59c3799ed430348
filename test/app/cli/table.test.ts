import { expect, test } from 'vitest';
import { cellText, csvText, textTable } from '../../../app/cli/table.ts';

test('a table is aligned and has no trailing spaces', () => {
  expect(
    textTable(
      ['route', 'n'],
      [
        ['/a', '1'],
        ['/größer', '100'],
        ['', ''],
      ],
      ['left', 'right'],
    ),
  ).toBe(['route      n', '-------  ---', '/a         1', '/größer  100', '', ''].join('\n'));
});

test.each([
  [null, '-'],
  [0, '0'],
  [12, '12'],
  [12.3456789, '12.3457'],
  ['a\tb\u001b[31m', 'a b [31m'],
  [{ a: 1 }, '{"a":1}'],
])('the cell of %j is %s', (value, text) => {
  expect(cellText(value)).toBe(text);
});

test('CSV quotes what needs it and leaves unknown empty', () => {
  expect(
    csvText(
      ['a', 'b'],
      [
        ['x,y', 'say "hi"'],
        [null, 'two\nlines'],
        [0, 'plain'],
      ],
    ),
  ).toBe('a,b\n"x,y","say ""hi"""\n,"two\nlines"\n0,plain\n');
});

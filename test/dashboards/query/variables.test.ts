import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sqlString } from '../../../dashboards/query/escape.ts';
import { expandConditionalAll, interpolate, isAll, variableNames } from '../../../dashboards/query/variables.ts';

/** Reads a ClickHouse string literal at the start of a text: its value, and what follows it. */
function readLiteral(text: string): { value: string; rest: string } {
  expect(text[0]).toBe("'");
  let value = '';
  let at = 1;
  while (text[at] !== "'") {
    if (at >= text.length) throw new Error('the literal never closes');
    if (text[at] === '\\') {
      value += text[at + 1] === '0' ? '\0' : text[at + 1];
      at += 2;
    } else {
      value += text[at];
      at += 1;
    }
  }
  return { value, rest: text.slice(at + 1) };
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom("'", '\\', '\0', '"', '`', '$', '{', '}', '-', '/', '*', '\n', ')', ',', 'x', '🌞'),
  }),
  fc.constantFrom(
    "'; DROP TABLE x --",
    "\\'",
    '\\',
    "' OR 1=1",
    '${service}',
    '$__fromTime',
    '$__conditionalAll(',
    "x' /*",
  ),
);

describe('values in SQL', () => {
  test('a literal reads back as its value, and nothing of the value stands outside it', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        expect(readLiteral(`${sqlString(value)} tail`)).toEqual({ value, rest: ' tail' });
      }),
    );
  });

  test('several values are quoted one by one, and a value is never read as a variable or a macro', () => {
    fc.assert(
      fc.property(
        fc.array(
          hostile.filter((value) => !isAll([value])),
          { minLength: 1, maxLength: 4 },
        ),
        (values) => {
          let rest = interpolate('${x:singlequote} ${x:singlequote}', new Map([['x', values]]));
          for (let round = 0; round < 2; round += 1) {
            values.forEach((value, index) => {
              const literal = readLiteral(rest);
              expect(literal.value).toBe(value);
              rest = literal.rest.slice(index < values.length - 1 || round === 0 ? 1 : 0);
            });
          }
          expect(rest).toBe('');
        },
      ),
    );
  });

  test('a value cannot be pasted unquoted, and a missing one is named', () => {
    const values = new Map([['x', ['1']]]);
    expect(() => interpolate('${x}', values)).toThrow('without :singlequote');
    expect(() => interpolate('${x:raw}', values)).toThrow('without :singlequote');
    expect(() => interpolate('${y:singlequote}', values)).toThrow('var-y is required');
    expect(() => interpolate('${y:singlequote}', new Map([['y', ['$__all']]]))).toThrow('var-y is required');
  });
});

describe('$__conditionalAll', () => {
  const sql = 'WHERE $__conditionalAll(route IN (${route:singlequote}), $route) AND 1';
  test.each([
    ['nothing', undefined],
    ['All', ['All']],
    ['$__all', ['$__all']],
    ['an empty text', ['']],
  ])('%s means every option', (_name, values) => {
    const map = new Map(values === undefined ? [] : [['route', values]]);
    expect(expandConditionalAll(sql, map)).toBe('WHERE 1=1 AND 1');
  });

  test('a choice keeps the condition, commas included', () => {
    const values = new Map([['route', ['/a']]]);
    expect(expandConditionalAll(sql, values)).toBe('WHERE route IN (${route:singlequote}) AND 1');
    expect(expandConditionalAll('$__conditionalAll(f(a, b), c, ${route})', values)).toBe('f(a, b), c');
  });

  test('without a variable it is refused', () => {
    expect(() => expandConditionalAll('$__conditionalAll(1)', new Map())).toThrow('a condition and a variable');
  });
});

test('names of variables leave macros out', () => {
  expect(variableNames('$__fromTime ${a:singlequote} $b ${__data.fields.c} ${a}')).toEqual(['a', 'b']);
});

test('All stands for what the board says, and a value that says All for nothing else', () => {
  const allValues = new Map([['target', "''"]]);
  const sql = 'target=${target:singlequote}, service=${service:singlequote}';
  const values = (target: string) =>
    new Map([
      ['service', ['shop']],
      ['target', [target]],
    ]);
  for (const all of ['$__all', 'All', ''])
    expect(interpolate(sql, values(all), allValues)).toBe("target='', service='shop'");
  expect(interpolate(sql, new Map([['service', ['shop']]]), allValues)).toBe("target='', service='shop'");
  expect(interpolate(sql, values("'')"), allValues)).toBe("target='\\'\\')', service='shop'");
  expect(() => interpolate(sql, values('$__all'))).toThrow('var-target is required');
});

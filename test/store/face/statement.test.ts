import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineException } from '../../../store/embedded/exception.ts';
import { readStatement } from '../../../store/face/statement.ts';

const codeOf = (sql: string): number => {
  try {
    readStatement(sql);
    return 0;
  } catch (error) {
    return error instanceof EngineException ? error.engineCode : -1;
  }
};

describe('what is judged is what runs', () => {
  test.each([
    ['SELECT 1', 'SELECT 1'],
    [' ( SELECT/**/1 ) ;; ', '( SELECT 1 )'],
    ['SELECT 1 -- a\n, /* b /* c */ */ 2 // d\n # e\n', 'SELECT 1 , 2'],
    ['SELECT \'-- a\', "/* b */", `# c`', 'SELECT \'-- a\', "/* b */", `# c`'],
    ['SELECT a.b, c::Int8, d->e, 1.5e-3, x || y', 'SELECT a.b, c::Int8, d->e, 1.5e-3, x || y'],
    ['SHOW TABLES', 'SHOW TABLES'],
  ])('%j becomes %j', (sql, expected) => {
    expect(readStatement(sql).sql).toBe(expected);
  });

  test('the statement whose tree is read has no line break in any string', () => {
    const { sql, probe } = readStatement("SELECT 'a\nb', 'c\\nd', 'e\\x0af', 'g\\\\n', 'h\\'i', '\\d\u2028'");
    expect(sql).toContain("'a\nb', 'c\\nd'");
    expect(probe).toBe("SELECT 'a b', 'c d', 'e f', 'g\\\\n', 'h\\'i', '\\d '");
  });
});

describe('the format', () => {
  test.each([
    ['SELECT 1 FORMAT JSON', 'SELECT 1', 'JSON'],
    ['SELECT 1 format jsoncompact;', 'SELECT 1', 'JSONCompact'],
    ['SHOW TABLES FORMAT TSV', 'SHOW TABLES', 'TSV'],
    ["SELECT format('{}', 1)", "SELECT format('{}', 1)", undefined],
    ['SELECT 1 AS format', 'SELECT 1 AS format', undefined],
    ['SELECT format FROM t', 'SELECT format FROM t', undefined],
  ])('%j', (text, sql, format) => {
    expect(readStatement(text)).toMatchObject({ sql, format });
  });

  test.each(['SELECT 1 FORMAT CSV', 'SELECT 1 FORMAT Template'])('refused: %j', (sql) => expect(codeOf(sql)).toBe(497));
  test.each(['SELECT 1 FORMAT JSON FORMAT JSON', 'SELECT 1 FORMAT "JSON"', 'SELECT 1 FORMAT JSON x'])(
    'not read: %j',
    (sql) => expect(codeOf(sql)).toBe(62),
  );
});

test.each([
  'SELECT displayName(), version(), revision(), timezone()',
  'select DISPLAYNAME( ) ,version(), revision(),timezone() ;',
  'SELECT displayName(), /* x */ version(), revision(), timezone() FORMAT Native',
])('a hello: %j', (sql) => expect(readStatement(sql).kind).toBe('hello'));

test.each([
  'SELECT displayName(), version(), revision(), timezone(), 1',
  'SELECT displayName(), version(), revision(), timezone() FROM x',
  '(SELECT displayName(), version(), revision(), timezone())',
  "SELECT displayName(), version(), revision(), timezone('')",
  'SELECT "displayName"(), version(), revision(), timezone()',
])('not a hello: %j', (sql) => expect(readStatement(sql).kind).toBe('select'));

describe('SHOW, DESCRIBE and EXISTS', () => {
  test.each([
    'SHOW DATABASES',
    "SHOW DATABASES LIKE 'b%' LIMIT 3",
    'SHOW TABLES FROM boards',
    "SHOW FULL TABLES IN `boards` NOT ILIKE '%x'",
    'DESC services',
    'DESCRIBE TABLE "boards"."services"',
    'DESC system.columns',
    'EXISTS boards.services',
    'EXISTS VIEW services',
    'EXISTS DATABASE boards',
    'DESC table',
  ])('%j', (sql) => expect(readStatement(sql).kind).toBe('describe'));

  test.each([
    'SHOW',
    'SHOW TABLES FROM',
    'SHOW TABLES LIKE x',
    'SHOW TABLES WHERE 1',
    "SHOW TABLES LIKE 'a' OR 1",
    'SHOW TEMPORARY TABLES',
    'DESC',
    'DESC heliograph.x',
    'DESC boards.x.y',
    'DESC boards.x(from = 1)',
    'DESC (SELECT 1)',
    'DESC system.processes',
    'EXISTS people.x',
    'EXISTS TEMPORARY TABLE x',
  ])('refused: %j', (sql) => expect(codeOf(sql)).toBe(497));
});

test.each([
  '{t:Identifier}',
  '{t:identifier}',
  '{ t /* */ : Identifier }',
  '{t:AggregateFunction(sum, UInt8)}',
  '{t:Array(AggregateFunction(sum, UInt8))}',
  '{t:SimpleAggregateFunction(sum, UInt8)}',
  '{t:"Identifier"}',
])('a parameter that no wall can see is refused: %s', (parameter) =>
  expect(codeOf(`SELECT ${parameter} FROM x`)).toBe(497),
);
test('other parameters pass', () => {
  expect(codeOf("SELECT {a:String}, {b:Array(UInt8)}, {c:DateTime64(3, 'UTC')}")).toBe(0);
});

test('any text is read or refused, and what is read reads the same again', () => {
  const unit = fc.constantFrom(
    'SELECT ',
    'WITH ',
    'FORMAT ',
    'JSON',
    'INTO ',
    'file',
    '(',
    ')',
    '{',
    '}',
    ':',
    ',',
    ';',
    '.',
    ' ',
    '\n',
    '\\',
    "'",
    '"',
    '`',
    '$',
    '--',
    '/*',
    '*/',
    '//',
    '#',
    '‘',
    '”',
    '\0',
    '\u00a0',
    'x',
    '1',
    '@',
  );
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 40 }), (parts) => {
      let first: ReturnType<typeof readStatement>;
      try {
        first = readStatement(`SELECT ${parts.join('')}`);
      } catch (error) {
        expect(error).toBeInstanceOf(EngineException);
        return;
      }
      const again = readStatement(first.sql);
      expect(again.sql).toBe(first.sql);
      expect(first.sql).not.toMatch(/\0/);
    }),
    { numRuns: 3_000 },
  );
});

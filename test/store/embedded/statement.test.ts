import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineException } from '../../../store/embedded/exception.ts';
import { tokenize } from '../../../store/embedded/lexer.ts';
import { planStatement } from '../../../store/embedded/statement.ts';

const plan = (sql: string, format = 'TabSeparated') => planStatement(Buffer.from(sql).toString('latin1'), format);

function rendered(sql: string): string {
  const planned = plan(sql);
  return planned.kind === 'plain' ? planned.sql : planned.sql('/p');
}

describe('tokenize', () => {
  it('knows strings, identifiers, comments and heredocs from words', () => {
    const sql = `a 'it''s \\' b' "c;" \`d;\` -- e;\n/* f; /* g; */ h; */ # i;\n$x$ j; $x$ k(l[1], {m:String})`;
    expect([...tokenize(sql)].map((token) => token.text)).toEqual([
      'a',
      `'it''s \\' b'`,
      '"c;"',
      '`d;`',
      '$x$ j; $x$',
      'k',
      '(',
      'l',
      '[',
      '1',
      ']',
      ',',
      '{',
      'm',
      ':',
      'String',
      '}',
      ')',
    ]);
  });

  it('takes two slashes for a comment, as the engine does', () => {
    expect([...tokenize("a // ' b\nc / d")].map((token) => token.text)).toEqual(['a', 'c', '/', 'd']);
  });

  it('counts brackets', () => {
    expect([...tokenize('a (b [c]) d')].map((token) => `${token.text}${token.depth}`)).toEqual([
      'a0',
      '(0',
      'b1',
      '[1',
      'c2',
      ']1',
      ')0',
      'd0',
    ]);
  });

  it('comes to an end on any text, and every token is where it says', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...`'"\`$-#/*\\ \n();aZ1_.x`.split('')) }), (sql) => {
        let end = 0;
        for (const token of tokenize(sql)) {
          expect(token.start).toBeGreaterThanOrEqual(end);
          expect(token.end).toBeGreaterThan(token.start);
          expect(sql.slice(token.start, token.end)).toBe(token.text);
          end = token.end;
        }
      }),
    );
  });
});

describe('planStatement', () => {
  it.each([
    ['SELECT 1', "SELECT 1\nINTO OUTFILE '/p' APPEND FORMAT TabSeparated"],
    ['SELECT 1 format JSON;', "SELECT 1 \nINTO OUTFILE '/p' APPEND FORMAT JSON"],
    [
      'SELECT 1 -- ;\n FORMAT JSON SETTINGS a = 1',
      "SELECT 1 -- ;\n \nINTO OUTFILE '/p' APPEND FORMAT JSON SETTINGS a = 1",
    ],
    ["SELECT 'ü' SETTINGS a = 1 -- end", "SELECT 'ü' SETTINGS a = 1\nINTO OUTFILE '/p' APPEND FORMAT TabSeparated"],
    ['WITH 1 AS x SELECT x', "WITH 1 AS x SELECT x\nINTO OUTFILE '/p' APPEND FORMAT TabSeparated"],
    ["(SELECT 'FORMAT CSV')", "(SELECT 'FORMAT CSV')\nINTO OUTFILE '/p' APPEND FORMAT TabSeparated"],
    ['SHOW TABLES FORMAT JSON ;', 'SHOW TABLES FORMAT JSON'],
    ['WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x', 'WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x'],
    ['INSERT INTO t (a, b) FORMAT CSV', "INSERT INTO t (a, b)  FROM INFILE '/p'  FORMAT CSV"],
    ['INSERT INTO t SETTINGS a = 1 FORMAT CSV', "INSERT INTO t  FROM INFILE '/p' SETTINGS a = 1  FORMAT CSV"],
    ['insert into d.values values', "insert into d.values  FROM INFILE '/p'  FORMAT Values"],
    [
      "INSERT INTO t SELECT a FROM input('a Int8') FORMAT TSV",
      "INSERT INTO t SELECT a FROM file('/p', 'TSV', 'a Int8') ",
    ],
    ['INSERT INTO t SELECT format x FROM y', 'INSERT INTO t SELECT format x FROM y'],
  ])('directs %s', (sql, expected) => {
    expect(rendered(sql)).toBe(expected);
  });

  it.each([
    ['INSERT INTO t FORMAT CSV\n1;2', '1;2'],
    ['INSERT INTO t FORMAT CSV 1', '1'],
    ['INSERT INTO t FORMAT CSV;\r\n\n1', '\n1'],
    ["INSERT INTO t VALUES (1, 'FORMAT')", " (1, 'FORMAT')"],
    ['INSERT INTO t FORMAT TSV', ''],
  ])('finds the data in %j', (sql, data) => {
    const planned = plan(sql);
    expect(planned.kind === 'insert' && sql.slice(planned.dataAt)).toBe(data);
  });

  it.each([
    '',
    ' -- nothing\n',
    'SELECT 1; SELECT 2',
    "SELECT 1 INTO OUTFILE 'x'",
    "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
    'INSERT INTO t',
    'INSERT INTO t SELECT 1; DROP TABLE t',
  ])('refuses %j', (sql) => {
    expect(() => plan(sql)).toThrow(EngineException);
  });

  it('does not read the data behind an INSERT', () => {
    const data = "'".repeat(8 * 1024 * 1024);
    expect(plan(`INSERT INTO t FORMAT CSV\n${data}`).kind).toBe('insert');
  });
});

/** Seeded changes of attack statements: the same number gives the same statement. */
import { tokenize } from '../../../store/embedded/lexer.ts';

export interface Mutations {
  /** The statement of this number, with how it came about. */
  at(index: number): { sql: string; from: string };
}

type Random = () => number;
type Change = (sql: string, random: Random) => string;

/** Mutations of `attacks`, mixed with what passes. */
export function createMutations(attacks: readonly string[], passing: readonly string[], seed: number): Mutations {
  const changes = changesWith(attacks, passing);
  return {
    at(index) {
      const random = mulberry32(seed * 1_000_003 + index);
      const from = pick(attacks, random);
      let sql = from;
      for (let left = 1 + Math.floor(random() ** 2 * 4); left > 0; left--) sql = pick(changes, random)(sql, random);
      return { sql: sql.slice(0, 20_000), from };
    },
  };
}

const BLANKS = [
  '/**/',
  '/* x */',
  '/* /* */ */',
  '/* /* */',
  '*/',
  '-- x\n',
  "-- '\n",
  '// x\n',
  "// '\n",
  '# x\n',
  '#!\n',
  '#x\n',
  ' ',
  '\n',
  '\r',
  '\t',
  '\u000b',
  '\u000c',
  '\u00a0',
  '\u2028',
  '\u3000',
  '\u200b',
  '\ufeff',
  '\0',
  '',
];
const FRAGMENTS = [
  "file('{secret}')",
  "(SELECT file('{secret}'))",
  'heliograph.canary',
  'people.canary',
  'system.processes',
  "INTO OUTFILE '{out}'",
  'SETTINGS readonly = 0',
  'FORMAT Null',
  'FORMAT JSON',
  ';',
  'APPLY(file)',
  '* APPLY file',
  "REPLACE(file('{secret}') AS a)",
  'FROM heliograph.canary',
  'IN (SELECT value FROM people.canary)',
  'AS file',
  "'",
  '"',
  '`',
  '\\',
  "\\'",
  '$$',
  '$x$',
  '‘',
  '’',
  '“',
  '”',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  '.',
  '::',
  '->',
  '=>',
  "x'0a'",
  "'\\n  FUNCTION id: 3'",
  '"a, function_name: count"',
  '{t:Identifier}',
  '{t:String}',
  "arrayMap(file, ['{secret}'])",
  "view(SELECT file('{secret}'))",
  "url('http://127.0.0.1:1/')",
  "merge('heliograph', '.*')",
  "COLUMNS('.*')",
  'EXPLAIN',
];
const WRAPS: readonly ((sql: string, other: string) => string)[] = [
  (sql) => `SELECT (${sql})`,
  (sql) => `SELECT * FROM (${sql})`,
  (sql) => `WITH w AS (${sql}) SELECT * FROM w`,
  (sql) => `SELECT 1 IN (${sql})`,
  (sql) => `SELECT EXISTS(${sql})`,
  (sql) => `(${sql})`,
  (sql, other) => `${other} UNION ALL ${sql}`,
  (sql, other) => `${sql} UNION ALL ${other}`,
  (sql, other) => `${other}; ${sql}`,
  (sql, other) => `${other} ${sql}`,
  (sql, other) => `WITH (${sql}) AS w ${other}`,
  (sql) => `EXPLAIN ${sql}`,
  (sql) => `DESCRIBE (${sql})`,
  (sql) => `SELECT arrayMap(x -> (${sql}), [1])`,
  (sql) => `SELECT '${sql}'`,
  (sql) => `SELECT /* ${sql} */ 1`,
  (sql) => `SELECT 1 -- ${sql}`,
];

function changesWith(attacks: readonly string[], passing: readonly string[]): readonly Change[] {
  const anyOther = (random: Random): string => pick(random() < 0.5 ? attacks : passing, random);
  return [
    // another statement's tokens in the place of one of these
    (sql, random) => {
      const other = pieces(anyOther(random));
      const from = Math.floor(random() * other.length);
      const run = other.slice(from, from + 1 + Math.floor(random() * 6));
      return changePiece(sql, random, () => run.join(''));
    },
    (sql, random) => changePiece(sql, random, (piece) => flipCase(piece, random)),
    (sql, random) => changePiece(sql, random, (piece) => pick(BLANKS, random) + piece),
    (sql, random) => changePiece(sql, random, (piece) => requote(piece, random)),
    (sql, random) => changePiece(sql, random, (piece) => piece.repeat(2 + Math.floor(random() * 3))),
    (sql, random) => changePiece(sql, random, () => ''),
    (sql, random) => changePiece(sql, random, (piece) => `${piece} ${pick(FRAGMENTS, random)} `),
    (sql, random) => changePiece(sql, random, () => ` ${pick(FRAGMENTS, random)} `),
    (sql, random) => pick(WRAPS, random)(sql, pick(passing, random)),
    // one character somewhere, as no token would have it
    (sql, random) => {
      const at = Math.floor(random() * (sql.length + 1));
      return sql.slice(0, at) + pick([...BLANKS, ...FRAGMENTS], random) + sql.slice(at + Math.floor(random() * 2));
    },
  ];
}

/** The text cut at its tokens; what stands between them goes with the next. */
function pieces(sql: string): string[] {
  const out: string[] = [];
  let end = 0;
  for (const token of tokenize(sql)) {
    out.push(sql.slice(end, token.end));
    end = token.end;
  }
  return [...out, sql.slice(end)];
}

function changePiece(sql: string, random: Random, change: (piece: string) => string): string {
  const all = pieces(sql);
  const index = Math.floor(random() * all.length);
  return all.map((piece, at) => (at === index ? change(piece) : piece)).join('');
}

function flipCase(text: string, random: Random): string {
  return Array.from(text, (char) => (random() < 0.5 ? char.toUpperCase() : char.toLowerCase())).join('');
}

function requote(piece: string, random: Random): string {
  const bare = piece.trim().replace(/^['"`]|['"`]$/g, '');
  const [open, close] = pick(
    [
      ["'", "'"],
      ['"', '"'],
      ['`', '`'],
      ['‘', '’'],
      ['“', '”'],
      ['$$', '$$'],
      ['$a b$', '$a b$'],
      ["x'", "'"],
      ["b'", "'"],
      ['', ''],
      ["'", ''],
      ['`', "'"],
    ] as const,
    random,
  );
  return ` ${open}${bare}${close}`;
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** A small generator with 32 bits of state: the same seed gives the same numbers on every machine. */
function mulberry32(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

import { expect, test } from 'vitest';
import { EngineException } from '../../../store/embedded/exception.ts';
import { judgeTree } from '../../../store/face/judge.ts';

const FUNCTIONS = new Set(['file', 'count', 'arraymap', 'equals', 'user']);

/** A query with these lines as its projection. */
const tree = (...lines: string[]): string =>
  ['QUERY id: 0', '  PROJECTION', `    LIST id: 1, nodes: 1`, ...lines.map((line) => `      ${line}`)].join('\n');

function judged(text: string): string {
  try {
    judgeTree(text, FUNCTIONS);
    return 'passes';
  } catch (error) {
    if (!(error instanceof EngineException)) throw error;
    return error.message.replace(' (the read-only face)', '');
  }
}

test('what is allowed passes', () => {
  expect(judged(tree('FUNCTION id: 2, function_name: count, function_type: ordinary', ''))).toBe('passes');
  expect(judged(tree('FUNCTION id: 2, alias: a, function_name: COUNT, function_type: window'))).toBe('passes');
  expect(judged(tree('FUNCTION id: 2, function_name: any, function_type: window, nulls_action : IGNORE_NULLS'))).toBe(
    'passes',
  );
});

test.each([
  ['FUNCTION id: 2, function_name: file, function_type: ordinary', /^Function file is refused/],
  // the last name is the engine's; one in an alias is the reader's
  [
    'FUNCTION id: 2, alias: a, function_name: count, function_type: ordinary, function_name: file, function_type: ordinary',
    /^Function file is refused/,
  ],
  ['FUNCTION id: 2, function_name: a b, function_type: ordinary', /cannot be read/],
  ['FUNCTION id: 2', /cannot be read/],
  ['TABLE_FUNCTION id: 2, table_function_name: url', /^Table function url is refused/],
  ['TABLE_FUNCTION id: 2, table_function_name: boards.x.y', /^Table function boards\.x\.y is refused/],
  ['IDENTIFIER id: 2, identifier: system.processes', /^system\.processes is refused/],
  ['IDENTIFIER id: 2, identifier: INFORMATION_SCHEMA.tables', /is refused/],
])('%s', (line, message) => {
  expect(judged(tree(line))).toMatch(message);
});

test.each([
  ['a kind of node nobody has looked at', 'TELEPORT id: 2, to: file'],
  ['a section nobody has looked at', 'SOMEWHERE ELSE'],
  ['a number that is not its turn', 'CONSTANT id: 3, constant_value: UInt64_1, constant_value_type: UInt8'],
  ['a number that was given', 'CONSTANT id: 1, constant_value: UInt64_1, constant_value_type: UInt8'],
  ['the rest of a broken line', "y', constant_value_type: String"],
])('%s cannot be read', (_name, line) => {
  expect(judged(tree(line))).toContain('cannot be read');
});

test('a tree needs a root, and has one', () => {
  expect(judged('')).toContain('cannot be read');
  expect(judged('PROJECTION')).toContain('cannot be read');
  expect(judged('QUERY id: 0\nQUERY id: 1')).toContain('cannot be read');
});

const from = (line: string, section = 'JOIN TREE'): string =>
  judged(['QUERY id: 0', '  PROJECTION', '    LIST id: 1, nodes: 0', `  ${section}`, `    ${line}`].join('\n'));

test.each([
  ['boards.otel_traces', 'passes'],
  ['cte', 'passes'],
  ['system.columns', 'passes'],
  ['system.processes', 'Table system.processes is refused'],
  ['System.columns', 'Table System.columns is refused'],
  ['otel.otel_traces', 'Table otel.otel_traces is refused'],
  ['boards.a, identifier: people.x', 'Table people.x is refused'],
])('a table: %s', (name, outcome) => {
  expect(from(`IDENTIFIER id: 2, alias: t, identifier: ${name}, final: 0, sample_size: 1 / 10`)).toBe(outcome);
  expect(from(`IDENTIFIER id: 2, identifier: ${name}`, 'LEFT TABLE EXPRESSION')).toBe(outcome);
});

const call = (name: string, ...args: string[]): string =>
  judged(
    [
      'QUERY id: 0',
      '  PROJECTION',
      '    LIST id: 1, nodes: 1',
      `      FUNCTION id: 2, function_name: ${name}, function_type: ordinary`,
      '        ARGUMENTS',
      `          LIST id: 3, nodes: ${args.length}`,
      ...args.map((line, index) => `            ${line.replace(' ', ` id: ${4 + index}, `)}`),
    ].join('\n'),
  );
const column = (name: string): string => `IDENTIFIER identifier: ${name}`;
const text = (value: string): string => `CONSTANT constant_value: '${value}', constant_value_type: String`;

test('a function handed to another by its bare name is one that is called', () => {
  expect(call('arrayMap', column('file'), column('xs'))).toMatch(/^file is also a function/);
  expect(call('arrayMap', column('FILE'), column('xs'))).toMatch(/^FILE is also a function/);
  expect(call('arrayMap', column('upper'), column('xs'))).toBe('passes');
  expect(call('arraySum', column('file'))).toBe('passes');
  expect(call('equals', column('file'), text('main.go'))).toBe('passes');
  expect(call('arrayMap', column('t.file'), column('xs'))).toBe('passes');
});

test('the second argument of IN may be a table', () => {
  expect(call('in', column('x'), column('system.processes'))).toBe('Table system.processes is refused');
  expect(call('globalNotNullInIgnoreSet', column('x'), column('otel.y'))).toBe('Table otel.y is refused');
  expect(call('in', column('otel.x'), column('boards.y'))).toBe('passes');
});

test('types and aggregate functions named by a text are looked at', () => {
  expect(call('CAST', column('x'), text('UInt8'))).toBe('passes');
  expect(call('CAST', column('x'), text('AggregateFunction(sum, UInt8)'))).toMatch(/no state of an aggregate/);
  expect(call('accurateCastOrNull', column('x'), column('t'))).toMatch(/written out/);
  expect(call('arrayReduce', text('quantileIf(0.5)'), column('x'), column('y'))).toBe('passes');
  expect(call('arrayReduce', text('aggThrow(1)'), column('x'))).toMatch(/allowed aggregate/);
  expect(call('arrayReduce', column('name'), column('x'))).toMatch(/allowed aggregate/);
});

test('a lambda may have a name, but not that of a function', () => {
  const named = (name: string, given = 'y'): string =>
    judged(
      [
        'QUERY id: 0',
        '  WITH',
        '    LIST id: 1, nodes: 1',
        `      LAMBDA id: 2, alias: ${name}`,
        '        ARGUMENTS ',
        '          LIST id: 3, nodes: 1',
        '            IDENTIFIER id: 4, identifier: x',
        '        EXPRESSION ',
        '          IDENTIFIER id: 5, identifier: x',
        '  PROJECTION',
        '    LIST id: 6, nodes: 1',
        `      FUNCTION id: 7, function_name: ${name}, function_type: ordinary`,
        '        ARGUMENTS',
        '          LIST id: 8, nodes: 1',
        `            IDENTIFIER id: 9, identifier: ${given}`,
      ].join('\n'),
    );
  expect(named('twice')).toBe('passes');
  expect(named('twice', 'file')).toMatch(/^file is also a function/);
  for (const name of ['file', 'arrayMap', 'countIf', 'exists'])
    expect(named(name)).toBe(`A lambda may not be named ${name}, like a function`);
});

/**
 * What a request asks of the engine. The library takes one text and gives one buffer; a server takes a text plus data and
 * gives a stream. The two meet by giving the engine a file to read (`FROM INFILE`) and a named pipe to write (`INTO
 * OUTFILE`), and this file finds the places in the text where those clauses go.
 */
import { stringLiteral } from '../sql.ts';
import { EngineException } from './exception.ts';
import { isKeyword, type Token, tokenize } from './lexer.ts';

/** A statement whose result can be streamed through a pipe. */
export interface StreamPlan {
  kind: 'stream';
  format: string;
  /** The statement with its output directed into the pipe at `path`. */
  sql(path: string): string;
}

/** An INSERT that reads its data from a file. */
export interface InsertPlan {
  kind: 'insert';
  /** Where data that stand in the text itself begin; its length where there are none. */
  dataAt: number;
  sql(path: string): string;
}

/** Everything else: a small result or none, taken as one buffer. */
export interface PlainPlan {
  kind: 'plain';
  format: string;
  sql: string;
}

export type Plan = StreamPlan | InsertPlan | PlainPlan;

const syntaxError = (message: string): EngineException => new EngineException(62, 'SYNTAX_ERROR', message);

/**
 * Plans a statement. `latin1` holds one character per byte, so that offsets into it are byte offsets; data may follow the
 * text of an INSERT. `defaultFormat` is used where the statement names none. Throws `EngineException` for an empty text, for
 * several statements, and for clauses that reach for the machine's files.
 */
export function planStatement(latin1: string, defaultFormat: string): Plan {
  const tokens = tokenize(latin1);
  const first = tokens.next().value as Token | undefined;
  if (first === undefined) throw syntaxError('Empty query');
  if (isKeyword(first, 'INSERT')) return planInsert(latin1, tokens);

  const all = oneStatement([first, ...tokens]);
  refuseClause(all, 'INTO', 'OUTFILE');
  const format = trailingFormat(all);
  const name = format?.name ?? defaultFormat;
  const end = all.at(-1)?.end ?? 0;
  if (!canStream(all)) return { kind: 'plain', format: name, sql: utf8(latin1, 0, end) };
  const head = utf8(latin1, 0, format?.start ?? end);
  const tail = `FORMAT ${name}${format === undefined ? '' : utf8(latin1, format.end, end)}`;
  return { kind: 'stream', format: name, sql: (path) => `${head}\nINTO OUTFILE ${stringLiteral(path)} APPEND ${tail}` };
}

function utf8(latin1: string, from: number, to: number): string {
  return Buffer.from(latin1.slice(from, to), 'latin1').toString('utf8');
}

/** Statements that end in an output clause and may be long. `WITH … INSERT` is not one of them. */
function canStream(tokens: readonly Token[]): boolean {
  const first = tokens.find((token) => token.text !== '(');
  if (isKeyword(first, 'WITH')) return !tokens.some((token) => token.depth === 0 && isKeyword(token, 'INSERT'));
  return isKeyword(first, 'SELECT') || isKeyword(first, 'FROM');
}

/** `FORMAT name` at the end of the statement, or before a closing SETTINGS clause. */
function trailingFormat(tokens: readonly Token[]): { name: string; start: number; end: number } | undefined {
  for (let index = tokens.length - 2; index > 0; index--) {
    const [token, name, after] = tokens.slice(index, index + 3);
    if (token === undefined || token.depth !== 0 || !isKeyword(token, 'FORMAT') || name?.kind !== 'word') continue;
    if (after === undefined || isKeyword(after, 'SETTINGS'))
      return { name: name.text, start: token.start, end: name.end };
  }
  return undefined;
}

/** The tokens without a closing semicolon. */
function oneStatement(tokens: readonly Token[]): readonly Token[] {
  const end = tokens.findIndex((token) => token.text === ';');
  if (end === -1) return tokens;
  if (tokens.slice(end).some((token) => token.text !== ';')) throw syntaxError('Multi-statements are not allowed');
  return tokens.slice(0, end);
}

function refuseClause(tokens: readonly Token[], word: string, next: string): void {
  const found = tokens.some((token, index) => isKeyword(token, word) && isKeyword(tokens[index + 1], next));
  if (found) throw new EngineException(48, 'NOT_IMPLEMENTED', `${word} ${next} is not allowed over HTTP`);
}

/** `INSERT INTO t [SETTINGS …] FORMAT x` and `VALUES` take data, `INSERT … SELECT` takes them through `input()` only. */
function planInsert(latin1: string, rest: Iterable<Token>): Plan {
  const { tokens, format } = readInsert(rest);
  refuseClause(tokens, 'FROM', 'INFILE');
  const select = tokens.findIndex(
    (token) => token.depth === 0 && (isKeyword(token, 'SELECT') || isKeyword(token, 'WITH')),
  );
  if (select !== -1 && format === undefined) {
    return { kind: 'plain', format: 'Null', sql: utf8(latin1, 0, oneStatement(tokens).at(-1)?.end ?? 0) };
  }
  if (format === undefined) throw syntaxError('INSERT without FORMAT, VALUES or SELECT');
  const dataAt = format.name === 'Values' ? format.end : startOfData(latin1, format.end);
  if (select !== -1) {
    const call = tokens.find((token, index) => token.text === 'input' && tokens[index + 1]?.text === '(');
    const head = utf8(latin1, 0, call?.start ?? 0);
    const tail = utf8(latin1, (call?.end ?? 0) + 1, format.start);
    return { kind: 'insert', dataAt, sql: (path) => `${head}file(${stringLiteral(path)}, '${format.name}', ${tail}` };
  }
  const settings = tokens.find((token) => token.depth === 0 && isKeyword(token, 'SETTINGS'))?.start ?? format.start;
  const head = utf8(latin1, 0, settings);
  const tail = `${utf8(latin1, settings, format.start)} FORMAT ${format.name}`;
  return { kind: 'insert', dataAt, sql: (path) => `${head} FROM INFILE ${stringLiteral(path)} ${tail}` };
}

/** Reads up to the clause behind which data begin, and no further: they may be megabytes of anything. */
function readInsert(rest: Iterable<Token>): { tokens: Token[]; format?: { name: string; start: number; end: number } } {
  const tokens: Token[] = [];
  let takesData = true;
  for (const token of rest) {
    const before = tokens.at(-1);
    const clause = token.depth === 0 && !isTableName(before);
    if (clause && (isKeyword(token, 'SELECT') || isKeyword(token, 'WITH'))) takesData = false;
    // The one way in which an INSERT … SELECT takes data.
    if (before?.text === 'input' && token.text === '(') takesData = true;
    if (takesData && clause && isKeyword(token, 'VALUES')) {
      return { tokens, format: { name: 'Values', start: token.start, end: token.end } };
    }
    if (takesData && clause && isKeyword(before, 'FORMAT') && token.kind === 'word') {
      tokens.pop();
      return { tokens, format: { name: token.text, start: before?.start ?? 0, end: token.end } };
    }
    tokens.push(token);
  }
  return { tokens };
}

/** Whether the token in front makes the next one a table's name, whatever that looks like. */
function isTableName(before: Token | undefined): boolean {
  return before === undefined || before.text === '.' || isKeyword(before, 'INTO') || isKeyword(before, 'TABLE');
}

/** Data begin after the first line break behind the format's name, or after the blanks where there is none. */
function startOfData(latin1: string, from: number): number {
  return from + (/^[ \t\f]*;?\r?\n?/.exec(latin1.slice(from, from + 4096))?.[0].length ?? 0);
}

/**
 * Wall 1: a text is one statement that only reads, or it never reaches the engine. Works on tokens; what an expression calls and
 * which tables it reads is wall 3's business.
 */
import { isKeyword, type Token } from '../embedded/lexer.ts';
import { formatName } from './formats.ts';
import { denied, syntaxError } from './refusal.ts';
import { isReadableTable } from './tables.ts';
import { excerpt, joinTokens, readTokens, withoutLineBreaks } from './tokens.ts';

/** A statement that may go to the engine, without its FORMAT clause. */
export interface FaceStatement {
  /** `hello` is answered by the face itself; `describe` stands for SHOW, DESCRIBE and EXISTS, which have no tree. */
  kind: 'hello' | 'select' | 'describe';
  sql: string;
  /** For `select`: the statement to read the tree of. */
  probe: string;
  /** The format the text asks for; undefined where it names none. */
  format: string | undefined;
}

/** What a Go client asks before anything else. */
const HELLO = 'select displayname ( ) , version ( ) , revision ( ) , timezone ( )';

/** Words that belong to no expression, wherever they stand: they write, set, or begin a statement of another kind. */
const FORBIDDEN = new Map([
  ['INTO', 'INTO is refused: an answer goes to its reader and nowhere else'],
  ['OUTFILE', 'OUTFILE is refused: an answer goes to its reader and nowhere else'],
  ['INFILE', 'INFILE is refused: files are not read'],
  ['SETTINGS', 'SETTINGS is refused: bounds are set by the face; quote the word where it is a name'],
  ['PARALLEL', 'PARALLEL WITH is refused: one statement at a time'],
  ['EXPLAIN', 'EXPLAIN is refused'],
  ['KILL', 'KILL is refused: only reading is served'],
]);

/** Reads the text. Throws `SYNTAX_ERROR` or `ACCESS_DENIED`. */
export function readStatement(text: string): FaceStatement {
  const { tokens, format } = takeFormat(withoutSemicolon(readTokens(text)));
  const first = tokens.find((token) => token.text !== '(');
  if (first === undefined) throw syntaxError('Empty query');
  for (const token of tokens) {
    const why = token.kind === 'word' ? FORBIDDEN.get(token.text.toUpperCase()) : undefined;
    if (why !== undefined) throw denied(why);
  }
  if (isKeyword(first, 'SELECT') || isKeyword(first, 'WITH')) {
    refuseIdentifierParameters(tokens);
    const hello = tokens.map((token) => token.text.toLowerCase()).join(' ') === HELLO;
    const probe = joinTokens(tokens, withoutLineBreaks);
    return { kind: hello ? 'hello' : 'select', sql: joinTokens(tokens), probe, format };
  }
  if (isDescription(tokens)) return { kind: 'describe', sql: joinTokens(tokens), probe: '', format };
  throw denied(
    `${excerpt(joinTokens(tokens.slice(0, 4)))}: only SELECT, WITH, SHOW DATABASES, SHOW TABLES, DESCRIBE and EXISTS are served, of boards`,
  );
}

function withoutSemicolon(tokens: readonly Token[]): readonly Token[] {
  const end = tokens.findIndex((token) => token.text === ';');
  if (end === -1) return tokens;
  if (tokens.slice(end).some((token) => token.text !== ';')) throw syntaxError('Multi-statements are not allowed');
  return tokens.slice(0, end);
}

/** Takes a closing `FORMAT name` off. Any other FORMAT that could be read as a clause is refused. */
function takeFormat(tokens: readonly Token[]): { tokens: readonly Token[]; format: string | undefined } {
  const [clause, name] = tokens.slice(-2);
  const rest = tokens.slice(0, -2);
  if (!isKeyword(clause, 'FORMAT') || clause?.depth !== 0 || name?.kind !== 'word' || rest.at(-1)?.text === '.') {
    refuseFormat(tokens);
    return { tokens, format: undefined };
  }
  refuseFormat(rest);
  const format = formatName(name.text);
  if (format === undefined)
    throw denied(`Format ${excerpt(name.text)} is refused: Native, JSON and TabSeparated ones are served`);
  return { tokens: rest, format };
}

function refuseFormat(tokens: readonly Token[]): void {
  tokens.forEach((token, index) => {
    const next = tokens[index + 1];
    if (!isKeyword(token, 'FORMAT') || next === undefined || next.kind === 'symbol') return;
    if (isKeyword(next, 'FROM') || isKeyword(next, 'AS')) return;
    throw syntaxError('One FORMAT clause may stand at the end; quote the word where it is a name');
  });
}

/** `{x:Identifier}` would bring a name that no wall has seen; states of aggregates are not taken from outside. */
function refuseIdentifierParameters(tokens: readonly Token[]): void {
  let open = 0;
  for (const token of tokens) {
    if (token.text === '{') open++;
    else if (token.text === '}') open--;
    else if (open > 0 && token.kind !== 'symbol' && /^"?`?(identifier|.*aggregatefunction)/i.test(token.text))
      throw denied(`A parameter of type ${excerpt(token.text)} is refused`);
  }
}

/** SHOW DATABASES, SHOW TABLES, DESCRIBE and EXISTS, each in its plain form: names and a pattern, no expression, no function. */
function isDescription(tokens: readonly Token[]): boolean {
  const [first, second] = tokens;
  const from = (count: number): readonly Token[] => tokens.slice(count);
  if (isKeyword(first, 'SHOW')) {
    if (isKeyword(second, 'DATABASES')) return isPattern(from(2));
    if (isKeyword(second, 'FULL') && isKeyword(tokens[2], 'TABLES')) return isShowTables(from(3));
    return isKeyword(second, 'TABLES') && isShowTables(from(2));
  }
  if (isKeyword(first, 'DESCRIBE') || isKeyword(first, 'DESC')) {
    return isTableName(from(isKeyword(second, 'TABLE') && tokens.length > 2 ? 2 : 1));
  }
  if (!isKeyword(first, 'EXISTS')) return false;
  if (isKeyword(second, 'DATABASE')) return tokens.length === 3 && nameOf(tokens[2]) !== undefined;
  return isTableName(from((isKeyword(second, 'TABLE') || isKeyword(second, 'VIEW')) && tokens.length > 2 ? 2 : 1));
}

function isShowTables(tokens: readonly Token[]): boolean {
  if (!isKeyword(tokens[0], 'FROM') && !isKeyword(tokens[0], 'IN')) return isPattern(tokens);
  return nameOf(tokens[1]) !== undefined && isPattern(tokens.slice(2));
}

/** `[[NOT] LIKE|ILIKE 'x'] [LIMIT n]`, and nothing else. */
function isPattern(tokens: readonly Token[]): boolean {
  let rest = tokens;
  if (isKeyword(rest[0], 'NOT')) rest = rest.slice(1);
  if (isKeyword(rest[0], 'LIKE') || isKeyword(rest[0], 'ILIKE')) {
    if (rest[1]?.kind !== 'string') return false;
    rest = rest.slice(2);
  }
  if (isKeyword(rest[0], 'LIMIT') && rest[1]?.kind === 'number') rest = rest.slice(2);
  return rest.length === 0;
}

/** `name`, which is one of `boards`, `boards.name`, or one of the few of `system`. */
function isTableName(tokens: readonly Token[]): boolean {
  const first = nameOf(tokens[0]);
  if (first === undefined) return false;
  if (tokens.length === 1) return isReadableTable(undefined, first);
  const second = nameOf(tokens[2]);
  if (tokens.length !== 3 || tokens[1]?.text !== '.' || second === undefined) return false;
  return isReadableTable(first, second);
}

function nameOf(token: Token | undefined): string | undefined {
  if (token?.kind === 'word') return token.text;
  return token?.kind === 'quoted' ? token.text.slice(1, -1) : undefined;
}

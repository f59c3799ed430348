/**
 * Wall 3: every function, table function and table of a statement, as the engine itself understood it, against what a reader
 * may use. Only what is allowed passes: a new kind of node, section or name is refused until somebody has looked at it.
 */
import type { EngineException } from '../embedded/exception.ts';
import { isAllowedAggregate, isAllowedFunction, mayCall } from './functions.ts';
import { denied } from './refusal.ts';
import { isReadableTable, isReadableTableFunction } from './tables.ts';
import { argumentOf, argumentsOf, isTablePosition, readTree, type TreeNode, unreadable } from './tree.ts';

/** Names are printed last but for these, and hold no `, word: ` of their own (wall 1), so the last match is the engine's. */
const FUNCTION_NAME = /, function_name: ([A-Za-z_]\w*), function_type: \w+(?:, nulls_action : \w+)?$/;
const TABLE_FUNCTION_NAME = /, table_function_name: ([\w.]+)$/;
const IDENTIFIER_NAME = /^.*, identifier: (.+?)(?:, final: [01](?:, sample_size: [^,]+)?(?:, sample_offset: [^,]+)?)?$/;
const STRING_VALUE = /, constant_value: '(.*)', constant_value_type: String$/;

/** The second argument may be a table: `x IN system.processes`. */
const TAKES_TABLE = /^(global)?(not)?(null)?in(ignoreset)?$/i;
/** The second argument is the name of a type, which decides what bytes become. */
const TAKES_TYPE = new Set([
  'cast',
  '_cast',
  'accuratecast',
  'accuratecastornull',
  'accuratecastordefault',
  'reinterpret',
]);
/** The first argument is the name of an aggregate function. */
const TAKES_AGGREGATE = 'arrayreduce';

/**
 * Passes in silence or throws `ACCESS_DENIED`. `tree` is the engine's text; `engineFunctions` holds the lower-case names of all
 * functions the engine has.
 */
export function judgeTree(tree: string, engineFunctions: ReadonlySet<string>): void {
  const nodes = [readTree(tree)];
  for (const node of nodes) nodes.push(...node.children);
  const known: Known = {
    functions: engineFunctions,
    lambdas: new Set(nodes.flatMap((node) => lambdaName(node) ?? [])),
  };
  for (const name of known.lambdas) {
    // Else it could not be said whether a call is the lambda's or the function's.
    if (isAllowedFunction(name) || engineFunctions.has(name.toLowerCase()))
      throw denied(`A lambda may not be named ${name}, like a function`);
  }
  for (const node of nodes) {
    if (node.kind === 'FUNCTION') judgeFunction(node, known);
    else if (node.kind === 'IDENTIFIER') judgeIdentifier(node, known);
    else if (node.kind === 'TABLE_FUNCTION') judgeTableFunction(node);
  }
}

/** Names that a call or an identifier may mean. */
interface Known {
  /** The engine's functions, in lower case. */
  functions: ReadonlySet<string>;
  /** Lambdas with a name of their own: `WITH x -> x + 1 AS f`. */
  lambdas: ReadonlySet<string>;
}

function judgeTableFunction(node: TreeNode): void {
  const name = TABLE_FUNCTION_NAME.exec(node.fields)?.[1];
  if (name === undefined) throw unreadable(node.fields);
  if (!isReadableTableFunction(name)) throw denied(`Table function ${name} is refused`);
}

function judgeFunction(node: TreeNode, { lambdas }: Known): void {
  const name = functionName(node);
  if (lambdas.has(name)) return; // its body is judged where it stands
  if (!isAllowedFunction(name)) throw refusedFunction(name);
  const [first, second] = argumentsOf(node);
  if (TAKES_TYPE.has(name.toLowerCase()) && second !== undefined) {
    const type = stringValue(second);
    if (type === undefined || /aggregatefunction/i.test(type))
      throw denied(`${name} takes the name of a type, written out, that is no state of an aggregate`);
  }
  if (name.toLowerCase() === TAKES_AGGREGATE) {
    const aggregate = first === undefined ? undefined : /^\w+/.exec(stringValue(first) ?? '')?.[0];
    if (aggregate === undefined || !isAllowedAggregate(aggregate))
      throw denied(`${name} takes the name of an allowed aggregate function, written out`);
  }
}

function judgeIdentifier(node: TreeNode, known: Known): void {
  const name = IDENTIFIER_NAME.exec(node.fields)?.[1];
  if (name === undefined) throw unreadable(node.fields);
  const argument = argumentOf(node);
  if (isTablePosition(node) || (argument?.second === true && takesTable(argument.call))) {
    const dot = name.indexOf('.');
    const database = dot === -1 ? undefined : name.slice(0, dot);
    if (!isReadableTable(database, name.slice(dot + 1))) throw denied(`Table ${name} is refused`);
    return;
  }
  if (/^(system|information_schema)\./i.test(name) && !isReadableColumn(name)) throw denied(`${name} is refused`);
  // A function handed to another by its bare name, as in arrayMap(file, …), is printed like a column.
  const handedOn =
    node.parent?.parent?.label === 'WITH' ||
    (argument !== undefined && isHandedOn(functionName(argument.call), argument.count, known));
  if (handedOn && known.functions.has(name.toLowerCase()) && !isAllowedFunction(name))
    throw denied(`${name} is also a function that is refused; name its table where it is a column (t.${name})`);
}

/** Whether the function of this name may call what it is given; one that does needs something to call it with. */
function isHandedOn(name: string, args: number, { lambdas }: Known): boolean {
  return lambdas.has(name) || (args > 1 && mayCall(name));
}

function functionName(call: TreeNode): string {
  const name = FUNCTION_NAME.exec(call.fields)?.[1];
  if (name === undefined) throw unreadable(call.fields);
  return name;
}

function takesTable(call: TreeNode): boolean {
  return TAKES_TABLE.test(functionName(call));
}

/** `system.tables.name`, spelled out in full. */
function isReadableColumn(name: string): boolean {
  const [database, table] = name.split('.');
  return isReadableTable(database, table ?? '');
}

function lambdaName(node: TreeNode): string | undefined {
  return node.kind === 'LAMBDA' ? /^, alias: (\w+)$/.exec(node.fields)?.[1] : undefined;
}

function stringValue(node: TreeNode): string | undefined {
  return node.kind === 'CONSTANT' ? STRING_VALUE.exec(node.fields)?.[1] : undefined;
}

function refusedFunction(name: string): EngineException {
  return denied(`Function ${name} is refused; functions that compute from their arguments alone are served`);
}

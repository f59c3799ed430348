/**
 * Reads what `EXPLAIN QUERY TREE run_passes=0` prints. Strict: a line that is neither a node nor a section known here is an
 * error, and nodes must be numbered from 0 without a gap, so a forged line can only cost its author the statement.
 */
import { denied } from './refusal.ts';

/** A node of the tree, or one of the sections that its children stand under (`ARGUMENTS`, `JOIN TREE`, …). */
export interface TreeNode {
  kind: NodeKind | 'section';
  /** The section's words; '' for a node. */
  label: string;
  /** Everything behind a node's number: `, function_name: plus, function_type: ordinary`. */
  fields: string;
  parent: TreeNode | undefined;
  children: TreeNode[];
}

const NODE_KINDS = [
  'QUERY',
  'UNION',
  'LIST',
  'CONSTANT',
  'FUNCTION',
  'IDENTIFIER',
  'LAMBDA',
  'MATCHER',
  'EXCEPT COLUMN TRANSFORMER',
  'REPLACE COLUMN TRANSFORMER',
  'APPLY COLUMN TRANSFORMER',
  'SORT',
  'WINDOW',
  'INTERPOLATE',
  'JOIN',
  'CROSS JOIN',
  'ARRAY_JOIN',
  'TABLE_FUNCTION',
] as const;
type NodeKind = (typeof NODE_KINDS)[number];

const NODE = new RegExp(`^( *)(${NODE_KINDS.join('|')}) id: (\\d+)(.*)$`);

/** Children are tables. */
const TABLE_SECTIONS = new Set(['JOIN TREE', 'TABLE EXPRESSION', 'LEFT TABLE EXPRESSION', 'RIGHT TABLE EXPRESSION']);

/** Children are expressions, or queries of a UNION. */
const EXPRESSION_SECTIONS = new Set(
  (
    'WITH|PROJECTION|PREWHERE|WHERE|GROUP BY|HAVING|QUALIFY|WINDOW|ORDER BY|INTERPOLATE|LIMIT BY LIMIT|LIMIT BY OFFSET|' +
    'LIMIT BY|LIMIT|OFFSET|ARGUMENTS|PARAMETERS|PARTITION BY|FRAME BEGIN OFFSET|FRAME END OFFSET|FILL FROM|FILL TO|' +
    'FILL STEP|FILL STALENESS|INTERPOLATE_EXPRESSION|JOIN EXPRESSION|JOIN EXPRESSIONS|QUERIES|EXPRESSION|REPLACEMENTS'
  ).split('|'),
);

/** The tree's root. Throws `ACCESS_DENIED` for a text that is not read to the last character. */
export function readTree(text: string): TreeNode {
  const open: { indent: number; node: TreeNode }[] = [];
  let root: TreeNode | undefined;
  let count = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue; // an empty list
    const indent = line.length - line.trimStart().length;
    while ((open.at(-1)?.indent ?? -1) >= indent) open.pop();
    const parent = open.at(-1)?.node;
    const node = readLine(line, parent);
    if (node.kind !== 'section') {
      if (idOf(line) !== count) throw unreadable(line);
      count++;
    }
    if (parent === undefined) {
      if (root !== undefined || node.kind === 'section') throw unreadable(line);
      root = node;
    } else parent.children.push(node);
    open.push({ indent, node });
  }
  if (root === undefined) throw unreadable('');
  return root;
}

function readLine(line: string, parent: TreeNode | undefined): TreeNode {
  const [, , kind, , fields] = NODE.exec(line) ?? [];
  if (kind !== undefined) return { kind: kind as NodeKind, label: '', fields: fields ?? '', parent, children: [] };
  const label = sectionOf(line.trim());
  if (label === undefined) throw unreadable(line);
  return { kind: 'section', label, fields: '', parent, children: [] };
}

function idOf(line: string): number {
  return Number(NODE.exec(line)?.[3]);
}

/** The words of a section, without the name or number that some carry; undefined for any other line. */
function sectionOf(line: string): string | undefined {
  if (TABLE_SECTIONS.has(line) || EXPRESSION_SECTIONS.has(line)) return line;
  // EXPRESSION <name>, REPLACEMENTS <n>, REPLACEMENT NAME <name> EXPRESSION
  if (/^EXPRESSION /.test(line) || /^REPLACEMENT NAME .* EXPRESSION$/.test(line)) return 'EXPRESSION';
  return /^REPLACEMENTS \d+$/.test(line) ? 'REPLACEMENTS' : undefined;
}

/** Whether what stands here names a table. */
export function isTablePosition(node: TreeNode): boolean {
  return node.parent?.kind === 'section' && TABLE_SECTIONS.has(node.parent.label);
}

/** The function the node is given to directly, whether as its second argument, and how many there are; undefined where it is none. */
export function argumentOf(node: TreeNode): { call: TreeNode; second: boolean; count: number } | undefined {
  const list = node.parent;
  const section = list?.parent;
  const call = section?.parent;
  if (list?.kind !== 'LIST' || section?.label !== 'ARGUMENTS' || call?.kind !== 'FUNCTION') return undefined;
  return { call, second: list.children[1] === node, count: list.children.length };
}

/** The arguments of a function or table function. */
export function argumentsOf(call: TreeNode): readonly TreeNode[] {
  return call.children.find(({ label }) => label === 'ARGUMENTS')?.children[0]?.children ?? [];
}

/** A node that wall 3 cannot place. */
export function unreadable(line: string): Error {
  return denied(`The statement's tree cannot be read at "${line.trim().slice(0, 80)}"`);
}

/** A flame graph's frame as a tree: Grafana's columns level, value, self and label, depth first, parents before children. */
import type { TargetResult } from './frames.ts';

export interface FlameNode {
  /** Position in the frame. */
  index: number;
  level: number;
  label: string;
  /** Of this call with all it called, and of itself alone. */
  value: number;
  self: number;
  /** Where it begins on the axis of the values, the first root at 0. */
  start: number;
  /** Index of its parent; -1 for a root. */
  parent: number;
}

export interface FlameTree {
  nodes: FlameNode[];
  /** Sum of the roots. */
  total: number;
  depth: number;
  /** What one unit of value is, as profiles say it (`nanoseconds`); undefined where the answer has no such column. */
  unit: string | undefined;
}

/** One function, over all the places it is called from. */
export interface FunctionTotal {
  label: string;
  self: number;
  total: number;
}

/** Builds the tree. Throws where the rows are no tree: a column is missing, or a level skips its parent. */
export function buildTree(target: TargetResult): FlameTree {
  const at = (name: string) => target.columns.findIndex((column) => column.name === name);
  const [level, value, self, label] = [at('level'), at('value'), at('self'), at('label')];
  if (level < 0 || value < 0 || self < 0 || label < 0) throw new Error('a flame graph needs level, value, self, label');
  const nodes: FlameNode[] = [];
  /** Of each level, the newest node and where its next child, or its next sibling, begins. */
  const open: number[] = [];
  const next: number[] = [0];
  for (const row of target.rows) {
    const node: FlameNode = {
      index: nodes.length,
      level: Number(row[level]),
      label: String(row[label]),
      value: Number(row[value]),
      self: Number(row[self]),
      start: 0,
      parent: -1,
    };
    if (!(node.level >= 0 && node.level <= open.length))
      throw new Error(`the flame graph skips a level at ${node.label}`);
    node.start = next[node.level] ?? 0;
    node.parent = open[node.level - 1] ?? -1;
    open.length = node.level;
    open.push(node.index);
    next[node.level] = node.start + node.value;
    next[node.level + 1] = node.start;
    nodes.push(node);
  }
  const unit = target.rows[0]?.[at('unit')];
  return {
    nodes,
    total: nodes.reduce((sum, node) => (node.parent < 0 ? sum + node.value : sum), 0),
    depth: nodes.reduce((deepest, node) => Math.max(deepest, node.level + 1), 0),
    unit: typeof unit === 'string' && unit !== '' ? unit : undefined,
  };
}

/** Index after the last node below `index`. */
export function subtreeEnd({ nodes }: FlameTree, index: number): number {
  const level = nodes[index]?.level ?? 0;
  let end = index + 1;
  while (end < nodes.length && (nodes[end]?.level ?? 0) > level) end += 1;
  return end;
}

/** Nodes from the root to this one, itself included. */
export function pathTo({ nodes }: FlameTree, index: number): FlameNode[] {
  const path: FlameNode[] = [];
  for (let node = nodes[index]; node !== undefined; node = nodes[node.parent]) path.unshift(node);
  return path;
}

/** The node with these labels from the root on, or -1: a refresh brings new figures for the same calls. */
export function findPath({ nodes }: FlameTree, labels: readonly string[]): number {
  let parent = -1;
  for (const [level, label] of labels.entries()) {
    const node = nodes.find((each) => each.level === level && each.parent === parent && each.label === label);
    if (node === undefined) return -1;
    parent = node.index;
  }
  return parent;
}

/** Every function, most self first. A function that calls itself counts once per stack, not once per frame. */
export function functionTotals({ nodes }: FlameTree): FunctionTotal[] {
  const totals = new Map<string, FunctionTotal>();
  /** Labels of the nodes above the current one, by level. */
  const above: string[] = [];
  for (const node of nodes) {
    above.length = node.level;
    const entry = totals.get(node.label) ?? { label: node.label, self: 0, total: 0 };
    entry.self += node.self;
    if (!above.includes(node.label)) entry.total += node.value;
    totals.set(node.label, entry);
    above.push(node.label);
  }
  return [...totals.values()].sort((a, b) => b.self - a.self || b.total - a.total || a.label.localeCompare(b.label));
}

/** The nodes whose label contains `text`, and the value they cover together; undefined for an empty search. */
export function search(tree: FlameTree, text: string): { found: ReadonlySet<number>; value: number } | undefined {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return undefined;
  const found = new Set<number>();
  let value = 0;
  let coveredUntil = 0;
  for (const node of tree.nodes) {
    if (!node.label.toLowerCase().includes(wanted)) continue;
    found.add(node.index);
    if (node.index < coveredUntil) continue;
    value += node.value;
    coveredUntil = subtreeEnd(tree, node.index);
  }
  return { found, value };
}

/** `net/http.(*conn).serve` -> `net/http`: what colours a frame. Labels of other languages keep what stands before the last dot. */
export function packageOf(label: string): string {
  const dot = label.indexOf('.', nameStart(label));
  return dot < 0 ? label : label.slice(0, dot);
}

/** `github.com/shop/checkout.(*Server).ServeHTTP` -> `checkout.(*Server).ServeHTTP`. */
export function shortLabel(label: string): string {
  return label.slice(nameStart(label));
}

/** Where the path ends; slashes of type arguments and receivers are no part of it. */
function nameStart(label: string): number {
  const bracket = label.search(/[([{]/);
  return label.lastIndexOf('/', bracket < 0 ? label.length : bracket) + 1;
}

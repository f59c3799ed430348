/**
 * A binary min-heap of instants whose nodes know their own place, so that a time-out that is no longer needed leaves in
 * O(log n) instead of lingering until it falls due.
 */

/** Something that falls due. Equal instants fall due in the order in which they were pushed. */
export interface HeapNode {
  atMs: number;
  /** Place in the heap, -1 outside it. Written by the heap alone. */
  index: number;
  /** Order of pushing. Written by the heap alone. */
  order: number;
}

export class InstantHeap<N extends HeapNode> {
  private readonly nodes: N[] = [];
  private pushed = 0;

  /** The earliest node, undefined when empty. */
  peek(): N | undefined {
    return this.nodes[0];
  }

  /** Adds a node that is in no heap. */
  push(node: N): void {
    node.order = this.pushed++;
    this.nodes.push(node);
    this.rise(node, this.nodes.length - 1);
  }

  /** Takes a node out; a node that is not in the heap is left alone. */
  remove(node: N): void {
    if (node.index < 0) return;
    const hole = node.index;
    const last = this.nodes.pop();
    node.index = -1;
    if (last === undefined || last === node) return;
    this.rise(last, hole);
    this.sink(last, last.index);
  }

  /** Restores the order after a node's `atMs` was changed in place. */
  moved(node: N): void {
    this.rise(node, node.index);
    this.sink(node, node.index);
  }

  /** Puts the node at `hole` or, where its parents are later, further up. */
  private rise(node: N, hole: number): void {
    let index = hole;
    while (index > 0) {
      const up = (index - 1) >> 1;
      const parent = this.nodes[up];
      if (parent === undefined || !before(node, parent)) break;
      this.put(parent, index);
      index = up;
    }
    this.put(node, index);
  }

  /** Puts the node at `hole` or, where its children are earlier, further down. */
  private sink(node: N, hole: number): void {
    let index = hole;
    for (;;) {
      let down = 2 * index + 1;
      const left = this.nodes[down];
      if (left === undefined) break;
      const right = this.nodes[down + 1];
      const child = right !== undefined && before(right, left) ? right : left;
      if (!before(child, node)) break;
      if (child === right) down += 1;
      this.put(child, index);
      index = down;
    }
    this.put(node, index);
  }

  private put(node: N, index: number): void {
    this.nodes[index] = node;
    node.index = index;
  }
}

function before(a: HeapNode, b: HeapNode): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HeapNode, InstantHeap } from '../../../app/scheduler/heap.ts';

const node = (atMs: number): HeapNode => ({ atMs, index: -1, order: 0 });

function drain(heap: InstantHeap<HeapNode>): HeapNode[] {
  const out: HeapNode[] = [];
  for (let next = heap.peek(); next !== undefined; next = heap.peek()) {
    heap.remove(next);
    out.push(next);
  }
  return out;
}

describe('the heap of instants', () => {
  test('gives everything back in order, whatever was removed or moved before', () => {
    const step = fc.record({
      atMs: fc.nat(50),
      act: fc.constantFrom('keep', 'remove', 'move'),
      pick: fc.nat(),
      to: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new InstantHeap<HeapNode>();
        const inside: HeapNode[] = [];
        for (const { atMs, act, pick, to } of steps) {
          const added = node(atMs);
          heap.push(added);
          inside.push(added);
          const at = pick % inside.length;
          const picked = inside[at];
          if (picked === undefined || act === 'keep') continue;
          if (act === 'remove') {
            heap.remove(picked);
            inside.splice(at, 1);
          } else {
            picked.atMs = to;
            heap.moved(picked);
          }
        }
        const expected = [...inside].sort((a, b) => a.atMs - b.atMs || a.order - b.order);
        expect(drain(heap)).toEqual(expected);
      }),
    );
  });

  test('keeps equal instants in the order in which they came', () => {
    const heap = new InstantHeap<HeapNode>();
    const nodes = Array.from({ length: 20 }, () => node(7));
    for (const each of nodes) heap.push(each);
    expect(drain(heap)).toEqual(nodes);
    expect(drain(heap).map((each) => each.order)).toEqual([]);
  });

  test('leaves alone a node that is not in it', () => {
    const heap = new InstantHeap<HeapNode>();
    const inside = node(1);
    heap.push(inside);
    heap.remove(node(1));
    expect(heap.peek()).toBe(inside);
  });
});

/** The entries of a KeyValueList as a Go map has them when it is printed: one per key, in the order of the keys' bytes. */
import { nextItem, type Range, readKeyValue } from './members.ts';
import type { WireReader } from './wire.ts';

/**
 * The KeyValues of `list`, sorted by key; of equal keys the last one stands. Positions lie in typed arrays: a hostile
 * 16 MiB list has eight million entries, and as objects they would outgrow the worker's heap.
 */
export function* sortedEntries(reader: WireReader, list: Range): Generator<Range> {
  const { bytes } = reader;
  const { starts, ends, keyStarts, keyEnds } = locate(reader, list);
  const compare = (a: number, b: number): number => {
    const start = keyStarts[a] as number;
    const other = keyStarts[b] as number;
    const length = (keyEnds[a] as number) - start;
    const otherLength = (keyEnds[b] as number) - other;
    const shared = Math.min(length, otherLength);
    for (let i = 0; i < shared; i++) {
      const difference = (bytes[start + i] as number) - (bytes[other + i] as number);
      if (difference !== 0) return difference;
    }
    return length - otherLength;
  };
  // The sort is stable, so the last of equal keys is the one that came last.
  const order = starts.map((_start, i) => i).sort(compare);
  for (let i = 0; i < order.length; i++) {
    const entry = order[i] as number;
    if (i + 1 < order.length && compare(entry, order[i + 1] as number) === 0) continue;
    yield { start: starts[entry] as number, end: ends[entry] as number };
  }
}

function locate(reader: WireReader, list: Range): Record<'starts' | 'ends' | 'keyStarts' | 'keyEnds', Uint32Array> {
  let count = 0;
  for (let p = nextItem(reader, list.start, list.end); p >= 0; p = nextItem(reader, reader.stop, list.end)) count++;
  const positions = (): Uint32Array => new Uint32Array(count);
  const located = { starts: positions(), ends: positions(), keyStarts: positions(), keyEnds: positions() };
  let p = list.start;
  for (let i = 0; i < count; i++) {
    const start = nextItem(reader, p, list.end);
    p = reader.stop;
    const { key } = readKeyValue(reader, { start, end: p });
    located.starts[i] = start;
    located.ends[i] = p;
    located.keyStarts[i] = key.start;
    located.keyEnds[i] = key.end;
  }
  return located;
}

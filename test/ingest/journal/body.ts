import type { JournalBody } from '../../../core/ports.ts';

/** `length` bytes (at least 8) that say which body they are; its items are `id % 1000`. */
export function body(id: number, length: number): JournalBody {
  const bytes = Buffer.alloc(length);
  let state = id + 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 24;
  }
  bytes.writeUInt32LE(id, 0);
  bytes.writeUInt32LE(length, 4);
  return { bytes, items: id % 1000 };
}

/** What the child of the kill test appends under this id. */
export function killBody(id: number): JournalBody {
  return body(id, 8 + ((id * 7919) % 20_000));
}

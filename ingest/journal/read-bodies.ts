import { readFile } from 'node:fs/promises';
import { parseHeader } from './index-file.ts';
import { survey } from './survey.ts';
import type { SealedSegment, StoredBody } from './types.ts';

/**
 * Reads a sealed segment body by body, in order, each checked against its record; damaged stretches come as bodies with
 * `crcOk: false`. Throws what the file system throws, and an Error when the index header does not hold.
 */
export async function* readBodies(
  segment: Pick<SealedSegment, 'name' | 'path' | 'indexPath' | 'bytes'>,
): AsyncGenerator<StoredBody> {
  const index = await readFile(segment.indexPath);
  const header = parseHeader(index);
  if (!header.ok) throw new Error(`index of segment ${segment.name}: header ${header.reason}`);
  const data = (await readFile(segment.path)).subarray(0, segment.bytes);
  const found = survey(index, header.bytes, header.crc, data);
  const good = found.bodies.map(({ offset, length, items }) => ({ offset, length, items, crcOk: true }));
  const bad = found.damaged.map(({ offset, length, items }) => ({ offset, length, items, crcOk: false }));
  for (const body of [...good, ...bad].toSorted((a, b) => a.offset - b.offset)) {
    yield { ...body, bytes: data.subarray(body.offset, body.offset + body.length) };
  }
}

/**
 * Recovery of one segment and its index.
 *
 * | found                                             | done                                                           |
 * |---------------------------------------------------|----------------------------------------------------------------|
 * | a pair, torn behind the last intact body          | both files cut there                                           |
 * | a pair with no body                               | deleted: nothing was acked                                     |
 * | a damaged body or record                          | its bytes to quarantine, the good bodies to a new pair         |
 * | no index, or a header that does not hold, + bytes | both files to quarantine: without bounds nothing can load them |
 * | an index with records but no data file            | the index to quarantine                                        |
 * | a header of a later version, an I/O error         | an error: the caller leaves the files for the next start       |
 */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../core/ports.ts';
import { errnoOf, type JournalFiles } from './files.ts';
import { decodeRecord, parseHeader, RECORD_BYTES, type SegmentHeader } from './index-file.ts';
import { quarantine } from './quarantine.ts';
import { SegmentWriter } from './segment-writer.ts';
import { type Survey, survey } from './survey.ts';
import type { RecoveryReport, SealedSegment } from './types.ts';

export interface RecoverDeps {
  dir: string;
  quarantineDir: string;
  files: JournalFiles;
  log: Log;
  nextName: (signal: string) => string;
}

export interface Pair extends RecoverDeps {
  name: string;
  /** Counted up here. */
  report: RecoveryReport;
}

interface ReadIndex {
  bytes: Buffer;
  /** Null where it does not hold or is another segment's. */
  header: SegmentHeader | null;
  recordsAt: number;
  seed: number;
  /** Too short to hold a header: no commit ever ended. */
  short: boolean;
}

/** Reads both files; null for one that is not there. Throws for a later version and for I/O errors. */
export async function readPair({ dir, name }: Pair): Promise<{ index: ReadIndex | null; data: Buffer | null }> {
  const bytes = await readOrNull(join(dir, `${name}.idx`));
  const data = await readOrNull(join(dir, `${name}.seg`));
  if (bytes === null) return { index: null, data };
  const parsed = parseHeader(bytes);
  if (!parsed.ok) {
    if (parsed.reason === 'unknown_version') throw new Error(`index of segment ${name}: written by a later version`);
    return { index: { bytes, header: null, recordsAt: 0, seed: 0, short: parsed.reason === 'short' }, data };
  }
  const header = parsed.header.name === name ? parsed.header : null;
  return { index: { bytes, header, recordsAt: parsed.bytes, seed: parsed.crc, short: false }, data };
}

/** The sealed segment a pair becomes, or null when nothing of it is left to load. */
export async function recoverPair(pair: Pair): Promise<SealedSegment | null> {
  const { index, data } = await readPair(pair);
  if (index === null || index.header === null) {
    const unused = (data === null || data.length === 0) && (index === null || index.short);
    if (unused) return drop(pair);
    return putAway(pair, index === null ? 'index_missing' : 'index_header_corrupt', data !== null, index !== null);
  }
  if (data === null) {
    const { bytes, recordsAt, seed } = index;
    const acked = bytes.length >= recordsAt + RECORD_BYTES && decodeRecord(bytes, recordsAt, seed) !== null;
    return acked ? putAway(pair, 'data_missing', false, true) : drop(pair);
  }
  const found = survey(index.bytes, index.recordsAt, index.seed, data);
  await putDamageAway(pair, index.header, found, data);
  const cut = data.length - found.end;
  if (cut > 0 || found.missing > 0) {
    pair.report.bytesCut += cut;
    pair.log.warn({ segment: pair.name, bytes: cut, records: found.missing }, 'the torn tail of a segment was cut');
  }
  if (found.bodies.length === 0) return drop(pair);
  const hasHoles = found.bodies.some((body, i) => body.offset !== endOf(found.bodies[i - 1]));
  return hasHoles ? mend(pair, index.header, found, data) : cutBack(pair, index.header, index.recordsAt, found);
}

/**
 * Deletes a pair. The rename makes it one step, so that an index without data always means loss, never a deletion that a
 * crash cut short. A file that is gone already is no error.
 */
export async function removePair(files: JournalFiles, dir: string, name: string): Promise<void> {
  const gone = join(dir, `${name}.gone`);
  await unlessMissing(files.rename(join(dir, `${name}.idx`), gone));
  await unlessMissing(files.unlink(join(dir, `${name}.seg`)));
  await unlessMissing(files.unlink(gone));
  await files.syncDir(dir);
}

/** Cuts both files behind the last intact body, durably. */
async function cutBack(pair: Pair, header: SegmentHeader, recordsAt: number, found: Survey): Promise<SealedSegment> {
  const path = join(pair.dir, `${pair.name}.seg`);
  const indexPath = join(pair.dir, `${pair.name}.idx`);
  const bytes = endOf(found.bodies.at(-1));
  const bodies = found.bodies.length;
  // Synced even when nothing is cut: what a killed process left in the cache must not vanish after it was loaded.
  await cutTo(path, bytes);
  await cutTo(indexPath, recordsAt + bodies * RECORD_BYTES);
  const { replaces: _replaces, ...fields } = header;
  const items = found.bodies.reduce((sum, body) => sum + body.items, 0);
  return { ...fields, path, indexPath, bytes, bodies, items };
}

/**
 * Writes the good bodies to a new pair and deletes the damaged one. The name is new since the bytes are: had the damaged
 * segment been loaded before it went bad and before it was deleted, its good bodies would count twice.
 */
async function mend(pair: Pair, header: SegmentHeader, found: Survey, data: Buffer): Promise<SealedSegment> {
  const { name, ...plan } = header;
  const writer = new SegmentWriter(pair.files, pair.dir, {
    ...plan,
    name: () => pair.nextName(header.signal),
    replaces: { name, bodies: found.bodies.length },
  });
  const bodies = found.bodies.map(({ offset, length, items }) => {
    return { bytes: data.subarray(offset, offset + length), items };
  });
  await writer.commit(bodies);
  const mended = await writer.seal();
  if (mended === null) throw new Error(`segment ${name}: its mended copy holds nothing`);
  await removePair(pair.files, pair.dir, name);
  return mended;
}

async function putDamageAway(pair: Pair, header: SegmentHeader, found: Survey, data: Buffer): Promise<void> {
  for (const { offset, length, reason } of found.damaged) {
    const bytes = data.subarray(offset, offset + length);
    const item = {
      name: `${pair.name}-${offset}.bin`,
      reason,
      signal: header.signal,
      segment: pair.name,
      offset,
      kind: 'damaged' as const,
    };
    await quarantine(pair.quarantineDir, { ...item, bytes });
    pair.report.quarantined++;
    pair.log.error(
      { segment: pair.name, offset, length, reason },
      'damaged bytes of a segment were moved to quarantine',
    );
  }
}

async function putAway(pair: Pair, reason: string, hasData: boolean, hasIndex: boolean): Promise<null> {
  const files = [...(hasData ? [`${pair.name}.seg`] : []), ...(hasIndex ? [`${pair.name}.idx`] : [])];
  for (const file of files) {
    const item = { name: file, reason, signal: null, segment: pair.name, offset: null, kind: 'damaged' as const };
    await quarantine(pair.quarantineDir, { ...item, path: join(pair.dir, file) });
  }
  pair.report.quarantined++;
  pair.log.error({ segment: pair.name, reason }, 'a segment was moved to quarantine');
  return null;
}

async function drop(pair: Pair): Promise<null> {
  await removePair(pair.files, pair.dir, pair.name);
  return null;
}

function endOf(body: { offset: number; length: number } | undefined): number {
  return body === undefined ? 0 : body.offset + body.length;
}

async function readOrNull(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

async function cutTo(path: string, length: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    if ((await file.stat()).size !== length) await file.truncate(length);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function unlessMissing(done: Promise<void>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

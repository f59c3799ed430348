import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { expect, test } from 'vitest';
import { encodeHeader, parseHeader, RECORD_BYTES } from '../../../ingest/journal/index-file.ts';
import { listQuarantine } from '../../../ingest/journal/quarantine.ts';
import type { DiskJournal, SealedSegment } from '../../../ingest/journal/types.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { body } from './body.ts';
import { openJournal, tempDir, waiting } from './support.ts';

const LENGTHS = [30, 21, 26];
const DATA_BYTES = 77;
const NOTHING = { segments: 0, bodies: 0, bytesCut: 0, quarantined: 0, left: 0 };

interface Pristine {
  segment: SealedSegment;
  data: Buffer;
  index: Buffer;
  recordsAt: number;
}

/** Three bodies in one segment, committed one after the other, as they lie on the disk after a kill. */
async function threeBodies(): Promise<Pristine> {
  const journal = await openJournal(tempDir());
  const lane = journal.lane('traces', 'protobuf', 'team');
  for (const [id, length] of LENGTHS.entries()) await lane.append(body(id, length));
  await journal.sealAll();
  const [segment] = journal.sealed();
  if (segment === undefined) throw new Error('no segment');
  const index = readFileSync(segment.indexPath);
  const header = parseHeader(index);
  if (!header.ok) throw new Error(header.reason);
  return { segment, data: readFileSync(segment.path), index, recordsAt: header.bytes };
}

/** A directory with the given files of the segment; null for one that is missing. */
function lay({ segment }: Pristine, data: Buffer | null, index: Buffer | null): string {
  const dir = tempDir();
  if (data !== null) writeFileSync(join(dir, `${segment.name}.seg`), data);
  if (index !== null) writeFileSync(join(dir, `${segment.name}.idx`), index);
  return dir;
}

async function ids(journal: DiskJournal): Promise<number[]> {
  return (await waiting(journal)).map(([id]) => id);
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
  return copy;
}

/** All quarantined bytes, end to end. */
async function quarantined(journal: DiskJournal): Promise<Buffer> {
  const entries = await listQuarantine(journal.quarantineDir);
  return Buffer.concat(entries.map(({ path }) => readFileSync(path)));
}

test('whole files come back as the segment they were, with its bounds and settings', async () => {
  const made = await threeBodies();
  const dir = lay(made, made.data, made.index);
  const journal = await openJournal(dir, { loadSettings: { max_block_size: 1 } });
  const { segment } = made;
  expect(journal.recovered).toEqual({ ...NOTHING, segments: 1, bodies: 3 });
  expect(journal.sealed()).toEqual([
    { ...segment, path: join(dir, `${segment.name}.seg`), indexPath: join(dir, `${segment.name}.idx`) },
  ]);
  expect(await waiting(journal)).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
  ]);
  expect(journal.depth()).toEqual({ segments: 1, bytes: DATA_BYTES, oldestMs: segment.firstAppendMs });
});

test('a tail torn at any byte of the last body or the last record is cut; the acked ones stay', async () => {
  const made = await threeBodies();
  const { data, index, recordsAt } = made;
  const lastBodyAt = DATA_BYTES - (LENGTHS[2] ?? 0);
  const tears: [number, number][] = [];
  for (let bytes = lastBodyAt; bytes <= DATA_BYTES; bytes++) tears.push([bytes, index.length]);
  for (let cut = 0; cut <= RECORD_BYTES; cut++) tears.push([DATA_BYTES, index.length - cut]);
  for (let cut = 0; cut <= RECORD_BYTES; cut += 7) tears.push([lastBodyAt + (cut % 26), index.length - cut]);
  for (const [dataBytes, indexBytes] of tears) {
    const dir = lay(made, data.subarray(0, dataBytes), index.subarray(0, indexBytes));
    const whole = dataBytes === DATA_BYTES && indexBytes === index.length;
    const journal = await openJournal(dir);
    expect(await ids(journal)).toEqual(whole ? [0, 1, 2] : [0, 1]);
    const bytesCut = whole ? 0 : dataBytes - lastBodyAt;
    expect(journal.recovered).toEqual({ ...NOTHING, segments: 1, bodies: whole ? 3 : 2, bytesCut });
    const [segment] = journal.sealed();
    expect(statSync(segment?.indexPath ?? '').size).toBe(recordsAt + RECORD_BYTES * (whole ? 3 : 2));
    const again = await openJournal(dir);
    expect(again.recovered).toEqual({ ...NOTHING, segments: 1, bodies: whole ? 3 : 2 });
  }
});

test('one flipped byte anywhere costs at most the body it is in, and not even that one is thrown away', async () => {
  const made = await threeBodies();
  const { data, index, recordsAt } = made;
  const ends = [30, 51, 77];
  const owner = (at: number) => ends.findIndex((end) => at < end);
  const cases = [
    ...Array.from(data, (_, at) => ({ dir: lay(made, flipped(data, at), index), lost: owner(at) })),
    ...Array.from(index.subarray(recordsAt), (_, at) => {
      return { dir: lay(made, data, flipped(index, recordsAt + at)), lost: Math.floor(at / RECORD_BYTES) };
    }),
  ];
  for (const { dir, lost } of cases) {
    const journal = await openJournal(dir);
    expect(await ids(journal)).toEqual([0, 1, 2].filter((id) => id !== lost));
    expect(journal.recovered).toEqual({ ...NOTHING, segments: 1, bodies: 2, quarantined: 1 });
    const [entry, ...rest] = await listQuarantine(journal.quarantineDir);
    expect(rest).toEqual([]);
    const offset = ends[lost - 1] ?? 0;
    expect(entry).toMatchObject({ signal: 'traces', segment: made.segment.name, offset, bytes: LENGTHS[lost] });
    expect(entry?.reason).toMatch(/^(?:body_corrupt|index_record_corrupt)$/);
    const again = await openJournal(dir);
    expect(again.recovered).toEqual({ ...NOTHING, segments: 1, bodies: 2 });
    expect(again.sealed()).toEqual(journal.sealed());
  }
});

test('one flipped byte in the header puts the pair away whole, and the start goes on', async () => {
  const made = await threeBodies();
  const { data, index, recordsAt, segment } = made;
  for (let at = 0; at < recordsAt; at++) {
    const journal = await openJournal(lay(made, data, flipped(index, at)));
    expect(journal.recovered).toEqual({ ...NOTHING, quarantined: 1 });
    const entries = await listQuarantine(journal.quarantineDir);
    expect(entries.map(({ name, reason }) => [name, reason])).toEqual([
      [`${segment.name}.idx`, 'index_header_corrupt'],
      [`${segment.name}.seg`, 'index_header_corrupt'],
    ]);
    expect((await quarantined(journal)).subarray(-DATA_BYTES)).toEqual(data);
  }
});

test('what was lost between the files is told apart from what was never acked', async () => {
  const made = await threeBodies();
  const { data, index, recordsAt } = made;
  const none = Buffer.alloc(0);
  const header = index.subarray(0, recordsAt);
  const cases: [string, Buffer | null, Buffer | null, Partial<typeof NOTHING>][] = [
    ['index missing', data, null, { quarantined: 1 }],
    ['index empty', data, none, { quarantined: 1 }],
    ['index shorter than its header', data, index.subarray(0, recordsAt - 1), { quarantined: 1 }],
    ['data missing', null, index, { quarantined: 1 }],
    ['both empty', none, none, {}],
    ['data empty, header torn', none, index.subarray(0, 9), {}],
    ['data missing, header torn', null, index.subarray(0, 9), {}],
    ['data missing, no record', null, header, {}],
    ['data empty, index missing', none, null, {}],
    ['data empty, records there', none, index, {}],
    ['data without a record', data, header, { bytesCut: DATA_BYTES }],
    ['records of zeros', data, Buffer.concat([header, Buffer.alloc(80)]), { bytesCut: DATA_BYTES }],
  ];
  for (const [name, dataLeft, indexLeft, expected] of cases) {
    const dir = lay(made, dataLeft, indexLeft);
    const journal = await openJournal(dir);
    expect({ name, ...journal.recovered }).toEqual({ name, ...NOTHING, ...expected });
    expect(readdirSync(dir).filter((file) => file !== 'quarantine')).toEqual([]);
    if (expected.quarantined !== undefined) {
      expect((await quarantined(journal)).includes(dataLeft ?? index)).toBe(true);
    }
  }
});

test('a crash between the mended copy and the end of its original counts nothing twice', async () => {
  const made = await threeBodies();
  const damaged = flipped(made.data, 35);
  const dir = lay(made, damaged, made.index);
  const copy = (await openJournal(dir)).sealed()[0]?.name ?? '';
  const original = made.segment.name;
  const restore = () => {
    writeFileSync(join(dir, `${original}.seg`), damaged);
    writeFileSync(join(dir, `${original}.idx`), made.index);
  };
  restore();
  const whole = await openJournal(dir);
  expect(whole.sealed().map(({ name }) => name)).toEqual([copy]);
  restore();
  truncateSync(join(dir, `${copy}.seg`), 40); // the copy itself was torn: its second body is not there
  const torn = await openJournal(dir);
  expect(await ids(torn)).toEqual([0, 2]);
  expect(torn.sealed()).toHaveLength(1);
  expect(torn.sealed()[0]?.name).not.toBe(copy);
});

test('a deletion that a crash cut short is finished', async () => {
  const made = await threeBodies();
  const dir = lay(made, made.data, null);
  writeFileSync(join(dir, `${made.segment.name}.gone`), made.index);
  const journal = await openJournal(dir);
  expect(journal.recovered).toEqual(NOTHING);
  expect(readdirSync(dir)).toEqual([]);
});

test('an index of a later version, a file that cannot be read and a foreign file stay as they are', async () => {
  const made = await threeBodies();
  const dir = lay(made, made.data, made.index);
  const later = Buffer.from(encodeHeader({ ...made.segment, name: 'later' }).bytes);
  later.writeUInt32LE(2, 4);
  writeFileSync(join(dir, 'later.idx'), withCrc(later));
  writeFileSync(join(dir, 'later.seg'), 'bytes');
  mkdirSync(join(dir, 'unreadable.seg'));
  writeFileSync(join(dir, 'notes.txt'), 'mine');
  copyFileSync(made.segment.path, join(dir, 'renamed.seg'));
  copyFileSync(made.segment.indexPath, join(dir, 'renamed.idx'));
  const log = memoryLog();
  const journal = await openJournal(dir, {}, { log });
  expect(journal.recovered).toEqual({ ...NOTHING, segments: 1, bodies: 3, quarantined: 1, left: 2 });
  const left = ['later.idx', 'later.seg', 'notes.txt', 'unreadable.seg'];
  expect(readdirSync(dir)).toEqual(expect.arrayContaining(left));
  const errors = log.lines.filter(({ level, message }) => level === 'error' && message.includes('left for the next'));
  expect(new Set(errors.map(({ fields }) => fields['segment']))).toEqual(new Set(['later', 'unreadable']));
});

/** Sets the checksum of a header whose bytes were changed on purpose. */
function withCrc(header: Buffer): Buffer {
  header.writeUInt32LE(crc32c(header.subarray(16), crc32c(header.subarray(0, 12))), 12);
  return header;
}

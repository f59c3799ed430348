/**
 * What can be read out of a segment and its index, whatever happened to them. Pure: bytes in, findings out. Recovery acts
 * on the findings, bisecting reads bodies by them.
 */
import { crc32c } from '@node-rs/crc32';
import type { BodyRecord } from './index-file.ts';
import { decodeRecord, isBlank, RECORD_BYTES } from './index-file.ts';

export type Damage = 'body_corrupt' | 'index_record_corrupt';

/** A stretch of the segment that some record stands or stood for, and that is not what was appended. */
export interface DamagedExtent {
  offset: number;
  length: number;
  /** From its record; 0 where the record is lost. */
  items: number;
  reason: Damage;
}

export interface Survey {
  /** Bodies whose record and bytes are intact, in order. */
  bodies: BodyRecord[];
  damaged: DamagedExtent[];
  /** Where the part that records stand for ends; what lies behind it was never acked. */
  end: number;
  /** Intact records whose bytes are not there (torn between the two files). */
  missing: number;
}

/**
 * Walks the records (`index` from `recordsAt` on, seeded with the header's crc) over the bytes of the segment.
 *
 * A cut-off last record, a blank one and a body that the file is too short for are what a crash in mid-commit leaves: no
 * ack stood for them. A whole record with a wrong crc, or whole bytes with a wrong crc, may be an acked body gone bad: it
 * is reported as damage and never just cut.
 */
export function survey(index: Buffer, recordsAt: number, seed: number, data: Buffer): Survey {
  const result: Survey = { bodies: [], damaged: [], end: 0, missing: 0 };
  let lostRecord = false;
  for (let at = recordsAt; at + RECORD_BYTES <= index.length; at += RECORD_BYTES) {
    const record = decodeRecord(index, at, seed);
    if (record === null || record.offset < result.end) {
      lostRecord ||= record !== null || !isBlank(index, at);
      continue;
    }
    const end = record.offset + record.length;
    if (end > data.length) {
      result.missing++;
      continue;
    }
    if (record.offset > result.end) damage(result, record.offset);
    lostRecord = false;
    if (crc32c(data.subarray(record.offset, end)) === record.crc) result.bodies.push(record);
    else
      result.damaged.push({
        offset: record.offset,
        length: record.length,
        items: record.items,
        reason: 'body_corrupt',
      });
    result.end = end;
  }
  if (lostRecord && data.length > result.end) damage(result, data.length);
  return result;
}

function damage(result: Survey, until: number): void {
  result.damaged.push({ offset: result.end, length: until - result.end, items: 0, reason: 'index_record_corrupt' });
  result.end = until;
}

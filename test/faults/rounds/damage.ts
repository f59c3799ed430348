/**
 * What a crash or a rotten disk leaves in the journal's files: the engine stands still until bodies wait in the journal, both
 * processes are killed, the files are damaged, and Heliograph is started again.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { contentHash, encodeRecord, parseHeader, RECORD_BYTES } from '../../../ingest/journal/index-file.ts';
import { survey } from '../../../ingest/journal/survey.ts';
import type { Draw } from '../../support/seeded.ts';
import { count, type Fault, loadOn, type Round } from './fault.ts';
import type { Load } from './load.ts';
import { numberedBody } from './numbered.ts';
import type { Damaged, Reckoning } from './reckoning.ts';
import { sleep, type Station } from './station.ts';

interface Pair {
  dataPath: string;
  indexPath: string;
  data: Buffer;
  index: Buffer;
  recordsAt: number;
  seed: number;
  bodies: { offset: number; length: number }[];
}

/** Pairs with bodies in them, as the kill left them. */
function pairsIn(dir: string): Pair[] {
  const pairs: Pair[] = [];
  for (const file of readdirSync(dir)) {
    if (!file.endsWith('.seg') || !existsSync(join(dir, `${file.slice(0, -4)}.idx`))) continue;
    const [dataPath, indexPath] = [join(dir, file), join(dir, `${file.slice(0, -4)}.idx`)];
    const [data, index] = [readFileSync(dataPath), readFileSync(indexPath)];
    const header = parseHeader(index);
    if (!header.ok || header.header.signal !== 'otlp_traces') continue;
    const { bodies } = survey(index, header.bytes, header.crc, data);
    if (bodies.length === 0) continue;
    pairs.push({ dataPath, indexPath, data, index, recordsAt: header.bytes, seed: header.crc, bodies });
  }
  return pairs;
}

type Damage = (round: Round, pair: Pair, load: Load) => Damaged[];

function damaging(kind: string, weight: number, damage: Damage): Fault {
  return {
    kind,
    weight,
    async run(round): Promise<Reckoning> {
      const station = await round.stations.common();
      const load = loadOn(round, station);
      for (const pid of station.engines()) process.kill(pid, 'SIGSTOP');
      load.start();
      await sleep(round.draw.between(300, 1200));
      await station.kill('both');
      await load.stop();
      const pairs = pairsIn(station.journalDir);
      const damaged = pairs.length === 0 ? [] : damage(round, round.draw.pick(pairs), load);
      if (pairs.length === 0) round.note('nothing lay in the journal');
      if (round.draw.chance(0.3)) await killedRecovering(round.draw, station);
      await station.start();
      await station.settled();
      return count(station, load, damaged);
    },
  };
}

async function killedRecovering(draw: Draw, station: Station): Promise<void> {
  const launched = station.launch();
  const opening = station.open().catch(() => undefined);
  await Promise.race([sleep(draw.between(100, 900)), launched.exited]);
  await station.kill('both');
  await opening;
}

/** Part of one more body, which nobody was acked: any cut of its bytes with any cut of its record, zeros included. */
function tear({ draw, note }: Round, pair: Pair, load: Load): Damaged[] {
  const body = numberedBody({ ...load.numbering }, load.bodies.length + 1, draw);
  const bytes = body.gzip ? Buffer.from('never a whole body') : body.wire;
  if (!body.gzip) load.bodies.push({ ...body, fate: 'unanswered', accepted: 0, attempts: 1 });
  const { offset, length } = pair.bodies.at(-1) ?? { offset: 0, length: 0 };
  const record = Buffer.alloc(RECORD_BYTES);
  const fields = { offset: offset + length, length: bytes.length, items: body.spans, crc: crc32c(bytes) };
  encodeRecord(record, 0, { ...fields, hash: contentHash(bytes) }, pair.seed);
  const data = cut(bytes, draw);
  const index = cut(record, draw);
  // What lies behind the last whole body and record is the kill's own torn tail.
  writeFileSync(pair.dataPath, Buffer.concat([pair.data.subarray(0, offset + length), data]));
  const records = pair.recordsAt + RECORD_BYTES * pair.bodies.length;
  writeFileSync(pair.indexPath, Buffer.concat([pair.index.subarray(0, records), index]));
  if (draw.chance(0.3)) appendFileSync(pair.indexPath, Buffer.alloc(draw.below(3 * RECORD_BYTES)));
  note(`${data.length} of ${bytes.length} bytes, ${index.length} of ${RECORD_BYTES} of the record`);
  return [];
}

/** Nothing, a part, all, or a part with zeros behind it. */
function cut(bytes: Buffer, draw: Draw): Buffer {
  const how = draw.below(4);
  if (how === 0) return Buffer.alloc(0);
  if (how === 1) return bytes;
  const part = bytes.subarray(0, draw.below(bytes.length));
  return how === 2 ? part : Buffer.concat([part, Buffer.alloc(bytes.length - part.length)]);
}

function flip(bytes: Buffer, at: number, draw: Draw): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << draw.below(8));
  return flipped;
}

/** The body at `range` as it lies in `data` now, under the trace id that it had. */
function damagedBody(pair: Pair, load: Load, data: Buffer, range: { offset: number; length: number }): Damaged[] {
  const slice = (of: Buffer): Buffer => of.subarray(range.offset, range.offset + range.length);
  const body = load.bodies.find(({ traceId }) => slice(pair.data).includes(Buffer.from(traceId, 'hex')));
  return body === undefined ? [] : [{ traceId: body.traceId, bytes: Buffer.from(slice(data)) }];
}

function flipData({ draw, note }: Round, pair: Pair, load: Load): Damaged[] {
  const hit = draw.pick(pair.bodies);
  const at = hit.offset + draw.below(hit.length);
  const data = flip(pair.data, at, draw);
  writeFileSync(pair.dataPath, data);
  note(`byte ${at} of ${pair.bodies.length} bodies`);
  return damagedBody(pair, load, data, hit);
}

function flipIndex({ draw, note }: Round, pair: Pair, load: Load): Damaged[] {
  const inHeader = draw.chance(0.2);
  const record = draw.below(pair.bodies.length);
  const at = inHeader ? draw.below(pair.recordsAt) : pair.recordsAt + record * RECORD_BYTES + draw.below(RECORD_BYTES);
  writeFileSync(pair.indexPath, flip(pair.index, at, draw));
  note(inHeader ? `byte ${at}, in the header of ${pair.bodies.length} bodies` : `record ${record}`);
  const hit = inHeader ? pair.bodies : pair.bodies.slice(record, record + 1);
  return hit.flatMap((range) => damagedBody(pair, load, pair.data, range));
}

export const DAMAGE: readonly Fault[] = [
  damaging('torn-tail', 2, tear),
  damaging('flip-segment', 1, flipData),
  damaging('flip-index', 1, flipIndex),
];

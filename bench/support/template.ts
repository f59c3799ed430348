/**
 * A body that is made once and sent many times, each time with other ids, start times and durations: nothing compresses or
 * deduplicates better than it would for real senders, and a copy costs a fraction of making a body anew.
 */
import { typicalBody } from '../../test/support/otlp-typical.ts';
import { type PatchPoints, patchPoints } from './patch-points.ts';

export interface Template {
  bytes: Buffer;
  spans: number;
  points: PatchPoints;
  /** What its spans were made with, Unix nanoseconds: they start within the second before. */
  bornNs: bigint;
}

/** Templates of `spans` spans each; `seed` chooses services, routes and durations. */
export function typicalTemplates(count: number, spans: number, seed: number, bornNs: bigint): Template[] {
  return Array.from({ length: count }, (_, index) => templateOf(seed + index, spans, bornNs));
}

function templateOf(seed: number, spans: number, bornNs: bigint): Template {
  const bytes = typicalBody({ seed, spans, nowNs: bornNs });
  return { bytes, spans, points: patchPoints(bytes), bornNs };
}

/**
 * A seeded source of unsigned 32-bit integers (sfc32). Its 128 bits of state keep ids apart: those of a generator with 32 would
 * repeat within a million spans.
 */
export function createRandom(seed: number): () => number {
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, seed | 0, 1];
  const next = (): number => {
    const out = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + out) | 0;
    return out >>> 0;
  };
  for (let round = 0; round < 12; round++) next(); // until the seed has reached every bit
  return next;
}

/** 16.8 ms of the start, 65 µs of the duration: too little to change what is measured, enough for no two to be alike. */
const START_JITTER = 0xffffff;
const DURATION_JITTER = 0xffff;

/**
 * Copies a template into `target` at `at`, with new ids (equal where they were equal) and its spans within the second before
 * `nowNs`, which is not before the template's own. Returns where the copy ends.
 */
export function renewInto(target: Buffer, at: number, template: Template, nowNs: bigint, random: () => number): number {
  const { bytes, points } = template;
  bytes.copy(target, at);
  const [low, high] = [random(), random()];
  for (const id of points.ids) {
    target.writeUInt32LE((bytes.readUInt32LE(id) ^ low) >>> 0, at + id);
    target.writeUInt32LE((bytes.readUInt32LE(id + 4) ^ high) >>> 0, at + id + 4);
  }
  const shift = Number(nowNs - template.bornNs);
  for (let i = 0; i < points.starts.length; i++) {
    const start = shift + (random() & START_JITTER);
    addNs(bytes, points.starts[i] ?? 0, target, at, start);
    addNs(bytes, points.ends[i] ?? 0, target, at, start + (random() & DURATION_JITTER));
  }
  return at + bytes.length;
}

const WORD = 0x100000000;

/** The 64-bit sum in two words: a bigint per span would cost more than the rest of a send. */
function addNs(bytes: Buffer, offset: number, target: Buffer, at: number, ns: number): void {
  const low = bytes.readUInt32LE(offset) + (ns % WORD);
  const high = bytes.readUInt32LE(offset + 4) + Math.floor(ns / WORD) + Math.floor(low / WORD);
  target.writeUInt32LE(low % WORD, at + offset);
  target.writeUInt32LE(high, at + offset + 4);
}

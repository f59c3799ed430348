/**
 * Legal noise: the same request said in another way. Fields change places (repeated ones keep their order among
 * themselves), unknown ones come in, varints grow longer than they need be, and, on demand, what is singular comes twice.
 */
import { KEY_VALUE, type MessageType, REQUEST } from '../../collectors/otlp/schema.ts';

export interface Noise {
  /** Uniform in [0, bound). */
  next(bound: number): number;
  /** Whether fields that are singular may stand twice, the first time with something else. */
  twice: boolean;
  /** Whether attribute values are said in another way too; they are then rewritten. */
  values: boolean;
}

interface Piece {
  number: number;
  bytes: Buffer;
}

/** The bytes of `request`, a well-formed one, with noise. The last occurrence of everything is the original. */
export function addNoise(request: Uint8Array, noise: Noise): Buffer {
  return noisyMessage(Buffer.from(request), REQUEST, noise);
}

function readVarint(bytes: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  for (let i = at; ; i++) {
    const byte = bytes[i] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (i - at));
    if (byte < 0x80) return { value, next: i + 1 };
  }
}

function writeVarint(value: number, noise: Noise): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest % 128);
    if (rest < 128) break;
  }
  while (bytes.length < 5 && noise.next(20) === 0) bytes.push(0);
  return Buffer.from(bytes.map((byte, i) => (i < bytes.length - 1 ? byte | 0x80 : byte)));
}

function noisyMessage(bytes: Buffer, type: MessageType | undefined, noise: Noise): Buffer {
  const pieces: Piece[] = [];
  for (let p = 0; p < bytes.length; ) {
    const tag = readVarint(bytes, p);
    const wire = tag.value & 7;
    const number = tag.value >>> 3;
    const field = type?.fields[number];
    let start = tag.next;
    let size = wire === 1 ? 8 : 4;
    if (wire === 0) size = readVarint(bytes, start).next - start;
    else if (wire === 2) ({ value: size, next: start } = readVarint(bytes, start));
    const end = start + size;
    let payload = bytes.subarray(start, end);
    if (field?.message !== undefined) payload = noisyMessage(payload, field.message, noise);
    else if (type === KEY_VALUE && number === 2 && noise.values) payload = noisyMessage(payload, undefined, noise);
    const head = [writeVarint(tag.value, noise), ...(wire === 2 ? [writeVarint(payload.length, noise)] : [])];
    const isSingular = field !== undefined && !field.repeated && field.message === undefined && number !== 2;
    if (noise.twice && isSingular && noise.next(8) === 0) pieces.push({ number, bytes: other(tag.value, noise) });
    pieces.push({ number, bytes: Buffer.concat([...head, payload]) });
    p = end;
  }
  for (let extra = noise.next(6) - 3; extra > 0; extra--) pieces.push({ number: -1, bytes: unknown(noise) });
  return Buffer.concat(shuffle(pieces, noise).map((piece) => piece.bytes));
}

/** A field of the same tag with another value. */
function other(tag: number, noise: Noise): Buffer {
  const values: Record<number, number[]> = { 0: [noise.next(128)], 1: [1, 2, 3, 4, 5, 6, 7, 8], 2: [2, 0x61, 0x62] };
  return Buffer.from([tag, ...(values[tag & 7] ?? [])]);
}

function unknown(noise: Noise): Buffer {
  const number = 20 + noise.next(2) * noise.next(500_000_000);
  const payloads: [number, number[]][] = [
    [0, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    [1, [1, 2, 3, 4, 5, 6, 7, 8]],
    [2, [3, 0xff, 0x00, 0x0a]],
    [5, [1, 2, 3, 4]],
    [2, [0]],
  ];
  const [wire, payload] = payloads[noise.next(payloads.length)] ?? [2, [0]];
  return Buffer.concat([writeVarint(number * 8 + wire, noise), Buffer.from(payload)]);
}

/** Swaps neighbours of different field numbers, so that each number keeps its own order. */
function shuffle(pieces: Piece[], noise: Noise): Piece[] {
  for (let i = 1; i < pieces.length; i++) {
    for (let j = i; j > 0 && noise.next(3) > 0; j--) {
      const [left, right] = [pieces[j - 1], pieces[j]];
      if (left === undefined || right === undefined || left.number === right.number) break;
      pieces[j - 1] = right;
      pieces[j] = left;
    }
  }
  return pieces;
}

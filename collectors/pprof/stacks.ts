/**
 * The samples of a profile, by distinct stack. A stack is known by a 128-bit hash over its function names, root first: a name is
 * hashed once, a stack is the hash of its names' hashes. So names cannot run into one another, and edits of lines, inlining
 * and addresses change nothing.
 */
import { Hash128, LANES } from './hash.ts';
import type { Tables } from './tables.ts';
import { Ints, LENGTH, Malformed, Reader, TWO_32, VARINT } from './wire.ts';

/** Bound on what one profile may make us do: a location may stand for many frames, and a sample for many locations. */
const MAX_FRAMES = 32_000_000;
/** Frames of a stack that are kept, those nearest the root. Go itself stops at 128 locations. */
const MAX_DEPTH = 1024;

export interface Stacks {
  count: number;
  /** Hash of each stack, LANES entries each. */
  lanes: Ints;
  /** Sums by stack, one entry a sample type, as two halves: `high * 2^32 + low`. */
  low: Float64Array;
  high: Float64Array;
  /** Stacks that are deeper than what is kept. */
  cut: number;
  /** Frames of a stack, root first, by their number in the tables. The array is good until the next call. */
  frames(stack: number): Int32Array;
}

/** Reads the samples. Throws Malformed. */
export function readStacks(bytes: Uint8Array, tables: Tables): Stacks {
  const reader = new StackReader(bytes, tables);
  reader.read();
  return reader;
}

class StackReader implements Stacks {
  count = 0;
  readonly lanes = new Ints();
  low: Float64Array;
  high: Float64Array;
  cut = 0;

  readonly #tables: Tables;
  readonly #types: number;
  readonly #reader: Reader;
  readonly #hash = new Hash128();
  /** A sample that has the stack, by stack: frames are read from it again when somebody asks, as for most nobody does. */
  readonly #sampleOf = new Ints();
  /** Open addressing: number of a stack plus one, 0 where free; never more than half full. */
  #slots = new Int32Array(1024);
  /** Locations of the sample at hand, leaf first, and its values as halves. */
  readonly #locations = new Ints();
  readonly #sampleLow: Float64Array;
  readonly #sampleHigh: Float64Array;
  #values = 0;
  /** Frames of the sample at hand, root first. */
  readonly #frames = new Int32Array(MAX_DEPTH);
  /** Hash of each frame's name, LANES entries each. */
  readonly #frameLanes: Int32Array;
  #frameBudget = MAX_FRAMES;

  constructor(bytes: Uint8Array, tables: Tables) {
    this.#tables = tables;
    this.#types = tables.sampleTypes.length / 2;
    this.#reader = new Reader(bytes);
    this.#sampleLow = new Float64Array(this.#types);
    this.#sampleHigh = new Float64Array(this.#types);
    this.#frameLanes = hashFrames(bytes, tables);
    this.low = new Float64Array(this.#types * 64);
    this.high = new Float64Array(this.#types * 64);
  }

  read(): void {
    const { samples } = this.#tables.spans;
    for (let i = 0; i < samples.length; i += 2) {
      this.#readSample(samples.at(i), samples.at(i + 1));
      if (this.#values !== this.#types)
        throw new Malformed(samples.at(i), `a sample has ${this.#values} values for ${this.#types} sample types`);
      const depth = this.#expand();
      this.#frameBudget -= depth;
      if (this.#frameBudget < 0) throw new Malformed(samples.at(i), `the samples have more than ${MAX_FRAMES} frames`);
      this.#hash.ofHashes(this.#frameLanes, this.#frames, depth);
      this.#add(this.#find() ?? this.#keep(i, depth));
    }
  }

  frames(stack: number): Int32Array {
    const { samples } = this.#tables.spans;
    const sample = this.#sampleOf.at(stack);
    this.#readSample(samples.at(sample), samples.at(sample + 1));
    return this.#frames.subarray(0, this.#expand());
  }

  #readSample(start: number, end: number): void {
    const reader = this.#reader;
    this.#locations.length = 0;
    this.#values = 0;
    reader.enter(start, end);
    while (reader.next()) {
      const { field } = reader;
      if (field !== 1 && field !== 2) {
        reader.skip();
        continue;
      }
      if (reader.type === LENGTH) {
        reader.end = reader.length();
        while (reader.at < reader.end) this.#take(field);
        reader.end = end;
      } else {
        reader.expect(VARINT, field === 1 ? 'location_id' : 'value');
        this.#take(field);
      }
    }
  }

  /** Takes one number of location_id or value. */
  #take(field: number): void {
    const reader = this.#reader;
    const { at } = reader;
    reader.number();
    if (field === 1) {
      const location = this.#tables.locationIds.find(reader.low, reader.high);
      if (location < 0) throw new Malformed(at, 'a sample names a location that is not there');
      this.#locations.push(location);
      return;
    }
    if (this.#values < this.#types) {
      this.#sampleLow[this.#values] = reader.low;
      this.#sampleHigh[this.#values] = reader.high | 0;
    }
    this.#values += 1;
  }

  /** Turns the locations at hand into frames; returns how many. */
  #expand(): number {
    const { frameStarts } = this.#tables;
    const locations = this.#locations;
    const frames = this.#frames;
    let depth = 0;
    for (let i = locations.length - 1; i >= 0; i--) {
      const location = locations.at(i);
      const end = frameStarts.at(location + 1);
      for (let frame = frameStarts.at(location); frame < end; frame++) {
        if (depth === MAX_DEPTH) return depth;
        frames[depth++] = frame;
      }
    }
    return depth;
  }

  /** The known stack with the hash at hand. */
  #find(): number | undefined {
    const { a, b, c, d } = this.#hash;
    const { lanes } = this;
    const mask = this.#slots.length - 1;
    for (let slot = a & mask; ; slot = (slot + 1) & mask) {
      const stack = (this.#slots[slot] as number) - 1;
      if (stack < 0) return undefined;
      const at = stack * LANES;
      if (lanes.at(at) === a && lanes.at(at + 1) === b && lanes.at(at + 2) === c && lanes.at(at + 3) === d)
        return stack;
    }
  }

  /** Makes the stack at hand a known one. */
  #keep(sample: number, depth: number): number {
    const { a, b, c, d } = this.#hash;
    const added = this.count++;
    this.#sampleOf.push(sample);
    if (depth === MAX_DEPTH) this.cut += 1;
    this.lanes.push(a);
    this.lanes.push(b);
    this.lanes.push(c);
    this.lanes.push(d);
    if ((added + 1) * 2 > this.#slots.length) {
      this.#slots = new Int32Array(this.#slots.length * 2);
      for (let stack = 0; stack < added; stack++) this.#occupy(this.lanes.at(stack * LANES), stack);
    }
    this.#occupy(a, added);
    return added;
  }

  #occupy(lane: number, stack: number): void {
    const mask = this.#slots.length - 1;
    let slot = lane & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = stack + 1;
  }

  /** Adds the values of the sample at hand to those of its stack. */
  #add(stack: number): void {
    const types = this.#types;
    if ((stack + 1) * types > this.low.length) {
      this.low = larger(this.low);
      this.high = larger(this.high);
    }
    for (let i = 0; i < types; i++) {
      (this.low[stack * types + i] as number) += this.#sampleLow[i] as number;
      (this.high[stack * types + i] as number) += this.#sampleHigh[i] as number;
    }
  }
}

/** Hash of each frame's name, LANES entries each; a name that many frames have is hashed once. */
function hashFrames(bytes: Uint8Array, { frameNames, spans }: Tables): Int32Array {
  const lanes = new Int32Array(frameNames.length * LANES);
  /** By name: a frame that has it, plus one. Complements, which are names of files, have the second half. */
  const strings = spans.strings.length / 2;
  const framesOf = new Int32Array(strings * 2);
  const hash = new Hash128();
  for (let frame = 0; frame < frameNames.length; frame++) {
    const name = frameNames.at(frame);
    const index = name >= 0 ? name : ~name;
    const slot = name >= 0 ? index : strings + index;
    const known = framesOf[slot] as number;
    const to = frame * LANES;
    if (known > 0) {
      lanes.copyWithin(to, (known - 1) * LANES, known * LANES);
      continue;
    }
    framesOf[slot] = frame + 1;
    hash.ofBytes(bytes, spans.strings.at(index * 2), spans.strings.at(index * 2 + 1));
    // a file's name stands for unknown functions of that file, which are not the function of that name
    const mask = name >= 0 ? 0 : -1;
    lanes[to] = hash.a ^ mask;
    lanes[to + 1] = hash.b ^ mask;
    lanes[to + 2] = hash.c ^ mask;
    lanes[to + 3] = hash.d ^ mask;
  }
  return lanes;
}

function larger(values: Float64Array): Float64Array {
  const grown = new Float64Array(values.length * 2);
  grown.set(values);
  return grown;
}

/** A sum as a number, or as decimal text where a double would round it; undefined where 64 bits do not hold it. */
export function sumOf(low: number, high: number): number | string | undefined {
  const rounded = high * TWO_32 + low;
  if (Number.isSafeInteger(rounded)) return rounded;
  const exact = BigInt(high) * 4_294_967_296n + BigInt(low);
  return BigInt.asIntN(64, exact) === exact ? exact.toString() : undefined;
}

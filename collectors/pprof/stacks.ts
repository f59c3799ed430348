/**
 * The samples of a profile, by distinct stack. A stack is known by a 128-bit hash over its function names, root first: a name is
 * hashed once, a stack is the hash of its names' hashes. So names cannot run into one another, and edits of lines, inlining
 * and addresses change nothing.
 */
import { Hash128, hashOf } from './hash.ts';
import type { Tables } from './tables.ts';
import { Ints, LENGTH, Malformed, Reader, TWO_32, VARINT } from './wire.ts';

/** Bounds on what one profile may make us do. */
const MAX_SAMPLES = 1_000_000;
const MAX_FRAMES = 32_000_000;
/** Frames of a stack that are kept, those nearest the root. Go itself stops at 128 locations. */
const MAX_DEPTH = 1024;

/** Integers of a hash. */
const LANES = 4;

export interface Stacks {
  count: number;
  /** Hash of each stack, four entries each. */
  lanes: Ints;
  /** Frames of stack i: from `starts[i]` to `starts[i + 1]`, root first. */
  starts: Ints;
  frames: Ints;
  /** Sums by stack, `sampleTypes` entries each, as two halves: `high * 2^32 + low`. */
  low: Float64Array;
  high: Float64Array;
  /** Stacks that were deeper than what is kept. */
  cut: number;
}

/** Reads the samples. Throws Malformed. */
export function readStacks(bytes: Uint8Array, tables: Tables): Stacks {
  return new StackReader(bytes, tables).read();
}

class StackReader {
  readonly #bytes: Uint8Array;
  readonly #tables: Tables;
  readonly #types: number;
  readonly #reader: Reader;
  /** Open addressing: number of a stack plus one, 0 where free; never more than half full. */
  #slots = new Int32Array(1024);
  readonly #hash = new Hash128();
  readonly #stacks: Stacks;
  /** Locations of the sample at hand, leaf first, and its values as halves. */
  readonly #locations = new Ints();
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  #values = 0;
  /** Frames of the sample at hand, root first. */
  readonly #frames = new Int32Array(MAX_DEPTH);
  /** Hash of each name that was asked for, by name. */
  readonly #nameLanes: Int32Array;
  readonly #nameKnown: Uint8Array;
  #frameBudget = MAX_FRAMES;

  constructor(bytes: Uint8Array, tables: Tables) {
    this.#bytes = bytes;
    this.#tables = tables;
    this.#types = tables.sampleTypes.length / 2;
    this.#reader = new Reader(bytes);
    this.#low = new Float64Array(this.#types);
    this.#high = new Float64Array(this.#types);
    const names = tables.spans.strings.length; // twice the strings: those of functions, then those of mappings
    this.#nameLanes = new Int32Array(names * LANES);
    this.#nameKnown = new Uint8Array(names);
    const low = new Float64Array(this.#types * 64);
    this.#stacks = {
      count: 0,
      lanes: new Ints(),
      starts: new Ints(),
      frames: new Ints(),
      low,
      high: low.slice(),
      cut: 0,
    };
  }

  read(): Stacks {
    const { samples } = this.#tables.spans;
    if (samples.length > MAX_SAMPLES * 2)
      throw new Malformed(samples.at(0), `there are more than ${MAX_SAMPLES} samples`);
    for (let i = 0; i < samples.length; i += 2) {
      this.#readSample(samples.at(i), samples.at(i + 1));
      this.#add(this.#intern(samples.at(i)));
    }
    this.#stacks.starts.push(this.#stacks.frames.length);
    return this.#stacks;
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
        const stop = reader.length();
        const outer = reader.end;
        reader.end = stop;
        while (reader.at < stop) this.#take(field);
        reader.end = outer;
      } else {
        reader.expect(VARINT, field === 1 ? 'location_id' : 'value');
        this.#take(field);
      }
    }
    if (this.#values !== this.#types)
      throw new Malformed(start, `a sample has ${this.#values} values for ${this.#types} sample types`);
  }

  /** Takes one number of location_id or value. */
  #take(field: number): void {
    const reader = this.#reader;
    const { at } = reader;
    reader.number();
    if (field === 2) {
      if (this.#values < this.#types) {
        this.#low[this.#values] = reader.low;
        this.#high[this.#values] = reader.high | 0;
      }
      this.#values += 1;
      return;
    }
    const location = this.#tables.locationIds.find(reader.low, reader.high);
    if (location < 0) throw new Malformed(at, 'a sample names a location that is not there');
    this.#locations.push(location);
  }

  /** Number of the stack of the sample at hand. */
  #intern(offset: number): number {
    const { frameStarts, frameNames } = this.#tables;
    const locations = this.#locations;
    const hash = this.#hash;
    const lanes = this.#nameLanes;
    hash.reset();
    let depth = 0;
    for (let i = locations.length - 1; i >= 0 && depth < MAX_DEPTH; i--) {
      const location = locations.at(i);
      const end = Math.min(frameStarts.at(location + 1), frameStarts.at(location) + MAX_DEPTH - depth);
      for (let frame = frameStarts.at(location); frame < end; frame++) {
        this.#frames[depth++] = frame;
        const at = this.#slotOf(frameNames.at(frame)) * LANES;
        hash.block(lanes[at] as number, lanes[at + 1] as number, lanes[at + 2] as number, lanes[at + 3] as number);
      }
    }
    hash.finish(depth * LANES * 4);
    this.#frameBudget -= depth;
    if (this.#frameBudget < 0) throw new Malformed(offset, `the samples have more than ${MAX_FRAMES} frames`);
    return this.#find() ?? this.#keep(depth);
  }

  /** Place of a name among the names' hashes, which is filled when it is first asked for. */
  #slotOf(name: number): number {
    const slot = name >= 0 ? name * 2 : ~name * 2 + 1;
    if (this.#nameKnown[slot] === 0) this.#hashName(name, slot);
    return slot;
  }

  #hashName(name: number, slot: number): void {
    this.#nameKnown[slot] = 1;
    const { strings } = this.#tables.spans;
    const index = name >= 0 ? name : ~name;
    const { a, b, c, d } = hashOf(this.#bytes, strings.at(index * 2), strings.at(index * 2 + 1));
    // a file's name stands for unknown functions of that file, which are not the function of that name
    const mask = name >= 0 ? 0 : -1;
    const at = slot * LANES;
    this.#nameLanes[at] = a ^ mask;
    this.#nameLanes[at + 1] = b ^ mask;
    this.#nameLanes[at + 2] = c ^ mask;
    this.#nameLanes[at + 3] = d ^ mask;
  }

  /** The known stack with the hash at hand. */
  #find(): number | undefined {
    const { a, b, c, d } = this.#hash;
    const lanes = this.#stacks.lanes;
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
  #keep(depth: number): number {
    const stacks = this.#stacks;
    const { a, b, c, d } = this.#hash;
    const added = stacks.count++;
    stacks.starts.push(stacks.frames.length);
    for (let i = 0; i < depth; i++) stacks.frames.push(this.#frames[i] as number);
    if (depth === MAX_DEPTH) stacks.cut += 1;
    const { lanes } = stacks;
    lanes.push(a);
    lanes.push(b);
    lanes.push(c);
    lanes.push(d);
    if ((added + 1) * 2 > this.#slots.length) this.#rehash(added);
    this.#occupy(a, added);
    return added;
  }

  #rehash(count: number): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let stack = 0; stack < count; stack++) this.#occupy(this.#stacks.lanes.at(stack * LANES), stack);
  }

  #occupy(lane: number, stack: number): void {
    const mask = this.#slots.length - 1;
    let slot = lane & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = stack + 1;
  }

  /** Adds the values of the sample at hand to those of its stack. */
  #add(stack: number): void {
    const stacks = this.#stacks;
    const types = this.#types;
    if ((stack + 1) * types > stacks.low.length) {
      stacks.low = larger(stacks.low);
      stacks.high = larger(stacks.high);
    }
    for (let i = 0; i < types; i++) {
      (stacks.low[stack * types + i] as number) += this.#low[i] as number;
      (stacks.high[stack * types + i] as number) += this.#high[i] as number;
    }
  }
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

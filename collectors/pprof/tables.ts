/**
 * The tables of a profile: where its messages lie, and what its locations are made of. Nothing becomes an object; strings are
 * decoded when somebody asks for one. https://github.com/google/pprof/blob/main/proto/profile.proto
 */
import { type Locations, type Mappings, readFunctions, readLocations, type Spans, stringIndex } from './frames.ts';
import { IdTable } from './ids.ts';
import { Ints, LENGTH, Malformed, Reader, VARINT } from './wire.ts';

const MAX_SAMPLE_TYPES = 32;
/** Of each kind: samples, locations, functions, mappings, strings. Tables are made in their sizes. */
const MAX_MESSAGES = 1_000_000;
/** A name longer than this is cut when shown; its hash is over all of it. */
const MAX_TEXT = 4096;

export interface Tables extends Locations {
  spans: Spans;
  /** String indexes: type and unit, two entries a sample type. */
  sampleTypes: Ints;
}

const SPAN_OF_FIELD: readonly (keyof Spans | undefined)[] = [
  undefined,
  undefined,
  'samples',
  'mappings',
  'locations',
  'functions',
  'strings',
];

/** Reads everything but the samples. Throws Malformed. */
export function readTables(bytes: Uint8Array): Tables {
  const reader = new Reader(bytes);
  const { spans, sampleTypes } = locate(reader);
  const mappings = readMappings(reader, spans);
  return { spans, sampleTypes, ...readLocations(reader, spans, readFunctions(reader, spans), mappings) };
}

/** Text of a string, cut where it is very long. */
export function textOf(bytes: Uint8Array, { strings }: Spans, index: number): string {
  const start = strings.at(index * 2);
  const end = strings.at(index * 2 + 1);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(end - start, MAX_TEXT)).toString('utf8');
  return end - start > MAX_TEXT ? `${text}…` : text;
}

/** Where each message lies, and the sample types. */
function locate(reader: Reader): { spans: Spans; sampleTypes: Ints } {
  const spans: Spans = {
    samples: new Ints(),
    mappings: new Ints(),
    locations: new Ints(),
    functions: new Ints(),
    strings: new Ints(),
  };
  const types = new Ints();
  while (reader.next()) {
    const name = SPAN_OF_FIELD[reader.field];
    if (name === undefined && reader.field !== 1) {
      reader.skip();
      continue;
    }
    reader.expect(LENGTH, name ?? 'sample_type');
    const stop = reader.length();
    const span = name === undefined ? types : spans[name];
    if (span.length >= MAX_MESSAGES * 2)
      throw new Malformed(reader.fieldAt, `there are more than ${MAX_MESSAGES} ${name ?? 'sample types'}`);
    span.push(reader.at);
    span.push(stop);
    reader.at = stop;
  }
  const { strings } = spans;
  if (strings.length === 0) throw new Malformed(0, 'there is no string table');
  if (strings.at(0) !== strings.at(1)) throw new Malformed(strings.at(0), 'string_table[0] is not empty');
  if (types.length === 0) throw new Malformed(0, 'there is no sample type');
  if (types.length > MAX_SAMPLE_TYPES * 2)
    throw new Malformed(types.at(0), `there are more than ${MAX_SAMPLE_TYPES} sample types`);
  const sampleTypes = new Ints();
  for (let i = 0; i < types.length; i += 2) {
    let [type, unit] = [0, 0];
    reader.enter(types.at(i), types.at(i + 1));
    while (reader.next()) {
      if (reader.field === 1) type = stringIndex(reader, strings);
      else if (reader.field === 2) unit = stringIndex(reader, strings);
      else reader.skip();
    }
    sampleTypes.push(type);
    sampleTypes.push(unit);
  }
  return { spans, sampleTypes };
}

/** Mapping id -> string index of its file name. */
function readMappings(reader: Reader, { mappings, strings }: Spans): Mappings {
  const count = mappings.length / 2;
  const ids = new IdTable('mapping', count);
  const files = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const start = mappings.at(i * 2);
    let [low, high] = [0, 0];
    reader.enter(start, mappings.at(i * 2 + 1));
    while (reader.next()) {
      if (reader.field === 1) {
        reader.expect(VARINT, 'the id of a mapping');
        reader.number();
        [low, high] = [reader.low, reader.high];
      } else if (reader.field === 5) files[i] = stringIndex(reader, strings);
      else reader.skip();
    }
    ids.add(low, high, i, start);
  }
  return { ids, files };
}

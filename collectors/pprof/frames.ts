/** Functions and locations of a profile as flat tables: which frames a location stands for. */
import { IdTable } from './ids.ts';
import { Ints, LENGTH, Malformed, type Reader, VARINT } from './wire.ts';

/** Lines of all locations. */
const MAX_LINES = 2_000_000;

/** Start and end of each message of a kind, two entries each. */
export interface Spans {
  samples: Ints;
  mappings: Ints;
  locations: Ints;
  functions: Ints;
  strings: Ints;
}

/** Names and files are string indexes. */
interface Functions {
  ids: IdTable;
  names: Int32Array;
  files: Int32Array;
}

/** Files are string indexes. */
export interface Mappings {
  ids: IdTable;
  files: Int32Array;
}

export interface Locations {
  locationIds: IdTable;
  /** Frames of location i: from `frameStarts[i]` to `frameStarts[i + 1]`, the caller first. */
  frameStarts: Ints;
  /** String index of the frame's function; where it has none, the complement of that of its mapping's file. */
  frameNames: Ints;
  frameFiles: Ints;
  frameLines: Ints;
}

/** Reads the field at hand as an index of the string table. Throws Malformed where there is no such string. */
export function stringIndex(reader: Reader, strings: Ints): number {
  reader.expect(VARINT, 'an index of the string table');
  const index = reader.number();
  if (index * 2 >= strings.length) throw new Malformed(reader.fieldAt, `there is no string ${index}`);
  return index;
}

export function readFunctions(reader: Reader, { functions, strings }: Spans): Functions {
  const count = functions.length / 2;
  const ids = new IdTable('function', count);
  const names = new Int32Array(count);
  const files = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const start = functions.at(i * 2);
    let low = 0;
    let high = 0;
    reader.enter(start, functions.at(i * 2 + 1));
    while (reader.next()) {
      if (reader.field === 1) {
        reader.expect(VARINT, 'the id of a function');
        reader.number();
        low = reader.low;
        high = reader.high;
      } else if (reader.field === 2) names[i] = stringIndex(reader, strings);
      else if (reader.field === 4) files[i] = stringIndex(reader, strings);
      else reader.skip();
    }
    ids.add(low, high, i, start);
  }
  return { ids, names, files };
}

/** Location.line[] is leaf first where functions were inlined; frames are kept the other way round, as stacks are. */
export function readLocations(
  reader: Reader,
  { locations }: Spans,
  functions: Functions,
  mappings: Mappings,
): Locations {
  const count = locations.length / 2;
  const table: Locations = {
    locationIds: new IdTable('location', count),
    frameStarts: new Ints(),
    frameNames: new Ints(),
    frameFiles: new Ints(),
    frameLines: new Ints(),
  };
  const lines = new Ints();
  for (let i = 0; i < count; i++) {
    table.frameStarts.push(table.frameNames.length);
    const start = locations.at(i * 2);
    const unnamed = readLocation(reader, start, locations.at(i * 2 + 1), i, table, mappings, lines);
    for (let at = lines.length - 2; at >= 0; at -= 2)
      readLine(reader, lines.at(at), lines.at(at + 1), table, functions, unnamed);
    if (lines.length === 0) pushFrame(table, unnamed, 0, 0);
  }
  table.frameStarts.push(table.frameNames.length);
  return table;
}

/** Takes in a location's id, leaves where its lines lie in `lines`, and returns the name of a frame without a function. */
function readLocation(
  reader: Reader,
  start: number,
  end: number,
  position: number,
  { locationIds, frameNames }: Locations,
  mappings: Mappings,
  lines: Ints,
): number {
  let low = 0;
  let high = 0;
  let file = 0;
  lines.length = 0;
  reader.enter(start, end);
  while (reader.next()) {
    const { field } = reader;
    if (field === 4) {
      reader.expect(LENGTH, 'line');
      if (frameNames.length + lines.length / 2 >= MAX_LINES)
        throw new Malformed(reader.fieldAt, `there are more than ${MAX_LINES} lines`);
      const stop = reader.length();
      lines.push(reader.at);
      lines.push(stop);
      reader.at = stop;
    } else if (field === 1) {
      reader.expect(VARINT, 'the id of a location');
      reader.number();
      low = reader.low;
      high = reader.high;
    } else if (field === 2) {
      const mapping = reference(reader, mappings.ids, 'mapping');
      file = mapping < 0 ? 0 : (mappings.files[mapping] as number);
    } else reader.skip();
  }
  locationIds.add(low, high, position, start);
  return ~file;
}

function readLine(
  reader: Reader,
  start: number,
  end: number,
  table: Locations,
  functions: Functions,
  unnamed: number,
): void {
  let position = -1;
  let line = 0;
  reader.enter(start, end);
  while (reader.next()) {
    if (reader.field === 1) position = reference(reader, functions.ids, 'function');
    else if (reader.field === 2) {
      reader.expect(VARINT, 'a line number');
      line = Math.min(reader.number(), 0x7fff_ffff);
    } else reader.skip();
  }
  if (position < 0) pushFrame(table, unnamed, 0, line);
  else pushFrame(table, functions.names[position] as number, functions.files[position] as number, line);
}

function pushFrame(table: Locations, name: number, file: number, line: number): void {
  table.frameNames.push(name);
  table.frameFiles.push(file);
  table.frameLines.push(line);
}

/** Position of the message whose id the field at hand is; -1 for 0, which is none. Throws Malformed for an unknown one. */
function reference(reader: Reader, ids: IdTable, what: string): number {
  reader.expect(VARINT, `the id of a ${what}`);
  reader.number();
  const { low, high } = reader;
  if (low === 0 && high === 0) return -1;
  const position = ids.find(low, high);
  if (position < 0) throw new Malformed(reader.fieldAt, `there is no such ${what}`);
  return position;
}

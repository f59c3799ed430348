/** Mutations of protobuf bodies that know the structure: what is broken, is broken at a place that means something. */
import type { Draw } from '../../support/seeded.ts';

type Kind = 'request' | 'resourceSpans' | 'resource' | 'scopeSpans' | 'scope' | 'span' | 'event' | 'link' | 'status';
type Type = Kind | 'keyValue' | 'any' | 'array' | 'kvlist';

/** Which fields hold messages. */
const MESSAGES: Record<Type, Readonly<Record<number, Type>>> = {
  request: { 1: 'resourceSpans' },
  resourceSpans: { 1: 'resource', 2: 'scopeSpans' },
  resource: { 1: 'keyValue' },
  scopeSpans: { 1: 'scope', 2: 'span' },
  scope: {},
  span: { 9: 'keyValue', 11: 'event', 13: 'link', 15: 'status' },
  event: { 3: 'keyValue' },
  link: { 4: 'keyValue' },
  status: {},
  keyValue: { 2: 'any' },
  any: { 5: 'array', 6: 'kvlist' },
  array: { 1: 'any' },
  kvlist: { 1: 'keyValue' },
};

/** A field taken apart; `tag`, `length` and `payload` may each be made to lie. */
interface Field {
  tag: Buffer;
  number: number;
  wire: number;
  /** The payload of a length-delimited field is longer or shorter than this says. */
  length: Buffer | undefined;
  payload: Buffer | Field[];
  type: Type | undefined;
}

interface Place {
  among: Field[];
  at: number;
  field: Field;
}

/** `other` gives a second body, to be put together with this one. */
export function mutate(bytes: Buffer, other: () => Buffer, draw: Draw): Buffer {
  if (draw.chance(0.25)) return mutateBytes(bytes, other, draw);
  const root = parse(bytes, 'request');
  for (let times = draw.between(1, 3); times > 0; times--) {
    const places: Place[] = [];
    collect(root, places);
    if (places.length === 0) break;
    draw.pick(FIELD_MUTATIONS)(draw.pick(places), draw, places);
  }
  const mutated = write(root);
  return draw.chance(0.1) ? mutateBytes(mutated, other, draw) : mutated;
}

const NOTHING = Buffer.alloc(0);
const SMALL = Array.from({ length: 128 }, (_, value) => Buffer.from([value]));

export function varint(value: bigint, padTo = 0): Buffer {
  if (value >= 0n && value < 128n && padTo <= 1) return SMALL[Number(value)] as Buffer;
  const out: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
  while (out.length < padTo) {
    out[out.length - 1] = (out.at(-1) ?? 0) | 0x80;
    out.push(0);
  }
  return Buffer.from(out);
}

function readVarint(bytes: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  for (let p = at; ; p++) {
    const byte = bytes[p] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (p - at));
    if (byte < 0x80) return { value, next: p + 1 };
  }
}

/** Takes well-formed bytes apart. */
function parse(bytes: Buffer, type: Type): Field[] {
  const fields: Field[] = [];
  for (let p = 0; p < bytes.length; ) {
    const { value, next } = readVarint(bytes, p);
    const [number, wire] = [value >>> 3, value & 7];
    const tag = bytes.subarray(p, next);
    if (wire === 2) {
      const length = readVarint(bytes, next);
      const payload = bytes.subarray(length.next, length.next + length.value);
      const inner = MESSAGES[type][number];
      const content = inner === undefined ? payload : parse(payload, inner);
      fields.push({ tag, number, wire, length: undefined, payload: content, type: inner });
      p = length.next + length.value;
    } else {
      const end = wire === 0 ? readVarint(bytes, next).next : next + (wire === 1 ? 8 : 4);
      fields.push({ tag, number, wire, length: undefined, payload: bytes.subarray(next, end), type: undefined });
      p = end;
    }
  }
  return fields;
}

function write(fields: readonly Field[]): Buffer {
  const out: Buffer[] = [];
  emit(fields, out);
  return Buffer.concat(out);
}

/** Appends the pieces and returns how long they are together. */
function emit(fields: readonly Field[], out: Buffer[]): number {
  let size = 0;
  for (const { tag, wire, length, payload } of fields) {
    const lengthAt = out.push(tag, NOTHING) - 1; // the length is known when the payload is
    let content = 0;
    if (Buffer.isBuffer(payload)) content = (out.push(payload), payload.length);
    else content = emit(payload, out);
    if (wire === 2) out[lengthAt] = length ?? varint(BigInt(content));
    size += tag.length + (out[lengthAt] as Buffer).length + content;
  }
  return size;
}

function collect(fields: Field[], places: Place[]): void {
  for (const [at, field] of fields.entries()) {
    places.push({ among: fields, at, field });
    if (!Buffer.isBuffer(field.payload)) collect(field.payload, places);
  }
}

const copy = (field: Field): Field => ({
  ...field,
  payload: Buffer.isBuffer(field.payload) ? field.payload : field.payload.map(copy),
});
const contentOf = ({ payload }: Field): Buffer => (Buffer.isBuffer(payload) ? payload : write(payload));
const raw = (bytes: readonly number[] | Buffer): Field => ({
  tag: Buffer.from(bytes),
  number: 0,
  wire: 0,
  length: undefined,
  payload: Buffer.alloc(0),
  type: undefined,
});

const ODD_LENGTHS = [
  0n,
  1n,
  127n,
  128n,
  1n << 31n,
  (1n << 31n) - 1n,
  1n << 32n,
  (1n << 32n) + 5n,
  1n << 63n,
  (1n << 64n) - 1n,
];
const ODD_NUMBERS = [0n, 1n, 2n, 255n, 1n << 31n, (1n << 32n) - 1n, 1n << 63n, (1n << 64n) - 1n];
const ODD_TEXTS = [
  [0xff, 0xfe],
  [0xc3],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0x00],
  [0xe2, 0x80, 0xa8],
  [],
].map((bytes) => Buffer.from(bytes));
const ODD_FIXED64 = [
  0n,
  1n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
  0x7ff8000000000000n,
  0xfff0000000000000n,
  0x8000000000000000n,
];

function fixed64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

type FieldMutation = (place: Place, draw: Draw, places: readonly Place[]) => void;

/** Values that are odd for the field's own kind. */
const oddValue: FieldMutation = ({ field }, draw) => {
  if (field.wire === 0) field.payload = varint(draw.pick(ODD_NUMBERS));
  else if (field.wire === 1) field.payload = fixed64(draw.pick(ODD_FIXED64));
  else if (field.wire === 2 && Buffer.isBuffer(field.payload)) field.payload = draw.pick(ODD_TEXTS);
  else field.payload = Buffer.alloc(draw.below(3));
};

const lengthLie: FieldMutation = ({ field }, draw) => {
  if (field.wire !== 2) return;
  const length = BigInt(contentOf(field).length);
  field.length = varint(draw.chance(0.5) ? length + BigInt(draw.between(-3, 3)) : draw.pick(ODD_LENGTHS));
};

const wrongWire: FieldMutation = ({ field }, draw) => {
  field.tag = varint(BigInt(field.number * 8 + draw.below(8)));
};

const otherNumber: FieldMutation = ({ field }, draw) => {
  const number = draw.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 17, 2047, 536_870_911, 536_870_912]);
  field.tag = varint(BigInt(number) * 8n + BigInt(field.wire));
};

const longVarint: FieldMutation = ({ field }, draw) => {
  const size = draw.pick([2, 5, 9, 10, 11, 12]);
  const which = draw.below(3);
  if (which === 0) field.tag = varint(BigInt(field.number * 8 + field.wire), size);
  else if (which === 1 && field.wire === 2) field.length = varint(BigInt(contentOf(field).length), size);
  else if (field.wire === 0) field.payload = varint(BigInt(readVarint(contentOf(field), 0).value % 2 ** 31), size);
};

const cutVarint: FieldMutation = ({ among, at }, draw) => {
  among.splice(
    at + draw.below(2),
    0,
    raw([draw.pick([0x08, 0x80, 0x30, 0x18]), ...Array<number>(draw.below(12)).fill(0x80)]),
  );
};

const group: FieldMutation = ({ among, at, field }, draw) => {
  const [begin, end] = [varint(BigInt(field.number * 8 + 3)), varint(BigInt(field.number * 8 + 4))];
  const how = draw.below(3);
  if (how === 0) among.splice(at, 0, raw(begin));
  else if (how === 1) among.splice(at, 0, raw(end));
  else among.splice(at, 1, raw(begin), field, raw(end));
};

const twice: FieldMutation = ({ among, at, field }, draw) => {
  const again = copy(field);
  if (draw.chance(0.5) && Buffer.isBuffer(again.payload)) oddValue({ among, at, field: again }, draw, []);
  among.splice(draw.chance(0.5) ? at : among.length, 0, again);
};

const many: FieldMutation = ({ among, at, field }, draw) => {
  const size = Math.max(1, contentOf(field).length);
  const times = Math.min(draw.pick([2, 10, 100, 1000]), Math.ceil(20_000 / size));
  among.splice(at, 0, ...Array.from({ length: times }, () => field));
};

const remove: FieldMutation = ({ among, at }) => void among.splice(at, 1);

const swap: FieldMutation = ({ field }, draw, places) => {
  field.payload = contentOf(draw.pick(places).field);
};

const emptied: FieldMutation = ({ field }) => {
  field.payload = Buffer.alloc(0);
};

const reorder: FieldMutation = ({ among }, draw) => {
  const [taken] = among.splice(draw.below(among.length), 1);
  if (taken !== undefined) among.splice(draw.below(among.length + 1), 0, taken);
};

const unknown: FieldMutation = ({ among, at }, draw) => {
  const number = BigInt(draw.pick([10, 16, 100, 20_000, 536_870_911]));
  const [wire, payload] = draw.pick([
    [0n, varint(draw.pick(ODD_NUMBERS))],
    [1n, fixed64(draw.pick(ODD_FIXED64))],
    [2n, Buffer.concat([varint(3n), Buffer.from([0xff, 0x0a, 0x80])])],
    [5n, Buffer.from([1, 2, 3, 4])],
    [6n, Buffer.from([1])],
    [7n, Buffer.alloc(0)],
  ] as [bigint, Buffer][]);
  among.splice(at, 0, raw(Buffer.concat([varint(number * 8n + wire), payload])));
};

/** A value within lists within lists. */
const deep: FieldMutation = (place, draw, places) => {
  const values = places.filter(({ field }) => field.type === 'any');
  const { field } = values.length === 0 ? place : draw.pick(values);
  let content = contentOf(field);
  const depth = draw.pick([1, 5, 30, 60, 63, 64, 65, 66, 130, 500]);
  for (let i = 0; i < depth; i++) {
    const item = Buffer.concat([Buffer.from([0x0a]), varint(BigInt(content.length)), content]);
    if (draw.chance(0.2)) {
      const keyed = Buffer.concat([Buffer.from([0x12]), varint(BigInt(content.length)), content]);
      const entry = Buffer.concat([Buffer.from([0x0a]), varint(BigInt(keyed.length)), keyed]);
      content = Buffer.concat([Buffer.from([0x32]), varint(BigInt(entry.length)), entry]);
    } else content = Buffer.concat([Buffer.from([0x2a]), varint(BigInt(item.length)), item]);
  }
  field.payload = content;
};

const FIELD_MUTATIONS: readonly FieldMutation[] = [
  oddValue,
  oddValue,
  oddValue,
  lengthLie,
  wrongWire,
  otherNumber,
  longVarint,
  longVarint,
  cutVarint,
  group,
  twice,
  twice,
  many,
  remove,
  remove,
  swap,
  emptied,
  reorder,
  unknown,
  unknown,
  deep,
];

/** Mutations that know nothing but bytes. */
export function mutateBytes(bytes: Buffer, other: () => Buffer, draw: Draw): Buffer {
  const at = draw.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + draw.between(1, 40));
  switch (draw.below(8)) {
    case 0:
    case 1: {
      const flipped = Buffer.from(bytes);
      for (let times = draw.between(1, 4); times > 0 && flipped.length > 0; times--) {
        const place = draw.below(flipped.length);
        flipped[place] = (flipped[place] ?? 0) ^ (1 << draw.below(8));
      }
      return flipped;
    }
    case 2:
      return Buffer.from(bytes.subarray(0, at));
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    case 4:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
    case 5:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(Array.from({ length: draw.between(1, 8) }, () => draw.below(256))),
        bytes.subarray(at),
      ]);
    case 6:
      return Buffer.concat([bytes, other()]);
    default: {
      const behind = other();
      return Buffer.concat([bytes.subarray(0, at), behind.subarray(draw.below(behind.length + 1))]);
    }
  }
}

/** Bodies that are small on the wire and large elsewhere, alone or behind a good one. */
export function bomb(base: Buffer, draw: Draw): Buffer {
  const large = flood(base, draw);
  return draw.chance(0.7) ? Buffer.concat([base, large]) : large;
}

function flood(base: Buffer, draw: Draw): Buffer {
  const times = draw.pick([1000, 30_000, 500_000]);
  const message = (tag: number, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from([tag]), varint(BigInt(content.length)), content]);
  switch (draw.below(5)) {
    case 0:
      return Buffer.alloc(times * 2, Buffer.from([0x0a, 0x00])); // empty ResourceSpans
    case 1:
      return message(0x0a, Buffer.alloc(times * 2, Buffer.from([0x12, 0x00]))); // empty ScopeSpans
    case 2:
      return message(0x0a, message(0x12, Buffer.alloc(times * 2, Buffer.from([0x12, 0x00])))); // empty spans
    case 3:
      return message(0x0a, message(0x12, message(0x12, Buffer.alloc(times * 2, Buffer.from([0x4a, 0x00]))))); // attributes
    default: {
      const repeat = Math.max(1, Math.floor((times * 4) / Math.max(1, base.length)));
      return Buffer.concat(Array.from({ length: repeat }, () => base));
    }
  }
}

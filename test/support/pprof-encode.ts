/** Encodes pprof profiles for tests: as a program would write them, or wrong on purpose. */

export interface LineInput {
  functionId: number | bigint;
  line?: number;
}

export interface ProfileInput {
  sampleTypes?: readonly (readonly [type: string, unit: string])[];
  functions?: readonly { id: number | bigint; name: string; file?: string }[];
  /** `lines` is leaf first, as on the wire. */
  locations?: readonly { id: number | bigint; mappingId?: number; lines: readonly LineInput[] }[];
  mappings?: readonly { id: number; file: string }[];
  /** `locations` is leaf first, as on the wire. */
  samples?: readonly { locations: readonly (number | bigint)[]; values: readonly (number | bigint)[] }[];
  /** Repeated numbers one by one, as old writers have them. */
  unpacked?: boolean;
  /** Added at the end. */
  extra?: Buffer;
  /** What string_table[0] is; '' where absent. */
  firstString?: string;
}

/** A varint; negative numbers take ten bytes. */
export function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

export function numberField(field: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

export function bytesField(field: number, payload: Buffer | string): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

function numbers(field: number, values: readonly (number | bigint)[], unpacked: boolean): Buffer {
  if (unpacked) return Buffer.concat(values.map((value) => numberField(field, value)));
  return values.length === 0 ? Buffer.alloc(0) : bytesField(field, Buffer.concat(values.map(varint)));
}

export function encodeProfile(input: ProfileInput): Buffer {
  const strings = [input.firstString ?? ''];
  const index = (text: string): number => {
    const found = text === '' && input.firstString === undefined ? 0 : strings.indexOf(text, 1);
    return found >= 0 ? found : strings.push(text) - 1;
  };
  const parts: Buffer[] = [];
  for (const [type, unit] of input.sampleTypes ?? [['samples', 'count']])
    parts.push(bytesField(1, Buffer.concat([numberField(1, index(type)), numberField(2, index(unit))])));
  for (const { locations, values } of input.samples ?? []) {
    const unpacked = input.unpacked ?? false;
    parts.push(bytesField(2, Buffer.concat([numbers(1, locations, unpacked), numbers(2, values, unpacked)])));
  }
  for (const { id, file } of input.mappings ?? [])
    parts.push(bytesField(3, Buffer.concat([numberField(1, id), numberField(5, index(file))])));
  for (const { id, mappingId, lines } of input.locations ?? []) {
    const fields = [numberField(1, id), ...(mappingId === undefined ? [] : [numberField(2, mappingId)])];
    for (const { functionId, line = 0 } of lines)
      fields.push(bytesField(4, Buffer.concat([numberField(1, functionId), numberField(2, line)])));
    parts.push(bytesField(4, Buffer.concat(fields)));
  }
  for (const { id, name, file = '' } of input.functions ?? [])
    parts.push(
      bytesField(5, Buffer.concat([numberField(1, id), numberField(2, index(name)), numberField(4, index(file))])),
    );
  for (const text of strings) parts.push(bytesField(6, text));
  return Buffer.concat([...parts, input.extra ?? Buffer.alloc(0)]);
}

/** A profile with one function and location per name and one sample per stack; stacks are leaf first. */
export function simpleProfile(
  stacks: readonly (readonly [frames: readonly string[], value: number | bigint])[],
): ProfileInput {
  const names = [...new Set(stacks.flatMap(([frames]) => frames))];
  const id = (name: string): number => names.indexOf(name) + 1;
  return {
    functions: names.map((name) => ({ id: id(name), name, file: `${name}.go` })),
    locations: names.map((name) => ({ id: id(name), lines: [{ functionId: id(name), line: 7 }] })),
    samples: stacks.map(([frames, value]) => ({ locations: frames.map(id), values: [value] })),
  };
}

import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeProfile, type Profile } from '../../../collectors/pprof/decode.ts';
import { assetPath } from '../../../core/paths.ts';
import {
  bytesField,
  encodeProfile,
  numberField,
  type ProfileInput,
  simpleProfile,
} from '../../support/pprof-encode.ts';

const REAL = ['go-cpu', 'go-heap', 'go-goroutine'].map((name) =>
  gunzipSync(readFileSync(assetPath(`test/collectors/pprof/cases/${name}/input.gz`))),
);

function decoded(input: ProfileInput): Profile {
  const profile = decodeProfile(encodeProfile(input));
  if (!profile.ok) throw new Error(profile.rule);
  return profile;
}

/** Everything a caller can ask of a result. */
function askAll(bytes: Uint8Array): void {
  const result = decodeProfile(bytes);
  if (!result.ok) {
    expect(result.offset).toBeGreaterThanOrEqual(0);
    expect(result.rule).not.toBe('');
    return;
  }
  for (const number of result.stacks.keys()) {
    const { functions, locations } = result.frames(number);
    expect(functions.length).toBe(locations.length);
    for (const type of result.sampleTypes.keys()) expect(BigInt(result.value(number, type))).toBeDefined();
  }
}

describe('no bytes make it throw', () => {
  test('any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), askAll), { numRuns: 500 });
  });

  test('real profiles, cut anywhere, or with bytes changed, taken out or put in', () => {
    const change = fc.record({
      at: fc.nat(),
      byte: fc.nat(255),
      kind: fc.constantFrom('set', 'remove', 'insert', 'cut'),
    });
    fc.assert(
      fc.property(fc.constantFrom(...REAL), fc.array(change, { minLength: 1, maxLength: 4 }), (real, changes) => {
        let bytes = Buffer.from(real);
        for (const { at, byte, kind } of changes) {
          const place = at % bytes.length;
          if (kind === 'set') bytes[place] = byte;
          else if (kind === 'cut') bytes = bytes.subarray(0, Math.max(1, place));
          else {
            const from = kind === 'remove' ? place + 1 : place;
            const between = kind === 'remove' ? [] : [byte];
            bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from(between), bytes.subarray(from)]);
          }
        }
        askAll(bytes);
      }),
      { numRuns: 400 },
    );
  });

  test('gzip that is cut anywhere says so', () => {
    const packed = gzipSync(REAL[2] ?? Buffer.alloc(0));
    fc.assert(
      fc.property(fc.integer({ min: 2, max: packed.length - 1 }), (length) => {
        expect(decodeProfile(packed.subarray(0, length))).toMatchObject({ ok: false, cutShort: true });
      }),
    );
  });
});

describe('every sample is counted, in its stack and once', () => {
  const name = fc.constantFrom('a', 'b', 'ab', 'main.f', 'main.(*T).g', 'ü', 'x;y');
  const value = fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n });
  const stacks = fc.array(fc.tuple(fc.array(name, { maxLength: 6 }), value), { maxLength: 7 });

  test('as a plain sum by function names has it, packed or not, zipped or not', () => {
    fc.assert(
      fc.property(stacks, fc.boolean(), fc.boolean(), (input, unpacked, zipped) => {
        const expected = new Map<string, bigint>();
        for (const [frames, amount] of input) {
          const key = JSON.stringify(frames.toReversed());
          expected.set(key, (expected.get(key) ?? 0n) + amount);
        }
        const bytes = encodeProfile({ ...simpleProfile(input), unpacked });
        const profile = decodeProfile(zipped ? gzipSync(bytes) : bytes);
        if (!profile.ok) throw new Error(profile.rule);
        const actual = new Map(
          [...profile.stacks.keys()].map((number) => [
            JSON.stringify(profile.frames(number).functions),
            BigInt(profile.value(number, 0)),
          ]),
        );
        expect(actual).toEqual(expected);
        expect(new Set(profile.stacks).size).toBe(profile.stacks.length);
        expect(BigInt(profile.total(0))).toBe([...expected.values()].reduce((sum, amount) => sum + amount, 0n));
      }),
    );
  });
});

describe('the name of a stack', () => {
  const frames = ['leaf', 'middle', 'root'];
  const plain = simpleProfile([[frames, 1]]);
  const [hash] = decoded(plain).stacks;

  test('does not change with lines, files, ids, addresses or inlining', () => {
    const moved: ProfileInput = {
      functions: frames.map((each, i) => ({ id: 900 + i * 7, name: each, file: `moved/${each}.go` })),
      locations: [
        {
          id: 51,
          lines: [
            { functionId: 900, line: 1000 },
            { functionId: 907, line: 2000 },
          ],
        },
        { id: 50, lines: [{ functionId: 914, line: 3000 }] },
      ],
      samples: [{ locations: [51, 50], values: [5] }],
    };
    expect(decoded(moved).stacks).toEqual([hash]);
  });

  test('is another for other names, another order, another depth, and other seams', () => {
    const others = [
      ['leaf', 'root', 'middle'],
      ['leaf', 'middle'],
      ['leaf', 'middle', 'root', 'root'],
      ['leafm', 'iddle', 'root'],
      ['leaf;middle', 'root'],
      ['leaf', 'middle', 'roots'],
    ].map((each) => decoded(simpleProfile([[each, 1]])).stacks[0]);
    expect(new Set([...others, hash]).size).toBe(others.length + 1);
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
  });

  test('of an unknown function is not that of a function called like its file', () => {
    const file = { mappings: [{ id: 1, file: 'libc.so' }], locations: [{ id: 1, mappingId: 1, lines: [] }] };
    const unknown = decoded({ ...file, samples: [{ locations: [1], values: [1] }] });
    expect(unknown.stacks).not.toEqual(decoded(simpleProfile([[['libc.so'], 1]])).stacks);
  });
});

describe('bounds', () => {
  test('what unpacks to more than the limit is not unpacked', () => {
    const bomb = gzipSync(Buffer.alloc(1_000_001));
    expect(decodeProfile(bomb, 1_000_000)).toMatchObject({ ok: false, tooLarge: true });
    expect(decodeProfile(Buffer.alloc(101, 1), 100)).toMatchObject({ ok: false, tooLarge: true });
  });

  test('of a very deep stack the frames nearest the root are kept', () => {
    const deep = Array.from({ length: 3000 }, (_, i) => `f${i}`);
    const profile = decoded(simpleProfile([[deep, 4]]));
    expect(profile.cutStacks).toBe(1);
    expect(profile.frames(0).functions).toEqual(deep.toReversed().slice(0, 1024));
    expect(profile.total(0)).toBe(4);
  });

  test('a small body cannot stand for any number of frames', () => {
    const lines = Array.from({ length: 1024 }, () => ({ functionId: 1 }));
    const profile = decodeProfile(
      encodeProfile({
        functions: [{ id: 1, name: 'f' }],
        locations: [{ id: 1, lines }],
        samples: Array.from({ length: 32_000 }, () => ({ locations: [1], values: [1] })),
      }),
    );
    expect(profile).toMatchObject({ ok: false, rule: 'the samples have more than 32000000 frames' });
  });

  test('no table grows without end', () => {
    const many = (field: number, payload: string, times: number): Buffer => {
      const extra = bytesField(field, payload);
      return encodeProfile({ extra: Buffer.alloc(extra.length * times, extra) });
    };
    expect(decodeProfile(many(6, '', 1_000_001))).toMatchObject({ rule: 'there are more than 1000000 strings' });
    expect(decodeProfile(many(2, '', 1_000_001))).toMatchObject({ rule: 'there are more than 1000000 samples' });
    const line = bytesField(4, '');
    const location = Buffer.concat([numberField(1, 1), Buffer.alloc(line.length * 2_000_001, line)]);
    const lines = encodeProfile({ extra: bytesField(4, location) });
    expect(decodeProfile(lines)).toMatchObject({ rule: 'there are more than 2000000 lines' });
  });

  test('a very long name is cut where it is shown', () => {
    const profile = decoded(simpleProfile([[['n'.repeat(10_000)], 1]]));
    expect(profile.frames(0).functions[0]).toBe(`${'n'.repeat(4096)}…`);
  });
});

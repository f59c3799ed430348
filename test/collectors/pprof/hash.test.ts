import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Hash128, hexOf, LANES } from '../../../collectors/pprof/hash.ts';

function hashOf(bytes: Buffer, start = 0, end = bytes.length): string | undefined {
  const hash = new Hash128();
  hash.ofBytes(bytes, start, end);
  return hexOf(Int32Array.of(hash.a, hash.b, hash.c, hash.d))[0];
}

test('is MurmurHash3_x86_128: a value that other implementations publish', () => {
  const text = "I will not buy this tobacconist's, it is scratched.";
  expect(hashOf(Buffer.from(text))).toBe('9b5b7ba2ef3f7866889adeaf00f3f98e');
});

test('a run of bytes hashes alike wherever it stands', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(9), fc.nat(9), (bytes, before, after) => {
      const framed = Buffer.concat([Buffer.alloc(before, 1), bytes, Buffer.alloc(after, 2)]);
      expect(hashOf(framed, before, before + bytes.length)).toBe(hashOf(Buffer.from(bytes)));
    }),
  );
});

test('hashes of hashes are those of their bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 40 }), (numbers) => {
      const lanes = Int32Array.from(numbers.slice(0, numbers.length - (numbers.length % LANES)));
      const places = Int32Array.from({ length: lanes.length / LANES }, (_, i) => i);
      const hash = new Hash128();
      hash.ofHashes(lanes, places, places.length);
      const [ours] = hexOf(Int32Array.of(hash.a, hash.b, hash.c, hash.d));
      expect(ours).toBe(hashOf(Buffer.from(lanes.buffer, 0, lanes.byteLength)));
    }),
  );
});

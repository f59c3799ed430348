import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flattenTraces } from '../../../collectors/otlp/flatten.ts';
import { type Walk, walkTraces } from '../../../collectors/otlp/walk.ts';
import { HeliographError } from '../../../core/errors.ts';
import { countSpans, requestArbitrary } from '../../support/otlp-arbitrary.ts';
import { decodeFlat, rejectReason } from '../../support/otlp-decode.ts';
import { encodeRequest } from '../../support/otlp-encode.ts';
import { addNoise, type Noise } from '../../support/otlp-noise.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const BOUNDS = { loNs: 1n << 60n, hiNs: (1n << 60n) + 1000n };
const nearBounds = fc.oneof(
  fc.bigInt({ min: BOUNDS.loNs - 3n, max: BOUNDS.hiNs + 3n }),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
const flatRequest = requestArbitrary(false, nearBounds);
const anyRequest = requestArbitrary(true, nearBounds);

const noiseArbitrary = (twice: boolean): fc.Arbitrary<Noise> =>
  fc.tuple(fc.nat(), fc.boolean()).map(([seed, values]) => {
    let state = (seed ^ 0x5bd1e995) >>> 0 || 1;
    const next = (bound: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * bound);
    };
    return { next, twice, values };
  });

/** A request's bytes with some of them changed, left out or put in. */
const mutatedBytes = fc
  .tuple(
    anyRequest,
    fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), how: fc.nat({ max: 3 }) }), {
      minLength: 1,
      maxLength: 6,
    }),
  )
  .map(([request, edits]) => {
    let bytes = encodeRequest(request);
    for (const { at, byte, how } of edits) {
      const p = at % (bytes.length + 1);
      if (how === 0) bytes[p % Math.max(bytes.length, 1)] = byte;
      else if (how === 1) bytes = bytes.subarray(0, p);
      else bytes = Buffer.concat([bytes.subarray(0, p), Buffer.from([byte]), bytes.subarray(how === 2 ? p : p + 1)]);
    }
    return bytes;
  });

function walked(bytes: Uint8Array): Extract<Walk, { ok: true }> {
  const walk = walkTraces(bytes, BOUNDS);
  if (!walk.ok) throw new Error(`${walk.rule} at ${walk.offset}`);
  return walk;
}

test('every span built is counted, and kept or rejected as the plain reading of the rules says', () => {
  fc.assert(
    fc.property(flatRequest, noiseArbitrary(false), (request, noise) => {
      const bytes = addNoise(encodeRequest(request), noise);
      const walk = walked(bytes);
      const spans = decodeFlat(bytes);
      const reasons = spans.map((span) => rejectReason(span, BOUNDS));
      const kept = spans.filter((_span, i) => reasons[i] === '');
      expect(walk.spans).toBe(countSpans(request));
      expect(walk.spans - walk.rejectedTotal).toBe(kept.length);
      for (const [reason, count] of Object.entries(walk.rejected)) {
        expect([reason, count]).toEqual([reason, reasons.filter((other) => other === reason).length]);
      }
      expect(walk.clockSkew).toBe(kept.filter((span) => BigInt(span.end) < BigInt(span.start)).length);
      if (!noise.values) expect(walk.needsRewrite).toBe(false);
      else if (walk.needsRewrite) expect(decodeFlat(flattenTraces(bytes, MAX_BYTES))).toEqual(spans);
    }),
    { numRuns: 400 },
  );
});

test('what stands twice is rewritten to what protobuf makes of it', () => {
  fc.assert(
    fc.property(flatRequest, noiseArbitrary(true), (request, noise) => {
      const noisy = addNoise(encodeRequest(request), noise);
      const flat = flattenTraces(noisy, MAX_BYTES);
      expect(decodeFlat(flat)).toEqual(decodeFlat(noisy));
      expect(walked(flat).needsRewrite).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test('a flattened request needs no rewriting and counts as it did before', () => {
  fc.assert(
    fc.property(anyRequest, (request) => {
      const bytes = encodeRequest(request);
      const flat = flattenTraces(bytes, MAX_BYTES);
      const { copiedBytes } = walked(flat); // text may be longer or shorter than what it stands for
      expect(walked(flat)).toEqual({ ...walked(bytes), needsRewrite: false, copiedBytes });
      if (!walked(bytes).needsRewrite) expect(Buffer.compare(flat, bytes)).toBe(0);
      expect(flattenTraces(flat, MAX_BYTES)).toEqual(flat);
    }),
    { numRuns: 300 },
  );
});

test('requests laid end to end walk as one', () => {
  fc.assert(
    fc.property(anyRequest, anyRequest, (one, other) => {
      const bytes = [encodeRequest(one), encodeRequest(other)];
      const [first, second] = bytes.map(walked);
      const both = walked(Buffer.concat(bytes));
      expect(both.spans).toBe((first?.spans ?? 0) + (second?.spans ?? 0));
      expect(both.rejectedTotal).toBe((first?.rejectedTotal ?? 0) + (second?.rejectedTotal ?? 0));
      expect(both.clockSkew).toBe((first?.clockSkew ?? 0) + (second?.clockSkew ?? 0));
      expect(both.copiedBytes).toBe((first?.copiedBytes ?? 0) + (second?.copiedBytes ?? 0));
    }),
  );
});

test('any bytes get an answer: the walk never throws, and the rewriter agrees with it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutatedBytes), (bytes) => {
      const walk = walkTraces(bytes, BOUNDS);
      if (walk.ok) {
        const flat = walked(flattenTraces(bytes, MAX_BYTES));
        expect(flat).toEqual({ ...walk, needsRewrite: false, copiedBytes: flat.copiedBytes });
        return;
      }
      expect(walk.offset).toBeLessThanOrEqual(bytes.length);
      expect(walk.rule).not.toBe('');
      expect(() => flattenTraces(bytes, MAX_BYTES)).toThrow(HeliographError);
      expect(() => flattenTraces(bytes, MAX_BYTES)).toThrow(walk.rule);
    }),
    { numRuns: 2000 },
  );
});

test('a request cut off anywhere within its only field is broken', () => {
  fc.assert(
    fc.property(anyRequest, fc.nat(), (request, cut) => {
      const whole = encodeRequest({ resourceSpans: (request.resourceSpans ?? []).slice(0, 1) });
      fc.pre(whole.length > 1);
      expect(walkTraces(whole.subarray(0, 1 + (cut % (whole.length - 1))), BOUNDS).ok).toBe(false);
    }),
  );
});

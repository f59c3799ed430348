import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flattenTraces } from '../../../../collectors/otlp/flatten.ts';
import { rewriteJsonTraces } from '../../../../collectors/otlp/json/rewrite.ts';
import { walkTraces } from '../../../../collectors/otlp/walk.ts';
import { HeliographError } from '../../../../core/errors.ts';
import { requestArbitrary } from '../../../support/otlp-arbitrary.ts';
import { decodeFlat } from '../../../support/otlp-decode.ts';
import { encodeRequest } from '../../../support/otlp-encode.ts';
import { encodeJson, type JsonStyle } from '../../../support/otlp-json.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const BOUNDS = { loNs: 1n << 60n, hiNs: (1n << 60n) + 1000n };

const style: fc.Arbitrary<JsonStyle> = fc.record({
  integersAsText: fc.boolean(),
  upperCaseIds: fc.boolean(),
  escaped: fc.boolean(),
  space: fc.constantFrom('', ' ', '\n\t ', '\r\n'),
});

test('a request in JSON becomes the spans that the same request in protobuf becomes', () => {
  fc.assert(
    fc.property(requestArbitrary(true), style, (request, how) => {
      const fromJson = rewriteJsonTraces(encodeJson(request, how), MAX_BYTES);
      const fromProtobuf = flattenTraces(encodeRequest(request), MAX_BYTES);
      expect(decodeFlat(fromJson)).toEqual(decodeFlat(fromProtobuf));
      const walk = walkTraces(fromJson, BOUNDS);
      const { copiedBytes: _bytes, ...same } = walkTraces(fromProtobuf, BOUNDS) as { copiedBytes: number };
      expect(walk).toMatchObject(same);
    }),
    { numRuns: 500 },
  );
});

test('where the order of the fields is the same, the bytes are the same', () => {
  fc.assert(
    fc.property(requestArbitrary(false), style, (request, how) => {
      for (const { scopeSpans = [] } of request.resourceSpans ?? [])
        for (const { spans = [] } of scopeSpans) for (const span of spans) delete span.flags; // it has no column
      const fromJson = rewriteJsonTraces(encodeJson(request, how), MAX_BYTES);
      expect(Buffer.compare(fromJson, encodeRequest(request))).toBe(0);
    }),
    { numRuns: 300 },
  );
});

/** JSON texts with some bytes changed, left out or put in. */
const mutatedJson = fc
  .tuple(
    requestArbitrary(true),
    style,
    fc.array(
      fc.record({
        at: fc.nat(),
        byte: fc.oneof(fc.constantFrom(...Buffer.from('{}[]",:\\0-9eEntf. ')), fc.integer({ min: 0, max: 255 })),
        how: fc.nat({ max: 3 }),
      }),
      { maxLength: 5 },
    ),
  )
  .map(([request, how, edits]) => {
    let bytes = encodeJson(request, how);
    for (const { at, byte, how: edit } of edits) {
      const p = at % (bytes.length + 1);
      if (edit === 0) bytes[p % Math.max(bytes.length, 1)] = byte;
      else if (edit === 1 && at % 7 === 0) bytes = bytes.subarray(0, p);
      else bytes = Buffer.concat([bytes.subarray(0, p), Buffer.from([byte]), bytes.subarray(edit === 2 ? p : p + 1)]);
    }
    return bytes;
  });

/** What JSON.parse says of the text; it replaces broken UTF-8 as it decodes, which is not a matter of grammar. */
function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder().decode(bytes));
    return true;
  } catch {
    return false;
  }
}

test('any text gets an answer: spans that need no rewriting, or an error that names field and rule', () => {
  fc.assert(
    fc.property(
      fc.oneof({ weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) }, { weight: 9, arbitrary: mutatedJson }),
      (bytes) => {
        let flat: Uint8Array;
        try {
          flat = rewriteJsonTraces(bytes, MAX_BYTES);
        } catch (error) {
          expect(error).toBeInstanceOf(HeliographError);
          const { code, violation, message } = error as HeliographError;
          expect(code).toBe('bad_request');
          expect(violation?.field).not.toBe('');
          expect(message).toContain(violation?.rule ?? 'a rule');
          return;
        }
        expect(isJson(bytes)).toBe(true);
        expect(walkTraces(flat, BOUNDS)).toMatchObject({ ok: true, needsRewrite: false });
      },
    ),
    { numRuns: 3000 },
  );
});

test('what is JSON but not this request is refused for a rule of the mapping, never for its grammar', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      const body = `{"unknown":${text},"resourceSpans":[]}`;
      expect(rewriteJsonTraces(Buffer.from(body), MAX_BYTES)).toHaveLength(0);
    }),
    { numRuns: 500 },
  );
});

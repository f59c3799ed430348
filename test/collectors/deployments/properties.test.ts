import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEPLOYMENTS } from '../../../collectors/index.ts';
import { FieldRejected } from '../../../core/json-fields.ts';

const RECEIVED_MS = Date.parse('2026-03-02T09:05:00Z');
const decode = (mediaType: string, text: string) => DEPLOYMENTS.decode(mediaType, Buffer.from(text), RECEIVED_MS);
const items = fc.array(fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant({ id: 'a', service: 's' })), {
  minLength: 1,
});

test('every event is a row or a reject, in an array as in lines', () => {
  fc.assert(
    fc.property(items, (events) => {
      const array = decode('application/json', JSON.stringify(events));
      const lines = decode('application/x-ndjson', events.map((event) => JSON.stringify(event)).join('\n'));
      expect(array.rows.length + array.rejects.length).toBe(events.length);
      expect(lines).toEqual(array);
    }),
  );
});

test('a broken neighbour changes nothing for the others', () => {
  fc.assert(
    fc.property(items, fc.nat(), (events, at) => {
      const place = at % (events.length + 1);
      const mixed = decode('application/json', JSON.stringify(events.toSpliced(place, 0, 'broken')));
      expect(mixed.rows).toEqual(decode('application/json', JSON.stringify(events)).rows);
      expect(mixed.rejects.map(({ index }) => index)).toContain(place);
    }),
  );
});

test('bytes that are no body say so, and nothing else is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom(...DEPLOYMENTS.mediaTypes), (bytes, mediaType) => {
      try {
        DEPLOYMENTS.decode(mediaType, bytes, RECEIVED_MS);
      } catch (error) {
        expect(error).toBeInstanceOf(FieldRejected);
      }
    }),
  );
});

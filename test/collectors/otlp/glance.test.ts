import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { glanceTraces } from '../../../collectors/otlp/glance.ts';
import { encodeRequest } from '../../support/otlp-encode.ts';

const spans = ['a', 'b', 'c'].map((name, i) => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: `b7ad6b716920333${i}`,
  name,
  startTimeUnixNano: 5n,
  endTimeUnixNano: 7n,
  attributes: [{ key: 'http.route', value: { stringValue: 'secret' } }],
}));
const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
const body = encodeRequest({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });

test('the first spans are shown with their keys and without their values', () => {
  const [first, ...others] = glanceTraces(body, 2);
  expect(first).toEqual({
    service: 'shop',
    name: 'a',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203330',
    startNs: '5',
    endNs: '7',
    attributeKeys: ['http.route'],
  });
  expect(others.map(({ name }) => name)).toEqual(['b']);
});

test('of a body that was cut short, what is there is shown', () => {
  expect(glanceTraces(body.subarray(0, -3), 3).map(({ service, name }) => [service, name])).toEqual([
    ['shop', 'a'],
    ['shop', 'b'],
    ['shop', 'c'],
  ]);
});

test('whatever the bytes are, it shows what can be read and does not throw', () => {
  fc.assert(
    fc.property(fc.nat(body.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const broken = Buffer.from(body);
      broken[at] = byte;
      glanceTraces(broken, 3);
      glanceTraces(body.subarray(0, at), 3);
    }),
    { numRuns: 2000, seed: 1 },
  );
  expect(glanceTraces(Buffer.from('nothing of the kind'), 3)).toEqual([]);
});

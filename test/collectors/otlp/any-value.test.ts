import { expect, test } from 'vitest';
import { flattenTraces } from '../../../collectors/otlp/flatten.ts';
import { walkTraces } from '../../../collectors/otlp/walk.ts';
import { HeliographError } from '../../../core/errors.ts';
import { decodeFlat } from '../../support/otlp-decode.ts';
import { type AnyValueInput, encodeAnyValue } from '../../support/otlp-encode.ts';
import { bodyWithAttribute, readValueCases } from './any-value-table.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const ANY_TIME = { loNs: 0n, hiNs: (1n << 64n) - 1n };

for (const { name, value, text } of readValueCases()) {
  test(`${name} has the Collector's text`, () => {
    const body = bodyWithAttribute(value);
    const walk = walkTraces(body, ANY_TIME);
    const flat = walk.ok && !walk.needsRewrite ? body : flattenTraces(body, MAX_BYTES);
    const attributes = decodeFlat(flat)[0]?.attributes.map(([key, latin1]) => [key, Buffer.from(latin1, 'latin1')]);
    expect(attributes).toEqual([['k', text]]);
  });
}

function nested(depth: number): AnyValueInput {
  return depth === 1 ? { intValue: 1n } : { arrayValue: { values: [nested(depth - 1)] } };
}

test('values nest 64 deep and no deeper', () => {
  const deep = bodyWithAttribute(encodeAnyValue(nested(64)));
  expect(walkTraces(deep, ANY_TIME)).toMatchObject({ ok: true, needsRewrite: true });
  expect(decodeFlat(flattenTraces(deep, MAX_BYTES))[0]?.attributes[0]?.[1]).toBe(`${'['.repeat(63)}1${']'.repeat(63)}`);
  const deeper = bodyWithAttribute(encodeAnyValue(nested(65)));
  expect(walkTraces(deeper, ANY_TIME)).toMatchObject({ ok: false, rule: 'values are nested deeper than 64' });
  expect(() => flattenTraces(deeper, MAX_BYTES)).toThrow(HeliographError);
});

test('a body that outgrows the limit while it is rewritten is too large, not cut', () => {
  const body = bodyWithAttribute(encodeAnyValue({ bytesValue: new Uint8Array(3000) }));
  const flat = flattenTraces(body, MAX_BYTES);
  expect(flat.length).toBeGreaterThan(4000);
  expect(flattenTraces(body, flat.length)).toEqual(flat);
  for (const limit of [flat.length - 1, 100, 0]) {
    expect(() => flattenTraces(body, limit)).toThrow(expect.objectContaining({ code: 'body_too_large' }));
  }
});

test('a list of two million entries stays within memory', () => {
  const entries = Buffer.alloc(2_000_000 * 2, Buffer.from('0a00', 'hex'));
  const list = (tag: number): Buffer =>
    bodyWithAttribute(Buffer.concat([Buffer.from([tag, 0x80, 0x92, 0xf4, 0x01]), entries]));
  expect(decodeFlat(flattenTraces(list(0x32), MAX_BYTES))[0]?.attributes).toEqual([['k', '{"":null}']]);
  expect(decodeFlat(flattenTraces(list(0x2a), MAX_BYTES))[0]?.attributes[0]?.[1].length).toBe(2_000_000 * 5 + 1);
});

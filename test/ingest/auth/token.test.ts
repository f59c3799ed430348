import { expect, test } from 'vitest';
import { createAuth } from '../../../ingest/auth/token.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('without a token everything passes', () => {
  const auth = createAuth(undefined);
  expect(auth.required).toBe(false);
  expect(auth.allows(undefined) && auth.allowsBearer('nonsense')).toBe(true);
});

test.each([
  ['Bearer secret', true, true],
  ['bearer secret', true, true],
  ['Bearer  secret', true, true],
  [basic('anyone:secret'), false, true],
  [basic(':secret'), false, true],
  [basic('a:b:secret'), false, false],
  [basic('secret'), false, false],
  ['Bearer secre', false, false],
  ['Bearer secrets', false, false],
  ['Bearer', false, false],
  ['Bearer ', false, false],
  ['secret', false, false],
  ['', false, false],
  [undefined, false, false],
  ['Basic !!!', false, false],
])('%j: door %s, page %s', (header, door, page) => {
  const auth = createAuth('secret');
  expect(auth.allowsBearer(header)).toBe(door);
  expect(auth.allows(header)).toBe(page);
});

test('a token may hold a colon', () => {
  expect(createAuth('a:b').allows(basic('user:a:b'))).toBe(true);
});

test('the bare token passes where a client has a place of its own for it', () => {
  const auth = createAuth('secret');
  expect([auth.allowsSecret('secret'), auth.allowsSecret('secrets'), auth.allowsSecret('')]).toEqual([
    true,
    false,
    false,
  ]);
  expect([auth.allowsSecret(undefined), createAuth(undefined).allowsSecret(undefined)]).toEqual([false, true]);
});

import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { canonicalIdentity, createPeople, KEY_CHECK, noreplyLogin } from '../../core/people.ts';

const people = createPeople(Buffer.alloc(32, 1), randomBytes);
const others = createPeople(Buffer.alloc(32, 2), randomBytes);
const ada = { name: 'Ada', email: 'ada@example.com' };

test('a pseudonym is 16 hex digits of one address under one key, however it is spelt', () => {
  const pseudonym = people.pseudonymOf(ada);
  expect(pseudonym).toMatch(/^[0-9a-f]{16}$/);
  expect(people.pseudonymOf({ name: 'A. L.', email: ' ADA@Example.com ' })).toBe(pseudonym);
  expect(people.pseudonymOf({ ...ada, email: 'ada@example.org' })).not.toBe(pseudonym);
  expect(others.pseudonymOf(ada)).not.toBe(pseudonym);
  expect(people.pseudonymOf({ name: ' ', email: '' })).toBe('');
});

test('no-reply addresses are their login; a name alone is no address', () => {
  const spellings = [
    '12+Ada@users.noreply.github.com',
    'ada@users.noreply.github.com',
    '7+ada@Users.NoReply.GitHub.com',
  ];
  expect(new Set(spellings.map((email) => people.pseudonymOf({ name: 'x', email }))).size).toBe(1);
  expect(noreplyLogin('3-ada@users.noreply.gitlab.com')).toBe('ada');
  expect(noreplyLogin('ada@example.com')).toBeUndefined();
  expect(canonicalIdentity({ name: '', email: '3-ada@users.noreply.gitlab.com' })).not.toBe(
    canonicalIdentity({ name: '', email: 'ada@users.noreply.github.com' }),
  );
  expect(canonicalIdentity({ name: 'ada@example.com', email: '' })).not.toBe(canonicalIdentity(ada));
});

test('a sealed person opens with the same key and pseudonym alone, and says nothing to others', () => {
  const pseudonym = people.pseudonymOf(ada);
  const sealed = people.seal(pseudonym, ada);
  expect(people.open(pseudonym, sealed)).toEqual(ada);
  expect(people.seal(pseudonym, ada)).not.toBe(sealed);
  expect(Buffer.from(sealed, 'base64').toString('latin1')).not.toMatch(/ada/i);
  expect(others.open(pseudonym, sealed)).toBeUndefined();
  expect(people.open(KEY_CHECK, sealed)).toBeUndefined();
  const bytes = Buffer.from(sealed, 'base64');
  for (const at of [0, 12, bytes.length - 1]) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    expect(people.open(pseudonym, damaged.toString('base64'))).toBeUndefined();
  }
  expect(people.open(pseudonym, '')).toBeUndefined();
});

test('a short key is refused', () => {
  expect(() => createPeople(Buffer.alloc(31), randomBytes)).toThrow(RangeError);
});

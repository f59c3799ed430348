import { expect, test } from 'vitest';
import { createKnownStacks } from '../../../app/background/known-stacks.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('a stack is known to its service until the day ends', async () => {
  const clock = new FakeClock(Date.parse('2026-01-01T23:00:00Z'));
  const known = createKnownStacks(() => clock.nowMs());
  expect(known.isKnown('shop', 'a')).toBe(false);
  known.know('shop', 'a');
  expect(known.isKnown('shop', 'a')).toBe(true);
  expect(known.isKnown('shop2', 'a')).toBe(false);
  await clock.advance(3_600_000);
  expect(known.isKnown('shop', 'a')).toBe(false);
  known.know('shop', 'a');
  expect(known.isKnown('shop', 'a')).toBe(true);
});

test('of too many stacks the one that was asked for longest ago is forgotten', () => {
  const known = createKnownStacks(() => 0, 3);
  for (const stack of ['a', 'b', 'c']) known.know('s', stack);
  known.isKnown('s', 'a');
  known.know('s', 'd');
  expect(['a', 'b', 'c', 'd'].filter((stack) => known.isKnown('s', stack))).toEqual(['a', 'c', 'd']);
});

import { expect, test } from 'vitest';
import { createRecentDeliveries } from '../../../ingest/doors/recent.ts';

/** A take that is settled by hand. */
function held(): { take: () => Promise<void>; settle: (error?: Error) => void } {
  let settle: (error?: Error) => void = () => {};
  const done = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === undefined ? resolve() : reject(error));
  });
  return { take: () => done, settle: (error) => settle(error) };
}

const never = (): Promise<void> => Promise.reject(new Error('taken again'));

test('the second is answered only when the first is durable', async () => {
  const recent = createRecentDeliveries(10);
  const first = held();
  const order: string[] = [];
  const answers = [
    recent.once('a', first.take).then((isNew) => order.push(`first ${isNew}`)),
    recent.once('a', never).then((isNew) => order.push(`second ${isNew}`)),
  ];
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([]);
  first.settle();
  await Promise.all(answers);
  expect(order.toSorted()).toEqual(['first true', 'second false']);
});

test('whoever waits for one that fails fails with it, and the next is taken', async () => {
  const recent = createRecentDeliveries(10);
  const first = held();
  const answers = [recent.once('a', first.take), recent.once('a', never)];
  first.settle(new Error('disk full'));
  for (const answer of await Promise.allSettled(answers))
    expect(answer).toMatchObject({ reason: { message: 'disk full' } });
  expect(await recent.once('a', async () => {})).toBe(true);
  expect(await recent.once('a', never)).toBe(false);
});

test('it remembers so many and no more: the oldest is forgotten first', async () => {
  const recent = createRecentDeliveries(2);
  for (const key of ['a', 'b', 'c']) expect(await recent.once(key, async () => {})).toBe(true);
  expect(await recent.once('b', never)).toBe(false);
  expect(await recent.once('c', never)).toBe(false);
  expect(await recent.once('a', async () => {})).toBe(true);
});

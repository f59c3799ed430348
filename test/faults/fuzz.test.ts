/** The short form of `npm run faults -- fuzz`: some thousand mutated bodies through the door and into the real engine. */
import { expect, test } from 'vitest';
import { bodyAt } from './fuzz/body.ts';
import { mutate, mutateBytes } from './fuzz/mutate.ts';
import { type FuzzReport, isTaken, runFuzz } from './fuzz/run.ts';
import { findOne, shrinkBytes } from './fuzz/shrink.ts';
import { seeded } from '../support/seeded.ts';

const SEED = 20_240_229;
const BODIES = 4000;

function check(report: FuzzReport): void {
  expect(report.violations).toEqual([]);
  expect(report.bodies).toBe(BODIES);
  const refused = Object.values(report.refused).reduce((sum, count) => sum + count, 0);
  expect(report.passed + refused).toBe(BODIES);
  expect(report.passed).toBeGreaterThan(BODIES / 10);
  expect(refused).toBeGreaterThan(BODIES / 10);
  expect(report.storedSpans).toBeGreaterThan(BODIES / 10);
}

test('mutated protobuf: no crash, no hang, and the engine stores what the door accepted', async () => {
  check(
    await runFuzz({ format: 'protobuf', bodies: BODIES, seed: SEED, batch: 1000, say: (line) => console.info(line) }),
  );
}, 120_000);

test('mutated JSON: the same', async () => {
  if (!isTaken('json')) return console.warn('LEFT OUT: json: this build has no lane for it');
  check(await runFuzz({ format: 'json', bodies: BODIES, seed: SEED, batch: 1000, say: (line) => console.info(line) }));
}, 120_000);

test('a seed gives the same bodies again, in both forms', () => {
  for (const format of ['protobuf', 'json'] as const) {
    const source = { format, seed: SEED, nowMs: 1_767_225_600_000 };
    const bodies = Array.from({ length: 300 }, (_, index) => bodyAt(source, index).bytes.toString('hex'));
    expect(bodies).toEqual(Array.from({ length: 300 }, (_, index) => bodyAt(source, index).bytes.toString('hex')));
    expect(new Set(bodies).size).toBeGreaterThan(290);
  }
});

test('mutations change most bodies and throw on none', () => {
  const base = Buffer.from('0a0a12081206' + '4a0412020a00', 'hex');
  const different = Array.from({ length: 500 }, (_, seed) => {
    const draw = seeded(seed);
    return [mutate(base, () => base, draw), mutateBytes(base, () => base, draw)];
  }).flat();
  expect(different.filter((bytes) => !bytes.equals(base)).length).toBeGreaterThan(800);
});

test('a case is made small: which body, then which bytes', async () => {
  const isBad = async (bytes: Buffer): Promise<boolean> => bytes.includes('ab') && bytes.includes('c');
  const bodies = ['xx', 'yc', 'x'.repeat(40) + 'ab' + 'y'.repeat(30) + 'c', 'ab'].map((text) => Buffer.from(text));
  const one = await findOne(bodies, async (some) => (await Promise.all(some.map(isBad))).includes(true));
  expect(one).toBe(bodies[2]);
  expect((await shrinkBytes(one ?? Buffer.alloc(0), isBad)).toString()).toBe('abc');
  expect(await findOne([1, 2, 3, 4], async (some) => some.includes(1) && some.includes(4))).toBeUndefined();
});

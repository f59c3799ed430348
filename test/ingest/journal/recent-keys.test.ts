import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentKeys } from '../../../ingest/journal/recent-keys.ts';

const KEEP_MS = 1000;

/** Few homes and few words, so that keys stand in each other's way. */
const key = fc
  .tuple(fc.constantFrom(0, 1, 2, 2046, 2047, 2048, 0xffff_ffff), fc.nat(3))
  .map(([home, word]) => Uint32Array.of(home, word, 7, 9));

type Step =
  | { do: 'add' | 'has' | 'forget'; key: Uint32Array }
  | { do: 'wait'; ms: number }
  | { do: 'crowd'; count: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('add', 'has', 'forget'), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.nat(KEEP_MS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crowd'), count: fc.nat(3000) }) },
) as fc.Arbitrary<Step>;

/** The same set, as a person would write it. */
class Naive {
  private readonly entries: { key: string; atMs: number; forgotten: boolean }[] = [];
  private readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  has(wanted: string, nowMs: number): boolean {
    return this.entries.some((entry) => entry.key === wanted && !entry.forgotten && nowMs - entry.atMs < KEEP_MS);
  }

  add(added: string, nowMs: number): void {
    while (this.entries[0] !== undefined && nowMs - this.entries[0].atMs >= KEEP_MS) this.entries.shift();
    if (this.entries.length >= this.capacity) this.entries.shift();
    if (this.has(added, nowMs)) return;
    this.forget(added);
    this.entries.push({ key: added, atMs: nowMs, forgotten: false });
  }

  forget(gone: string): void {
    for (const entry of this.entries) if (entry.key === gone) entry.forgotten = true;
  }
}

test('it is what a list of keys and times would be, through growing, shrinking and running full', () => {
  const history = fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
    const keys = new RecentKeys(KEEP_MS, 4096);
    const naive = new Naive(4096);
    let nowMs = 0;
    let crowd = 0;
    for (const one of steps) {
      if (one.do === 'wait') nowMs += one.ms;
      else if (one.do === 'crowd') {
        for (let i = 0; i < one.count; i++) {
          crowd++;
          const next = Uint32Array.of(Math.imul(crowd, 2_654_435_761) >>> 0, crowd, 0, 0);
          keys.add(next, nowMs);
          naive.add(String(next), nowMs);
        }
      } else if (one.do === 'add') {
        keys.add(one.key, nowMs);
        naive.add(String(one.key), nowMs);
      } else if (one.do === 'forget') {
        keys.forget(one.key);
        naive.forget(String(one.key));
      }
      if ('key' in one) expect(keys.has(one.key, nowMs)).toBe(naive.has(String(one.key), nowMs));
    }
    const last = Uint32Array.of(Math.imul(crowd, 2_654_435_761) >>> 0, crowd, 0, 0);
    expect(keys.has(last, nowMs)).toBe(naive.has(String(last), nowMs));
  });
  fc.assert(history, { numRuns: 60, seed: 20_260_301 });
}, 60_000);

test('at the bound the oldest keys go early, and are counted', () => {
  const keys = new RecentKeys(KEEP_MS, 1024);
  for (let i = 0; i < 1500; i++) keys.add(Uint32Array.of(i, i, i, i), i / 10);
  expect(keys.size).toBe(1024);
  expect(keys.evicted).toBe(476);
  expect(keys.has(Uint32Array.of(475, 475, 475, 475), 150)).toBe(false);
  expect(keys.has(Uint32Array.of(476, 476, 476, 476), 150)).toBe(true);
});

test('a key that is past its time behind a younger one can be added again', () => {
  const keys = new RecentKeys(KEEP_MS, 1024);
  const [young, old] = [Uint32Array.of(1, 0, 0, 0), Uint32Array.of(2, 0, 0, 0)];
  keys.add(young, 900);
  keys.add(old, 100);
  expect(keys.has(old, 1200)).toBe(false);
  keys.add(old, 1200);
  expect(keys.has(old, 1300)).toBe(true);
  expect(keys.has(young, 1300)).toBe(true);
});

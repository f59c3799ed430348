/** The outbox under any sequence of decisions, answers, waits and restarts. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message } from '../../alerts/message.ts';
import {
  enqueue,
  type GivenUp,
  MAX_ENTRIES,
  nextDue,
  type OutboxEntry,
  settle,
  withoutExpired,
} from '../../alerts/outbox.ts';
import { EMPTY_STATE, parseState, serializeState } from '../../alerts/state.ts';
import type { Attempt } from '../../alerts/webhook.ts';

const START = 1_700_000_000_000;
const RECEIVERS = ['a', 'b'];

const message = (fingerprint: string, status: Message['status'], startsAtMs: number): Message => ({
  fingerprint,
  status,
  labels: {},
  annotations: {},
  startsAtMs,
  endsAtMs: null,
  generatorUrl: '',
  externalUrl: '',
  evidence: {},
});

const answered = (status: number, retryAfter?: string): Attempt => ({ kind: 'answered', status, retryAfter });
const attempt = fc.constantFrom<Attempt>(
  answered(200),
  answered(204),
  answered(500),
  answered(429, '30'),
  answered(408, 'nonsense'),
  answered(404),
  answered(302),
  { kind: 'timeout' },
  { kind: 'unreachable', reason: 'ECONNREFUSED' },
  { kind: 'no_secret', reason: 'ENOENT' },
);
const action = fc.oneof(
  fc.record({ do: fc.constant('decide' as const), alert: fc.constantFrom('x', 'y', 'z') }),
  fc.record({
    do: fc.constant('try' as const),
    receiver: fc.constantFrom(...RECEIVERS),
    attempt,
    random: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 1000, 60_000, 3_600_000, 6 * 3_600_000) }),
  fc.record({ do: fc.constant('restart' as const) }),
);

test('nothing is lost or told out of order, and nothing is tried before its time', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      let outbox: readonly OutboxEntry[] = [];
      let nowMs = START;
      const firing = new Map<string, number>();
      const decided: string[] = [];
      const ended: string[] = [];
      const lastTriedMs = new Map<string, number>();
      const end = (entry: OutboxEntry): void => void ended.push(entry.key);
      const giveUp = (givenUp: readonly GivenUp[]): void => {
        for (const { entry } of givenUp) end(entry);
      };
      for (const each of actions) {
        if (each.do === 'wait') nowMs += each.ms;
        else if (each.do === 'restart') outbox = parseState(serializeState({ ...EMPTY_STATE, outbox })).outbox;
        else if (each.do === 'decide') {
          nowMs += 1;
          const startsAtMs = firing.get(each.alert);
          const next = message(each.alert, startsAtMs === undefined ? 'firing' : 'resolved', startsAtMs ?? nowMs);
          if (startsAtMs === undefined) firing.set(each.alert, nowMs);
          else firing.delete(each.alert);
          const known = new Set(outbox.map(({ key }) => key));
          outbox = enqueue(outbox, [next], RECEIVERS, nowMs).outbox;
          decided.push(...outbox.filter(({ key }) => !known.has(key)).map(({ key }) => key));
        } else {
          const expired = withoutExpired(outbox, each.receiver, nowMs);
          outbox = expired.outbox;
          giveUp(expired.givenUp);
          const entry = nextDue(outbox, each.receiver, nowMs);
          if (entry === undefined) continue;
          const isFirstOfItsAlert = outbox.find(
            (other) => other.receiver === each.receiver && other.message.fingerprint === entry.message.fingerprint,
          );
          expect(isFirstOfItsAlert).toBe(entry);
          const before = lastTriedMs.get(entry.key);
          if (before !== undefined) expect(nowMs - before).toBeGreaterThanOrEqual(2_500);
          lastTriedMs.set(entry.key, nowMs);
          const settled = settle(outbox, entry, each.attempt, nowMs, each.random);
          outbox = settled.outbox;
          if (settled.outcome === 'delivered') end(entry);
          if (settled.givenUp !== undefined) giveUp([settled.givenUp]);
        }
      }
      expect([...ended, ...outbox.map(({ key }) => key)].sort()).toEqual(decided.toSorted());
      expect(outbox.map(({ key }) => key)).toEqual(decided.filter((key) => !ended.includes(key)));
    }),
    { numRuns: 300 },
  );
});

test('retries come later and later, a quarter of an hour apart at most, and not all at once', () => {
  let { outbox } = enqueue([], [message('x', 'firing', START)], ['a'], START);
  const delays: number[] = [];
  for (let i = 0; i < 12; i++) {
    const [entry] = outbox;
    if (entry === undefined) throw new Error('given up too early');
    outbox = settle(outbox, entry, answered(500), START, 0.999_999).outbox;
    delays.push(Math.round(((outbox[0]?.dueAtMs ?? 0) - START) / 1000));
  }
  expect(delays).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]);
  const [entry] = outbox;
  const least = entry === undefined ? undefined : settle(outbox, entry, answered(500), START, 0).outbox[0];
  expect((least?.dueAtMs ?? 0) - START).toBe(450_000);
});

test('a clock that was set back by a year stops nothing', () => {
  const { outbox } = enqueue([], [message('x', 'firing', START)], ['a'], START);
  expect(nextDue(outbox, 'a', START - 365 * 86_400_000)).toBe(outbox[0]);
});

test('what does not fit is given up, the oldest first', () => {
  const many = Array.from({ length: MAX_ENTRIES + 3 }, (_, index) => message(`f${index}`, 'firing', START));
  const { outbox, givenUp } = enqueue([], many, ['a'], START);
  expect(outbox).toHaveLength(MAX_ENTRIES);
  expect(givenUp.map(({ entry }) => entry.message.fingerprint)).toEqual(['f0', 'f1', 'f2']);
});

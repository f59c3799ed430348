import { beforeEach, expect, test } from 'vitest';
import { createTroubles } from '../../../app/background/troubles.ts';
import type { PollOutcome } from '../../../core/rows.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { pollAt } from '../../support/profile-rows.ts';

let log: ReturnType<typeof memoryLog>;
let say: (target: string, kind: string, outcome: PollOutcome) => void;
beforeEach(() => {
  log = memoryLog();
  const note = createTroubles(log);
  say = (target, kind, outcome) => note(pollAt('shop', target, kind, 0, outcome));
});
const lines = (): string[] =>
  log.lines.map(({ level, fields, message }) => `${level} ${String(fields['target'])} ${message}`);

test('a target that goes down is told once, whatever it is asked for, and once when it is back', () => {
  say('a', 'goroutine', 'ok');
  for (let i = 0; i < 3; i++) for (const kind of ['goroutine', 'expvar', 'cpu']) say('a', kind, 'unreachable');
  expect(lines()).toEqual(['warn a target in trouble']);
  expect(log.lines[0]?.fields).toEqual({
    target: 'a',
    kind: 'goroutine',
    outcome: 'unreachable',
    reason: 'it was unreachable',
  });
  say('a', 'goroutine', 'ok');
  expect(lines()).toHaveLength(1);
  for (const kind of ['expvar', 'cpu']) say('a', kind, 'ok');
  expect(lines()).toEqual(['warn a target in trouble', 'info a target answers again']);
  say('a', 'cpu', 'ok');
  expect(lines()).toHaveLength(2);
});

test('another trouble, and another target, are told too; a kind that is not mounted is none', () => {
  say('a', 'goroutine', 'timeout');
  say('a', 'cpu', 'refused');
  say('b', 'goroutine', 'timeout');
  say('b', 'expvar', 'not_mounted');
  expect(lines()).toEqual(['warn a target in trouble', 'warn a target in trouble', 'warn b target in trouble']);
  say('b', 'goroutine', 'not_mounted');
  expect(lines().at(-1)).toBe('info b target answers again');
});

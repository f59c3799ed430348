import { expect, test } from 'vitest';
import { alertLines } from '../../../scripts/lib/demo/alert-text.mjs';
import { createInbox, isAboutCheckout } from '../../../scripts/lib/demo/inbox.mjs';
import { createSay, duration } from '../../../scripts/lib/demo/say.mjs';

const alert = (labels: Record<string, string>, annotations: Record<string, string> = {}, status = 'firing') => ({
  status,
  labels,
  annotations,
});

test('an alert reads as headline, sentences and aligned facts', () => {
  const lines = alertLines({
    ...alert(
      { alertname: 'LatencyIncrease', severity: 'warning', service: 'checkout', route: '/orders' },
      {
        summary: 'p95 of /orders rose from 51 ms to 470 ms',
        suspect: '',
        p95_before_ms: '51.02540356',
        stack: 'main.a\n\tmain.go:3\nmain.b',
      },
    ),
    generatorURL: 'http://127.0.0.1:7070/d/x',
  });
  expect(lines).toEqual([
    'FIRING  LatencyIncrease (warning)',
    '  p95 of /orders rose from 51 ms to 470 ms',
    '  service        checkout',
    '  route          /orders',
    '  p95_before_ms  51.03',
    '  stack          main.a',
    '                   main.go:3',
    '                 main.b',
    '  see            http://127.0.0.1:7070/d/x',
  ]);
});

test('what is long is cut, what moves a cursor is not shown', () => {
  const stack = Array.from({ length: 20 }, (_, i) => `frame ${i}`).join('\n');
  const lines = alertLines(alert({ alertname: 'x' }, { stack, evil: '\u001b[2J\u009b', long: 'y'.repeat(500) }));
  expect(lines.filter((line) => line.includes('frame'))).toHaveLength(8);
  expect(lines).toContain('         … 12 more lines');
  expect(lines.join('')).not.toMatch(/\p{Cc}/u);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(125);
  const generatorURL = `http://127.0.0.1:7070/d/x?var-route=${'y'.repeat(200)}`;
  expect(alertLines({ ...alert({}), generatorURL }).at(-1)).toBe(`  see  ${generatorURL}`);
});

test('a long sentence is broken at spaces', () => {
  const lines = alertLines(alert({ alertname: 'x' }, { description: 'word '.repeat(60) }));
  expect(lines.length).toBeGreaterThan(3);
  expect(lines.slice(1).every((line) => line.startsWith('  word') && line.length <= 110)).toBe(true);
});

test('an alert is about checkout by kind, state, any label, and the place that is to blame', () => {
  const isJump = (each: ReturnType<typeof alert>): boolean => isAboutCheckout(each, /latency/i, /^\/orders$/);
  const jump = { alertname: 'LatencyJump', service: 'checkout', route: '/orders' };
  expect(isJump(alert(jump))).toBe(true);
  expect(isJump(alert({ alertname: 'X', rule: 'latency', target: 'checkout-1' }, { route: '/orders' }))).toBe(true);
  expect(isJump(alert({ ...jump, service: 'storefront' }))).toBe(false);
  expect(isJump(alert({ ...jump, alertname: 'GoroutineLeak' }))).toBe(false);
  expect(isJump(alert({ ...jump, route: '/orders/{id}' }))).toBe(false);
  expect(isJump(alert(jump, {}, 'resolved'))).toBe(false);
});

test('waiting ends with the alert, with the limit, or with the person', async () => {
  const inbox = createInbox();
  const never = new AbortController().signal;
  const arrives = inbox.waitFor(({ labels }) => labels['n'] === '2', 60_000, never);
  inbox.add(alert({ n: '1' }));
  inbox.add(alert({ n: '2' }));
  expect((await arrives)?.labels).toEqual({ n: '2' });
  expect(await inbox.waitFor(() => true, 1, never)).toBeUndefined();
  const stop = new AbortController();
  const waiting = inbox.waitFor(() => true, 60_000, stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(inbox.waitFor(() => true, 60_000, stop.signal)).rejects.toThrow('enough');
});

test('lines begin with the time of day, what follows stands under them', () => {
  const lines: string[] = [];
  const say = createSay(
    (line) => lines.push(line),
    () => new Date(2026, 10, 25, 9, 5, 7),
  );
  say.now('Shop');
  say.more('open');
  say.gap();
  expect(lines).toEqual(['09:05:07  Shop', '          open', '']);
  expect([duration(4_400), duration(60_000), duration(425_000)]).toEqual(['4 s', '1 min 00 s', '7 min 05 s']);
});

/** How the alerts' jobs are made of the settings. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { alertJobs } from '../../../app/background/alerts.ts';
import { loadConfig } from '../../../app/config/load.ts';
import type { Task } from '../../../app/scheduler/task.ts';
import { bodyOf, startReceiver, removeDir } from '../../alerts/harness.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { quietLog } from '../../support/quiet-log.ts';

let dir: string;
let asked: string[];
beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/heliograph-alerts-`);
  asked = [];
});
afterEach(() => removeDir(dir));

const JUMP = {
  service: 'shop',
  route: '/pay',
  before_p99_ms: 100,
  after_p99_ms: 900,
  n_before: 1000,
  n_after: 1000,
  relative_error: 0.01,
  baseline_from_s: 0,
  window_from_s: 3600,
  window_to_s: 3900,
};

function jobs(flags: Record<string, string>): Task[] {
  const { config } = loadConfig({ flags, env: {}, cwd: dir, readFile: () => undefined });
  return [
    ...alertJobs({
      config,
      pageUrl: 'http://127.0.0.1:7070',
      store: {
        async query({ sql }) {
          asked.push(sql);
          if (!sql.includes('boards.latency_jumps')) return { columns: [], rows: [] };
          const columns = Object.keys(JUMP).map((name) => ({ name, type: '' }));
          return { columns, rows: [Object.values(JUMP)] };
        },
      },
      rows: { append: () => Promise.resolve() },
      random: () => 0,
      clock: new FakeClock(),
      log: quietLog,
    }),
  ];
}

const run = (tasks: Task[], id: string): Promise<void> | undefined =>
  tasks.find((task) => task.id === id)?.run(new AbortController().signal);

test('one job evaluates, as often as is set; one for each receiver tells, at least every five seconds', () => {
  const receivers = JSON.stringify(['a', 'b'].map((name) => ({ name, url: 'http://127.0.0.1:9/' })));
  const interval = (flags: Record<string, string>) => jobs(flags).map(({ id, intervalMs }) => [id, intervalMs]);
  expect(interval({})).toEqual([['alerts-evaluate', 30_000]]);
  expect(interval({ 'alerts.receivers': receivers, 'alerts.every': '2s' })).toEqual([
    ['alerts-evaluate', 2000],
    ['alerts-deliver-a', 2000],
    ['alerts-deliver-b', 2000],
  ]);
  expect(interval({ 'alerts.receivers': receivers })[1]).toEqual(['alerts-deliver-a', 5000]);
});

test('a rule that is off asks nothing, and what it had open is over', async () => {
  const receiver = await startReceiver();
  const receivers = JSON.stringify([{ name: 'team', url: receiver.url }]);
  const on = jobs({ 'alerts.receivers': receivers });
  await run(on, 'alerts-evaluate');
  await run(on, 'alerts-deliver-team');
  expect(asked.some((sql) => sql.includes('boards.goroutine_polls'))).toBe(true);
  asked = [];
  const off = jobs({
    'alerts.receivers': receivers,
    'alerts.rules.latency.enabled': 'false',
    'alerts.rules.goroutines.enabled': 'false',
  });
  await run(off, 'alerts-evaluate');
  await run(off, 'alerts-deliver-team');
  expect(asked).toEqual([]);
  expect(receiver.received.map((one) => bodyOf(one)['status'])).toEqual(['firing', 'resolved']);
  await receiver.close();
});

test('links begin with the address that is set', async () => {
  const receiver = await startReceiver();
  const tasks = jobs({
    'alerts.receivers': JSON.stringify([{ name: 'team', url: receiver.url }]),
    'alerts.pageUrl': 'https://heliograph.internal/obs/',
  });
  await run(tasks, 'alerts-evaluate');
  await run(tasks, 'alerts-deliver-team');
  const [one] = receiver.received;
  if (one === undefined) throw new Error('nothing received');
  expect(bodyOf(one)['externalURL']).toBe('https://heliograph.internal/obs');
  expect(bodyOf(one).alerts[0]?.['generatorURL']).toMatch(
    /^https:\/\/heliograph\.internal\/obs\/d\/heliograph-service-latency\?var-service=shop&/,
  );
  await receiver.close();
});

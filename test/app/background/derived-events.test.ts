import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { type Background, createBackground } from '../../../app/background/host.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { eventually } from '../../support/heliograph-process.ts';
import { quietLog } from '../../support/quiet-log.ts';

let background: Background | undefined;
afterEach(() => background?.stop(5000));

/** A thread that derives one series, says how often it was told of scrapes, and dies when its first life was told once. */
function script(life: number): string {
  return `
    const { parentPort } = require('node:worker_threads');
    let scrapes = 0;
    const say = () => parentPort.postMessage({ derived: 'life{n="${life}"} ' + scrapes + '\\n' });
    parentPort.on('message', (command) => {
      if ('stop' in command) return parentPort.postMessage({ stopped: true });
      scrapes += 1;
      if (${life} === 1 && scrapes === 2) throw new Error('the end of the first life');
      say();
    });
    say();`;
}

test('derived series come from the thread, which hears of scrapes once a minute, in every life anew', async () => {
  const clock = new FakeClock(1_000_000);
  let lives = 0;
  const host = createBackground({
    startWorker: () => new Worker(script(++lives), { eval: true }),
    journal: { lane: () => expect.fail('nothing is appended here') },
    markCovered: () => {},
    onRun: () => {},
    clock,
    log: quietLog,
  });
  background = host;
  const saysEventually = (text: string) =>
    eventually(async () => (host.derived()?.text === text ? host.derived() : undefined));
  expect(host.derived()).toBeUndefined();
  host.scraped(); // there is nobody to tell yet
  host.start();
  expect(await saysEventually('life{n="1"} 0\n')).toEqual({ text: 'life{n="1"} 0\n', atMs: 1_000_000 });
  host.scraped();
  host.scraped();
  await clock.advance(59_999);
  host.scraped();
  await saysEventually('life{n="1"} 1\n');
  expect(host.restarts()).toBe(0);
  await clock.advance(1);
  host.scraped();
  await eventually(async () => (host.restarts() === 1 ? true : undefined));
  expect(host.derived()?.text).toBe('life{n="1"} 1\n'); // the last words of the dead stay until they are stale
  await clock.advance(500);
  await saysEventually('life{n="2"} 0\n');
  host.scraped();
  await saysEventually('life{n="2"} 1\n');
});

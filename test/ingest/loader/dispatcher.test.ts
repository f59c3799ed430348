import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { createDispatcher, type SegmentQueue } from '../../../ingest/loader/dispatcher.ts';
import type { LoadableSegment } from '../../../ingest/loader/load-segment.ts';
import { memoryLog } from '../../support/memory-log.ts';

const dir = mkdtempSync(join(tmpdir(), 'heliograph-dispatcher-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A loader thread in which every load takes 20 ms; a segment called `crash` ends the thread the first time. */
const workerPath = join(dir, 'worker.mjs');
writeFileSync(
  workerPath,
  `import { existsSync, writeFileSync } from 'node:fs';
   import { parentPort } from 'node:worker_threads';
   let busy = 0;
   parentPort.on('message', ({ load }) => {
     const marker = ${JSON.stringify(dir)} + '/' + load.name;
     if (load.name.startsWith('crash') && !existsSync(marker)) {
       writeFileSync(marker, '');
       process.exit(1);
     }
     busy += 1;
     parentPort.postMessage({ log: { level: 'info', fields: { name: load.name, busy }, message: 'loading' } });
     setTimeout(() => {
       busy -= 1;
       parentPort.postMessage({ loaded: { name: load.name, bytes: load.bytes, items: load.items, quarantinedBodies: 0, quarantinedOffsets: [], attempts: 1, loadMs: 20 } });
     }, 20);
   });`,
);

function segment(name: string): LoadableSegment {
  return {
    name,
    path: '',
    indexPath: '',
    signal: 's',
    format: 'protobuf',
    team: '',
    loNs: 0n,
    hiNs: 1n,
    bytes: 1,
    bodies: 1,
    items: 1,
    firstAppendMs: 0,
    loadSettings: {},
  };
}

function queueOf(names: string[], remove: (name: string) => Promise<void> = async () => {}) {
  const waiting = new Map(names.map((name) => [name, segment(name)]));
  const listeners = new Set<() => void>();
  const queue: SegmentQueue = {
    sealed: () => [...waiting.values()],
    onSealed: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    remove: async (name) => {
      await remove(name);
      waiting.delete(name);
    },
  };
  const add = (name: string): void => {
    waiting.set(name, segment(name));
    for (const listener of listeners) listener();
  };
  return { queue, add };
}

function dispatch(queue: SegmentQueue) {
  const loaded: string[] = [];
  const log = memoryLog();
  const dispatcher = createDispatcher({
    queue,
    startWorker: () => new Worker(workerPath),
    onLoaded: ({ name }) => void loaded.push(name),
    clock: systemClock,
    log,
  });
  dispatcher.start();
  return { dispatcher, loaded, log };
}

test('everything sealed is loaded, oldest first, two at once, and deleted', async () => {
  const names = Array.from({ length: 9 }, (_, index) => `plain-${index}`);
  const { queue, add } = queueOf(names);
  const { dispatcher, loaded, log } = dispatch(queue);
  add('late');
  expect(await dispatcher.drained(10_000)).toBe(true);
  expect(loaded).toEqual([...names, 'late']);
  expect(queue.sealed()).toEqual([]);
  const busy = log.lines.map((line) => Number((line.fields as { busy?: number }).busy));
  expect(Math.max(...busy)).toBe(2);
  await dispatcher.stop();
});

test('a loader thread that dies is started anew and takes up its segments again', async () => {
  const { queue } = queueOf(['crash-a', 'after']);
  const { dispatcher, loaded } = dispatch(queue);
  expect(await dispatcher.drained(10_000)).toBe(true);
  expect(loaded.toSorted()).toEqual(['after', 'crash-a']);
  await dispatcher.stop();
});

test('a segment that cannot be deleted is loaded once and blocks nobody', async () => {
  const { queue } = queueOf(['stuck', 'next-1', 'next-2'], async (name) => {
    if (name === 'stuck') throw new Error('EROFS');
  });
  const { dispatcher, loaded, log } = dispatch(queue);
  expect(await dispatcher.drained(10_000)).toBe(true);
  expect(loaded).toEqual(['stuck', 'next-1', 'next-2']);
  expect(log.lines.filter((line) => line.message.includes('not deleted'))).toHaveLength(1);
  await dispatcher.stop();
});

test('a drain gives up at its deadline', async () => {
  const { queue } = queueOf(['waits']);
  const dispatcher = createDispatcher({
    queue,
    startWorker: () => new Worker('setInterval(() => {}, 1000)', { eval: true }),
    onLoaded: () => {},
    clock: systemClock,
    log: memoryLog(),
  });
  dispatcher.start();
  expect(await dispatcher.drained(50)).toBe(false);
  await dispatcher.stop();
});

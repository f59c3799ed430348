import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { loadProfiler, PROFILER_PACKAGES } from '../../../app/profiling/packages.ts';
import { createProfiler } from '../../../app/profiling/profiler.ts';

const KEPT: object[] = [];

function burnAndAllocate(): void {
  const untilMs = performance.now() + 1000;
  while (performance.now() < untilMs) {
    Math.hypot(Math.random(), Math.random());
    if (KEPT.length < 500_000) KEPT.push({ at: KEPT.length });
  }
}

const only = Object.fromEntries(Object.entries(PROFILER_PACKAGES).filter(([name]) => name === 'pprof'));
const outcome = loadProfiler(only);
if ('reasons' in outcome) console.warn(`SKIPPED, its addon could not be built here: ${outcome.reasons.join()}`);

test.skipIf('reasons' in outcome)('profiles by pprof name functions and files', async () => {
  const profiler = createProfiler(only);
  const stop = profiler.startWall();
  expect(() => profiler.startWall()).toThrow('cpu profiling already in use');
  expect(profiler.isSamplingHeap()).toBe(false);
  profiler.startHeap();
  profiler.startHeap();
  expect(profiler.isSamplingHeap()).toBe(true);
  burnAndAllocate();
  for (const profile of [await stop('encode'), await profiler.heap()]) {
    const text = gunzipSync(profile ?? Buffer.alloc(0)).toString('latin1');
    expect(text).toContain('burnAndAllocate');
    expect(text).toContain('test/app/profiling/pprof.test.ts');
  }
  expect(profiler.describe()).toBe('pprof');
  expect(await profiler.startWall()('discard')).toBeUndefined();
});

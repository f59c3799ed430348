import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkClock, checkDataDir, checkDisk, checkNode, freeBytes } from '../../../../app/cli/doctor/machine.ts';
import type { Seen } from '../../../../app/cli/doctor/observe.ts';
import { systemClock } from '../../../../core/clock.ts';
import type { Clock } from '../../../../core/ports.ts';
import { healthyStatus } from './harness.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-doctor-'));
});
afterEach(() => {
  chmodSync(dir, 0o700);
  rmSync(dir, { recursive: true });
});

const DOWN: Seen = { kind: 'down', reason: 'ECONNREFUSED' };

test.each([
  ['20.19.0', 'ok'],
  ['20.20.2', 'ok'],
  ['22.0.0', 'ok'],
  ['20.18.9', 'fail'],
  ['18.20.0', 'fail'],
])('Node %s: %s', (version, state) => {
  expect(checkNode(version)).toMatchObject({ state, finding: expect.stringContaining(version) });
});

describe('the data directory', () => {
  test('there, or still to be made; either way nothing is left behind', async () => {
    expect(await checkDataDir(dir)).toMatchObject({ state: 'ok', finding: `${dir} can be written` });
    const deep = join(dir, 'a', 'b');
    expect(await checkDataDir(deep)).toMatchObject({
      state: 'ok',
      finding: `${deep} (to be made in ${dir}) can be written`,
    });
    expect(readdirSync(dir)).toEqual([]);
  });

  test('a file in its place', async () => {
    writeFileSync(join(dir, 'file'), '');
    expect(await checkDataDir(join(dir, 'file'))).toMatchObject({
      state: 'fail',
      finding: expect.stringContaining('not a directory'),
    });
    expect(await checkDataDir(join(dir, 'file', 'below'))).toMatchObject({
      state: 'fail',
      mend: expect.stringContaining('HELIOGRAPH_DATA_DIR'),
    });
  });

  test('a directory that cannot be written', async () => {
    const unwritable = process.getuid?.() === 0 ? '/proc' : join(dir, 'shut');
    if (unwritable !== '/proc') mkdirSync(unwritable, { mode: 0o500 });
    expect(await checkDataDir(unwritable)).toMatchObject({
      state: 'fail',
      finding: expect.stringContaining('cannot be written'),
    });
  });
});

test('the disk is measured where the directory will be, and judged by what the journal may grow to', async () => {
  expect(await freeBytes(join(dir, 'a', 'b'))).toBeGreaterThan(0);
  const gib = 1024 ** 3;
  expect(checkDisk(20 * gib, 8)).toMatchObject({ state: 'ok', finding: '20.0 GiB free' });
  expect(checkDisk(7 * gib, 8)).toMatchObject({
    state: 'warn',
    mend: expect.stringContaining('HELIOGRAPH_JOURNAL_MAX_BACKLOG_GIB'),
  });
  expect(checkDisk(gib / 4, 8)).toMatchObject({ state: 'fail' });
});

describe('the clock', () => {
  const shifted = (ms: number): Clock => ({ ...systemClock, nowMs: () => Date.now() + ms });
  const up = (dateMs: number | undefined, askedAtMs: number): Seen => ({
    kind: 'up',
    readiness: { ok: true, checks: [] },
    status: healthyStatus('http://127.0.0.1:4318', askedAtMs),
    dateMs,
    askedAtMs,
  });

  test('right', async () => {
    expect(await checkClock(systemClock, dir, DOWN)).toMatchObject({ state: 'ok' });
    const now = Date.now();
    expect(await checkClock(systemClock, dir, up(Math.floor(now / 1000) * 1000, now))).toMatchObject({
      state: 'ok',
      finding: expect.stringContaining('running instance'),
    });
    expect(await checkClock(systemClock, join(dir, 'missing'), DOWN)).toMatchObject({ state: 'ok' });
    expect(readdirSync(dir)).toEqual([]);
  });

  test.each([
    [3_600_000, 'ahead of'],
    [-3_600_000, 'behind'],
  ])('off by %i ms against the time of files', async (ms, side) => {
    const finding = `the clock is 3600 s ${side} the time of files in the data directory`;
    expect(await checkClock(shifted(ms), dir, DOWN)).toMatchObject({
      state: 'fail',
      finding,
      mend: expect.stringContaining('NTP'),
    });
  });

  test('off against the running instance', async () => {
    const now = Date.now();
    expect(await checkClock(systemClock, dir, up(now - 61_000, now))).toMatchObject({
      state: 'fail',
      finding: 'the clock is 60 s ahead of the clock of the running instance',
    });
    expect(await checkClock(systemClock, dir, up(now + 60_000, now))).toMatchObject({ state: 'fail' });
    expect(await checkClock(systemClock, dir, up(undefined, now))).toMatchObject({ state: 'ok' });
  });

  test('never set', async () => {
    const clock = { ...systemClock, nowMs: () => 86_400_000 };
    expect(await checkClock(clock, dir, DOWN)).toMatchObject({
      state: 'fail',
      finding: 'the clock says 1970-01-02T00:00:00.000Z',
    });
  });

  test('being moved while it is watched', async () => {
    let stepMs = 0;
    const clock: Clock = {
      nowMs: () => Date.now() + stepMs,
      monotonicMs: () => systemClock.monotonicMs(),
      after: (_, fn) => {
        stepMs = 1_500;
        return systemClock.after(1, fn);
      },
    };
    expect(await checkClock(clock, dir, DOWN)).toMatchObject({
      state: 'warn',
      finding: expect.stringMatching(/moved 1[45]\d\d ms/),
    });
  });
});

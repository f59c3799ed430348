import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { StoreError } from '../../core/errors.ts';
import { createStore } from '../../store/client.ts';
import { startEmbedded } from '../../store/embedded/supervisor.ts';
import { isFullDisk } from '../../store/full-disk.ts';
import { quietLog } from '../support/quiet-log.ts';

test('a full disk is told from what is wrong with a statement', async (context) => {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-full-'));
  const engineDir = join(dir, 'engine');
  mkdirSync(engineDir);
  onTestFinished(() => {
    spawnSync('umount', ['-l', engineDir], { stdio: 'ignore' });
    rmSync(dir, { recursive: true, force: true });
  });
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', engineDir], { stdio: 'ignore' }).status !== 0)
    context.skip('no right to mount a tmpfs here');
  const engine = await startEmbedded({ dataDir: dir, clock: systemClock, log: quietLog });
  const store = createStore({ socketPath: engine.socketPath, log: quietLog });
  const outcome = (sql: string): Promise<unknown> =>
    store.command({ sql }).then(
      () => undefined,
      (error: unknown) => error,
    );
  await store.command({ sql: 'CREATE TABLE t (x String) ENGINE = MergeTree ORDER BY x' });
  const filler = join(engineDir, 'filler');
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'], { stdio: 'ignore' });
  const full = await outcome('INSERT INTO t SELECT randomString(100) FROM numbers(1000)');
  expect([full, isFullDisk(full)]).toEqual([expect.any(StoreError), true]);
  writeFileSync(filler, '');
  const wrong = await outcome('SELECT nothing FROM nowhere');
  expect([wrong, isFullDisk(wrong)]).toEqual([expect.any(StoreError), false]);
  expect(await outcome('INSERT INTO t VALUES (1)')).toBeUndefined();
  await store.close();
  await engine.stop(5000);
});

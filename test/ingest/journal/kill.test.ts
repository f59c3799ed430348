import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { assetPath } from '../../../core/paths.ts';
import { killBody } from './body.ts';
import { openJournal, tempDir, waitingIds } from './support.ts';

/** Runs the appending child and kills it `delayMs` after its first ack. */
async function killed(dir: string, first: number, appenders: number, delayMs: number) {
  const program = assetPath('test/ingest/journal/kill-child.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, dir, String(first), String(appenders)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const acking = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (/^\d/m.test(output)) resolve();
    });
  });
  const exited = once(child, 'exit');
  const closed = once(child.stdout, 'close');
  await Promise.race([acking, exited]);
  await sleep(delayMs);
  child.kill('SIGKILL');
  await Promise.all([exited, closed]);
  const lines = output.split('\n').slice(0, -1);
  const asked = lines.filter((line) => line.startsWith('+')).map((line) => Number(line.slice(1)));
  return { asked: new Set(asked), acked: lines.filter((line) => !line.startsWith('+')).map(Number) };
}

test('kill -9 under load, ten rounds on one directory: every acked body is there once, no other twice, and a retry is told', async () => {
  const dir = tempDir(tmpdir());
  const asked = new Set<number>();
  const acked = new Set<number>();
  for (let round = 0; round < 10; round++) {
    const seed = (round * 2_654_435_761) >>> 0;
    const result = await killed(dir, round * 1_000_000, 1 + (seed % 24), (seed >>> 8) % 150);
    for (const id of result.asked) asked.add(id);
    for (const id of result.acked) acked.add(id);
    const journal = await openJournal(dir);
    expect(journal.recovered).toMatchObject({ quarantined: 0, left: 0 });
    const kept = await waitingIds(journal); // throws for a body that is not intact
    const keptOnce = new Set(kept);
    expect(kept).toHaveLength(keptOnce.size);
    expect([...acked].filter((id) => !keptOnce.has(id))).toEqual([]);
    expect(kept.filter((id) => !asked.has(id))).toEqual([]);
    // The sender repeats what it has asked for, answered or not: what is there is a duplicate, what is not is stored now.
    const lanes = ['', 'other'].map((team) => journal.lane('traces', 'protobuf', team));
    for (const id of result.asked) {
      expect(await lanes[id % 2]?.append(killBody(id))).toEqual({ duplicate: keptOnce.has(id) });
      acked.add(id);
    }
    await journal.close(10_000);
  }
  expect(acked.size).toBeGreaterThan(100);
}, 120_000);

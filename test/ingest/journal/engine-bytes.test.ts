import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { createJournal } from '../../../ingest/journal/journal.ts';
import { memoryLog } from '../../support/memory-log.ts';

test('a segment is bounded by what the engine must hold, not only by its own size', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-engine-bytes-'));
  const journal = await createJournal({
    dir,
    clock: systemClock,
    log: memoryLog(),
    options: { retentionMs: () => 1000, loadSettings: {}, minFreeBytes: 0, segmentMaxEngineBytes: 1000 },
  });
  const lane = journal.lane('otlp_traces', 'protobuf', '');
  const bodies = [400, 500, 200, 1, 5000, 3].map((engineBytes, number) =>
    lane.append({ bytes: Buffer.alloc(4, number + 1), items: 1, engineBytes }),
  );
  await Promise.all([...bodies, lane.append({ bytes: Buffer.alloc(8), items: 1 })]);
  await journal.sealAll();
  expect(journal.sealed().map((segment) => segment.bodies)).toEqual([2, 2, 1, 2]);
  await journal.close(1000);
  rmSync(dir, { recursive: true, force: true });
});

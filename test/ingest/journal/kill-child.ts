/**
 * Appends under load until it is killed: `node --import tsx kill-child.ts <dir> <first id> <appenders>`. Prints an id when its
 * append was asked for (`+id`) and when it was acked (`id`).
 */
import { writeSync } from 'node:fs';
import { systemClock } from '../../../core/clock.ts';
import { createJournal } from '../../../ingest/journal/journal.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { killBody } from './body.ts';

const [dir = '', first = '0', appenders = '16'] = process.argv.slice(2);
const journal = await createJournal({
  dir,
  clock: systemClock,
  log: memoryLog(),
  options: {
    minFreeBytes: 0,
    segmentMaxBytes: 300_000,
    segmentMaxAgeMs: 30,
    retentionMs: () => 1000,
    loadSettings: {},
  },
});
const lanes = [journal.lane('traces', 'protobuf', ''), journal.lane('traces', 'protobuf', 'other')];
let next = Number(first);

async function appender(): Promise<void> {
  for (;;) {
    const id = next++;
    const appended = lanes[id % 2]?.append(killBody(id));
    writeSync(1, `+${id}\n`);
    await appended;
    writeSync(1, `${id}\n`);
  }
}

for (let i = 0; i < Number(appenders); i++) void appender();
setInterval(() => {}, 60_000); // appends alone do not keep the process alive between commits

/** The door in a process of its own, with a bound on its heap: a crash or a hang of it is seen from outside. */
import { type BodySource, bodyAt, type FuzzBody } from './body.ts';
import { type BatchResult, openDoor } from './door.ts';

export interface BatchOrder {
  team: string;
  source: BodySource;
  from: number;
  count: number;
  /** Segments that are loaded and may go. */
  done: readonly string[];
}

export type BatchAnswer = BatchResult & { team: string; peakMiB: number };

function* bodies({ source, from, count }: BatchOrder): Generator<{ index: number; body: FuzzBody }> {
  for (let index = from; index < from + count; index++) yield { index, body: bodyAt(source, index) };
}

async function main(): Promise<void> {
  const door = await openDoor(process.argv[2] ?? '');
  let turn = Promise.resolve();
  process.on('message', (order: BatchOrder) => {
    turn = turn.then(async () => {
      for (const name of order.done) await door.journal.remove(name);
      const result = await door.take(bodies(order), order.source.format, order.team);
      const peakMiB = process.resourceUsage().maxRSS / 1024;
      process.send?.({ ...result, team: order.team, peakMiB } satisfies BatchAnswer);
    });
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.('ready');
}

void main();

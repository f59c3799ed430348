/** `kill -9` at random moments: under load, while starting, while recovering, while the store gets its tables. */
import { type Fault, type Round, underLoad } from './fault.ts';
import { Station, sleep, type Victim } from './station.ts';

function killUnderLoad(victim: Victim, weight: number): Fault {
  return {
    kind: `kill-${victim}`,
    weight,
    async run(round) {
      const station = await round.stations.common();
      return underLoad(round, station, async () => {
        const times = round.draw.between(1, 2);
        for (let time = 0; time < times; time++) {
          await station.kill(victim);
          if (victim !== 'engine') await station.start();
          await sleep(round.draw.below(700));
        }
        round.note(`${times} times`);
      });
    },
  };
}

/** Starts and is killed again before it is done, some times in a row; then starts for good. */
async function stumble(round: Round, station: Station, longestMs: number): Promise<void> {
  const delays = Array.from({ length: round.draw.between(1, 3) }, () => round.draw.between(50, longestMs));
  for (const delayMs of delays) {
    const launched = station.launch();
    const opening = station.open().catch(() => undefined); // it may die before its doors open
    await Promise.race([sleep(delayMs), launched.exited]);
    await station.kill(round.draw.chance(0.5) ? 'main' : 'both');
    await opening;
  }
  round.note(`killed ${delays.join(', ')} ms into the start`);
  await station.start();
}

const killStart: Fault = {
  kind: 'kill-start',
  weight: 2,
  async run(round) {
    const station = await round.stations.common();
    return underLoad(round, station, async () => {
      await station.kill('both');
      await stumble(round, station, 1200);
    });
  },
};

const killMigration: Fault = {
  kind: 'kill-migration',
  weight: 1,
  async run(round) {
    const station = Station.create();
    try {
      return await underLoad(round, station, () => stumble(round, station, 2500));
    } finally {
      await station.close();
    }
  },
};

export const KILLS: readonly Fault[] = [
  killUnderLoad('main', 2),
  killUnderLoad('engine', 2),
  killUnderLoad('both', 2),
  killStart,
  killMigration,
];

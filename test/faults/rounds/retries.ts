/** Senders that repeat every body they have no ack for, byte for byte, as exporters do: each is stored exactly once. */
import { type Fault, underLoad } from './fault.ts';
import { sleep, type Victim } from './station.ts';

function retried(victim: Victim | 'nobody'): Fault {
  return {
    kind: `retry-kill-${victim}`,
    weight: 2,
    async run(round) {
      const station = await round.stations.common();
      const strike = async (): Promise<void> => {
        for (let times = round.draw.between(1, 2); times > 0; times--) {
          if (victim !== 'nobody') await station.kill(victim);
          if (!station.running) await station.start();
          await sleep(round.draw.below(600));
        }
      };
      const reckoning = await underLoad(round, station, strike, { retry: true });
      if (reckoning.acked !== reckoning.sent)
        reckoning.problems.push(`${reckoning.sent - reckoning.acked} never acked`);
      return reckoning;
    },
  };
}

export const RETRIES: readonly Fault[] = (['nobody', 'engine', 'main', 'both'] as const).map(retried);

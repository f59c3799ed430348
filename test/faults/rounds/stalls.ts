/** An engine that is slow, and one that refuses. */
import type { Fault } from './fault.ts';
import { underLoad } from './fault.ts';
import { type Station, sleep } from './station.ts';

function signal(pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) process.kill(pid, name);
}

const slow: Fault = {
  kind: 'engine-slow',
  weight: 2,
  async run(round) {
    const station = await round.stations.common();
    return underLoad(round, station, async () => {
      const engines = station.engines();
      const stopMs = round.draw.between(500, 3000);
      const ending = round.draw.pick(['goes on', 'is killed', 'and main are killed'] as const);
      signal(engines, 'SIGSTOP');
      await sleep(stopMs);
      if (ending === 'goes on') signal(engines, 'SIGCONT');
      else await station.kill(ending === 'is killed' ? 'engine' : 'both');
      if (!station.running) await station.start();
      round.note(`stopped for ${stopMs} ms, then ${ending}`);
    });
  },
};

interface Refusal {
  name: string;
  begin: string;
  end: string;
}

const TABLES = ['otel.otel_traces', 'otel.otel_traces_trace_id_ts', 'heliograph.span_latency_1m'];

/** A broken constraint fails a table after those before it were filled; too many parts fail it before. */
const REFUSALS: readonly Refusal[] = TABLES.flatMap((table) => [
  {
    name: `${table} breaks a constraint`,
    begin: `ALTER TABLE ${table} ADD CONSTRAINT refuse CHECK rand() = 0.5`,
    end: `ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS refuse`,
  },
  {
    name: `${table} has too many parts`,
    begin: `ALTER TABLE ${table} MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1`,
    end: `ALTER TABLE ${table} RESET SETTING parts_to_throw_insert, parts_to_delay_insert`,
  },
]);

async function alter(station: Station, sql: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await station.withStore((store) => store.command({ sql }));
    } catch (error) {
      if (attempt === 50) throw error; // the engine is being started again, or loads
      await sleep(100);
    }
  }
}

const refusing: Fault = {
  kind: 'engine-refuses',
  weight: 2,
  async run(round) {
    const station = await round.stations.common();
    const refusal = round.draw.pick(REFUSALS);
    return underLoad(round, station, async () => {
      const forMs = round.draw.between(300, 2500);
      const killed = round.draw.chance(0.3);
      await alter(station, refusal.begin);
      await sleep(forMs);
      if (killed) await station.kill('engine');
      await alter(station, refusal.end);
      round.note(`${refusal.name} for ${forMs} ms${killed ? ', engine killed' : ''}`);
    });
  },
};

export const STALLS: readonly Fault[] = [slow, refusing];

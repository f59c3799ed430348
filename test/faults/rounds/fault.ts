/** What a round is made of. */
import type { Draw } from '../../support/seeded.ts';
import { Load, type SentBody } from './load.ts';
import type { Numbering } from './numbered.ts';
import { type Damaged, type Reckoning, reckon } from './reckoning.ts';
import { Station, sleep } from './station.ts';

/** What rounds share: one running Heliograph, and others that a kind of fault needs for itself. */
export interface Stations {
  /** The common one, running. */
  common(): Promise<Station>;
  /** One of this name, made by `create` on first use. */
  named(name: string, create: () => Promise<Station>): Promise<Station>;
  close(): Promise<void>;
}

export interface Round {
  seed: number;
  draw: Draw;
  stations: Stations;
  /** One line of what was done, for the report. */
  note(text: string): void;
}

export interface Fault {
  kind: string;
  /** How often it comes, beside the others. */
  weight: number;
  /** Why it cannot run on this machine; undefined where it can. */
  unavailable?: () => string | undefined;
  run(round: Round): Promise<Reckoning>;
}

/** A round's spans carry a service and a trace id prefix of their own, so that rounds can share a store. */
export function numberingOf({ seed }: Round, offsetsMs: readonly number[] = [0]): Numbering {
  const hex = seed.toString(16).padStart(8, '0');
  return { service: `round-${hex}`, prefix: `${hex}0000feed`, offsetsMs };
}

export function loadOn(round: Round, station: Station, options: { retry?: boolean; offsetsMs?: number[] } = {}): Load {
  return new Load({
    numbering: numberingOf(round, options.offsetsMs),
    seed: round.seed,
    url: () => station.otlpUrl,
    retry: options.retry ?? false,
  });
}

/** Senders run while `strike` does its worst; then all is given time to be stored, and counted. */
export async function underLoad(
  round: Round,
  station: Station,
  strike: () => Promise<void>,
  options: { retry?: boolean; offsetsMs?: number[] } = {},
): Promise<Reckoning> {
  const load = loadOn(round, station, options);
  load.start();
  try {
    await sleep(round.draw.between(200, 900));
    await strike();
    await sleep(round.draw.between(100, 400));
  } finally {
    await load.stop();
  }
  await station.settled();
  return count(station, load);
}

export function count(station: Station, load: Load, damaged: readonly Damaged[] = []): Promise<Reckoning> {
  return station.withStore((store) =>
    reckon({
      bodies: load.bodies as readonly SentBody[],
      numbering: load.numbering,
      store,
      damaged,
      quarantineDir: station.quarantineDir,
    }),
  );
}

/** The stations of one run of rounds. */
export function openStations(): Stations {
  const open = new Map<string, Station>();
  const named = async (name: string, create: () => Promise<Station>): Promise<Station> => {
    let station = open.get(name);
    if (station === undefined) {
      station = await create();
      open.set(name, station);
    }
    if (!station.running) await station.start();
    return station;
  };
  return {
    common: () => named('common', async () => Station.create()),
    named,
    async close() {
      for (const station of open.values()) await station.close();
      open.clear();
    },
  };
}

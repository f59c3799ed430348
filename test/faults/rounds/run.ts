/** Runs rounds: each is one fault under load, told by a line of its own and repeatable by its seed. */
import { RETRIES } from './retries.ts';
import { type Draw, seeded, seedOf, shuffled } from '../../support/seeded.ts';
import { BETWEEN } from './between.ts';
import { CLOCK } from './clock.ts';
import { DAMAGE } from './damage.ts';
import { DISK } from './disk.ts';
import { type Fault, openStations, type Stations } from './fault.ts';
import { KILLS } from './kills.ts';
import { POWER } from './power.ts';
import type { Reckoning } from './reckoning.ts';
import { STALLS } from './stalls.ts';

export const FAULTS: readonly Fault[] = [
  ...KILLS,
  ...STALLS,
  ...BETWEEN,
  ...DISK,
  ...DAMAGE,
  ...CLOCK,
  ...POWER,
  ...RETRIES,
];

export interface RunOptions {
  seed: number;
  /** Number of the first round. */
  from: number;
  rounds: number;
  /** Kinds to keep to; undefined: all that this machine can run. */
  only?: readonly string[] | undefined;
  /** The seed of the one round, instead of one drawn from `seed`. */
  roundSeed?: number | undefined;
  /** No round begins later than this many seconds after the start. */
  secondsMax?: number | undefined;
  say(line: string): void;
}

export interface RoundResult extends Reckoning {
  round: number;
  seed: number;
  kind: string;
  seconds: number;
}

/** Runs the rounds and returns what each came to; `say` gets a line per round. */
export async function runRounds(options: RunOptions): Promise<RoundResult[]> {
  const { from, rounds, say } = options;
  const deck = deckOf(options);
  const stations = openStations();
  const results: RoundResult[] = [];
  const startedMs = performance.now();
  say(HEAD);
  try {
    for (let round = from; round < from + rounds; round++) {
      if (options.secondsMax !== undefined && performance.now() - startedMs > options.secondsMax * 1000) {
        say(`stopped before round ${round}: ${options.secondsMax} seconds are over`);
        break;
      }
      const seed = options.roundSeed ?? seedOf(options.seed, round);
      results.push(await runOne(round, seed, faultOf(deck, options.seed, round), stations, say));
    }
  } finally {
    await stations.close();
  }
  return results;
}

/** Every kind as often as it weighs; what cannot run here is named. */
function deckOf({ only, say }: RunOptions): Fault[] {
  const chosen = FAULTS.filter(({ kind }) => only === undefined || only.includes(kind));
  if (chosen.length === 0) throw new Error(`--only takes: ${FAULTS.map(({ kind }) => kind).join(', ')}`);
  return chosen.flatMap((fault) => {
    const why = fault.unavailable?.();
    if (why === undefined) return Array.from({ length: fault.weight }, () => fault);
    say(`LEFT OUT: ${fault.kind}: ${why}`);
    return [];
  });
}

/** The deck is shuffled anew each time it is through, so that a run meets every kind. */
function faultOf(deck: readonly Fault[], seed: number, round: number): Fault {
  if (deck.length === 0) throw new Error('none of these faults can run here');
  const deal = shuffled(deck, seeded(seedOf(seed, -1 - Math.floor(round / deck.length))));
  return deal[round % deck.length] as Fault;
}

/** One round; an error of it is a violation too. */
export async function runOne(
  round: number,
  seed: number,
  fault: Fault,
  stations: Stations,
  say: (line: string) => void,
): Promise<RoundResult> {
  const startedMs = performance.now();
  const draw: Draw = seeded(seed);
  const notes: string[] = [];
  const reckoning = await fault
    .run({ seed, draw, stations, note: (text) => notes.push(text) })
    .catch(async (error: unknown): Promise<Reckoning> => {
      await stations.close(); // what it left is not for the next round
      const problems = [error instanceof Error ? `${error.stack}` : String(error)];
      return { sent: 0, acked: 0, stored: 0, doubled: 0, lost: 0, quarantined: 0, problems };
    });
  const seconds = (performance.now() - startedMs) / 1000;
  const result = { ...reckoning, round, seed, kind: fault.kind, seconds };
  say(lineOf(result, notes.join('; ')));
  if (isViolated(result)) {
    for (const problem of result.problems) say(`    ${problem}`);
    say(`    again: npm run faults -- --only ${fault.kind} --round-seed ${seed}`);
  }
  return result;
}

export function isViolated({ doubled, lost, problems }: Reckoning): boolean {
  return doubled > 0 || lost > 0 || problems.length > 0;
}

const COLUMNS = [6, 11, 18, 6, 6, 7, 8, 5, 12, 8];
const row = (cells: readonly (string | number)[]): string =>
  cells.map((cell, index) => String(cell).padStart(COLUMNS[index] ?? 0)).join(' ');
const HEAD = row(['round', 'seed', 'fault', 'sent', 'acked', 'stored', 'doubled', 'lost', 'quarantined', 'seconds']);

function lineOf(result: RoundResult, note: string): string {
  const { round, seed, kind, sent, acked, stored, doubled, lost, quarantined, seconds } = result;
  return `${row([round, seed, kind, sent, acked, stored, doubled, lost, quarantined, seconds.toFixed(1)])}  ${note}`;
}

/** One line per kind, and the sum. */
export function tableOf(results: readonly RoundResult[]): string {
  const line = (name: string, of: readonly RoundResult[]): string => {
    const sum = (key: 'sent' | 'acked' | 'stored' | 'doubled' | 'lost' | 'quarantined' | 'seconds'): number =>
      of.reduce((total, result) => total + result[key], 0);
    const figures = [sum('sent'), sum('acked'), sum('stored'), sum('doubled'), sum('lost'), sum('quarantined')];
    return `| ${[name, of.length, of.filter(isViolated).length, ...figures, sum('seconds').toFixed(0)].join(' | ')} |`;
  };
  const kinds = [...new Set(results.map(({ kind }) => kind))].toSorted();
  return [
    '| fault | rounds | violated | bodies sent | acked | stored | spans doubled | spans lost | bodies quarantined | seconds |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...kinds.map((kind) =>
      line(
        kind,
        results.filter((result) => result.kind === kind),
      ),
    ),
    line('**all**', results),
  ].join('\n');
}

/**
 * The short form of `npm run faults`: one seeded round of each kind of fault. What cannot run on this machine is named, and
 * the full form is 200 rounds. Afterwards acked = stored, once, rollup and trace index included.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seedOf } from '../support/seeded.ts';
import { openStations, type Stations } from './rounds/fault.ts';
import { FAULTS, isViolated, runOne } from './rounds/run.ts';

const SEED = 20_240_229;
/** Left to the long form: what differs from another kind only in who is killed or which file is hit, or has tests of its own. */
const LONG_FORM = new Set([
  'disk-full',
  'kill-main',
  'kill-engine',
  'kill-migration',
  'flip-index',
  'retry-kill-nobody',
  'retry-kill-main',
  'retry-kill-engine',
]);

let stations: Stations;
beforeAll(() => {
  stations = openStations();
});
afterAll(() => stations.close());

const kinds = FAULTS.filter(({ kind }) => !LONG_FORM.has(kind));

test.each(kinds.map((fault, round) => [fault.kind, fault, round] as const))(
  '%s: acked is stored once',
  async (_, fault, round) => {
    const why = fault.unavailable?.();
    if (why !== undefined) {
      console.warn(`LEFT OUT: ${fault.kind}: ${why}`);
      return;
    }
    const result = await runOne(round, seedOf(SEED, round), fault, stations, (line) => console.info(line));
    expect(result).toMatchObject({ doubled: 0, lost: 0, problems: [] });
    expect(isViolated(result)).toBe(false);
    expect(result.acked).toBeGreaterThan(10);
    expect(result.stored).toBeGreaterThan(10);
  },
);

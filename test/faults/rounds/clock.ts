/** A wall clock that steps under load, forwards and back, by a library that is compiled here and preloaded. Linux with a C compiler. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assetPath } from '../../../core/paths.ts';
import { type Fault, underLoad } from './fault.ts';
import { sleep } from './station.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Across the edges of what a door takes: an hour ahead, the retention of 14 days behind. */
const STEPS_MS = [-20, -2, -1]
  .flatMap((days) => [days * DAY_MS])
  .concat([
    -90 * MINUTE_MS,
    -30 * MINUTE_MS,
    -2000,
    2000,
    30 * MINUTE_MS,
    90 * MINUTE_MS,
    DAY_MS,
    13 * DAY_MS,
    20 * DAY_MS,
  ]);
const OFFSETS_MS = [0, 0, 0, -30 * MINUTE_MS, 59 * MINUTE_MS, -3 * DAY_MS, -13 * DAY_MS];

function compile(dir: string): string | undefined {
  const path = join(dir, 'clock-step.so');
  const source = assetPath('test/faults/rounds/clock-step.c');
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', path, source], { stdio: 'ignore' });
  return status === 0 ? path : undefined;
}

function cannotCompile(): string | undefined {
  if (process.platform !== 'linux') return 'libraries are preloaded on Linux only';
  return spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0 ? undefined : 'no C compiler (cc) here';
}

export const CLOCK: readonly Fault[] = [
  {
    kind: 'clock-step',
    weight: 2,
    unavailable: cannotCompile,
    async run(round) {
      const dir = mkdtempSync(join(tmpdir(), 'hg-clock-'));
      const stepFile = join(dir, 'step');
      const set = (ms: number): void => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigInt64LE(BigInt(ms) * 1_000_000n);
        writeFileSync(stepFile, bytes, { flag: 'r+' });
      };
      writeFileSync(stepFile, Buffer.alloc(8));
      const library = compile(dir);
      if (library === undefined) throw new Error('clock-step.c does not compile');
      const station = await round.stations.common();
      await station.stop();
      await station.start({ LD_PRELOAD: library, CLOCK_STEP_FILE: stepFile });
      try {
        return await underLoad(
          round,
          station,
          async () => {
            const steps = Array.from({ length: round.draw.between(1, 3) }, () => round.draw.pick(STEPS_MS));
            for (const ms of steps) {
              set(ms);
              await sleep(round.draw.between(200, 800));
            }
            const stays = round.draw.chance(0.5);
            if (!stays) set(0);
            round.note(`steps of ${steps.map((ms) => `${ms / 1000} s`).join(', ')}${stays ? '' : ', and back'}`);
          },
          { offsetsMs: OFFSETS_MS },
        );
      } finally {
        await station.stop();
        rmSync(dir, { recursive: true, force: true });
      }
    },
  },
];

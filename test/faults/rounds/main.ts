/** `npm run faults -- [--rounds 200] [--seed 1] [--from 1] [--only kind,kind] [--round-seed n] [--seconds-max n]` */
import { parseArgs } from 'node:util';
import { isViolated, runRounds, tableOf } from './run.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '1' },
    only: { type: 'string' },
    'round-seed': { type: 'string' },
    'seconds-max': { type: 'string' },
  },
});

const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const results = await runRounds({
    seed: Number(values.seed),
    from: Number(values.from),
    rounds: values['round-seed'] === undefined ? Number(values.rounds) : 1,
    only: values.only?.split(','),
    roundSeed: number(values['round-seed']),
    secondsMax: number(values['seconds-max']),
    say,
  });
  const violated = results.filter(isViolated);
  say(`\n${tableOf(results)}\n`);
  say(violated.length === 0 ? `${results.length} rounds, acked = stored, once` : `${violated.length} rounds VIOLATED`);
  process.exit(violated.length === 0 && results.length > 0 ? 0 : 1);
}

void main();

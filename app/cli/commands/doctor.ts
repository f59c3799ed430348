import { systemClock } from '../../../core/clock.ts';
import { readConfig } from '../../config/load.ts';
import { type CommandSpec, hasFlag } from '../command.ts';
import type { Check } from '../doctor/check.ts';
import { runDoctor } from '../doctor/doctor.ts';
import { instanceUrl } from '../instance.ts';

const COLOURS = { ok: '32', warn: '33', fail: '31' } as const;

export const doctorCommand: CommandSpec = {
  name: 'doctor',
  summary: 'Find the usual mistakes and say the mend for each.',
  options: [{ flags: '--json', description: 'as JSON' }],
  help: 'Run it where your service runs: it also looks at the OTEL_* variables of the shell. Exit code 1 when a check fails.',
  async run(call) {
    const { io } = call;
    const { config, problems } = readConfig(call.configInput);
    const pageUrl = instanceUrl(config, io.readFile);
    const { env, nodeVersion } = io;
    const checks = await runDoctor({ config, problems, env, clock: systemClock, nodeVersion, pageUrl });
    const isWell = checks.every(({ state }) => state !== 'fail');
    io.out(hasFlag(call, 'json') ? `${JSON.stringify({ ok: isWell, checks }, null, 2)}\n` : report(checks, io.colour));
    return isWell ? 0 : 1;
  },
};

/** A line for each check, and under it what to do. */
function report(checks: readonly Check[], colour: boolean): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, state, finding, mend }) => {
    const mark = state.padEnd(4);
    const shown = colour ? `\u001b[${COLOURS[state]}m${mark}\u001b[0m` : mark;
    const line = `${shown}  ${name.padEnd(width)}  ${finding}`;
    return mend === '' ? [line] : [line, `${' '.repeat(width + 8)}-> ${mend}`];
  });
  const count = (state: Check['state']) => checks.filter((check) => check.state === state).length;
  return `${lines.join('\n')}\n\n${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failures\n`;
}

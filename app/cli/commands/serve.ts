import { loadConfig } from '../../config/load.ts';
import type { CommandSpec } from '../command.ts';

export const serveCommand: CommandSpec = {
  name: 'serve',
  summary: 'Run Heliograph: the doors, the journal, the engine and the page.',
  async run({ configInput }) {
    const { config } = loadConfig(configInput);
    // Loaded late: the other commands answer at once, this one may take its time.
    const { runServe } = await import('../../serve.ts');
    return runServe(config);
  },
};

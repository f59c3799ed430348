import type { CommandSpec } from '../command.ts';

export const boardsExportCommand: CommandSpec = {
  name: 'boards export',
  summary: 'Write the boards as Grafana JSON, with the provisioning files beside them.',
  options: [
    {
      flags: '--out <directory>',
      description: 'where to write (default: dashboards/provisioning of this installation)',
    },
  ],
  async run(call) {
    // Loaded late: the builders' SDK would stay in memory for as long as `serve` runs.
    const { writeProvisioning } = await import('../../../dashboards/export.ts');
    const out = call.options['out'];
    const paths = await writeProvisioning(typeof out === 'string' ? out : undefined);
    call.io.out(`${paths.join('\n')}\n`);
    return 0;
  },
};

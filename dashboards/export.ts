/** Writes `dashboards/provisioning`: what a Grafana beside Heliograph mounts, and what the built-in page draws. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { assetPath } from '../core/paths.ts';
import { BOARDS } from './index.ts';
import { DATASOURCE_TYPE } from './kit/query.ts';
import type { Board } from './shared/model.ts';

/** Folder of the exported boards, from the package root. */
export const BOARDS_FOLDER = 'dashboards/provisioning/dashboards/json';

const WARNING = '# Written by `npm run boards`; edit dashboards/ instead.\n';

/** Every provisioning file: path below `dashboards/provisioning` -> text. */
export function renderProvisioning(boards: readonly Board[] = BOARDS.map((board) => board())): Map<string, string> {
  const files = new Map([
    ['datasources/heliograph.yaml', WARNING + stringify(datasource())],
    ['dashboards/heliograph.yaml', WARNING + stringify(provider())],
  ]);
  for (const board of boards) files.set(`dashboards/json/${board.uid}.json`, `${JSON.stringify(board, null, 2)}\n`);
  return files;
}

/** Writes the files below `directory` and removes boards that no longer exist. Returns the paths written. */
export async function writeProvisioning(directory = assetPath('dashboards/provisioning')): Promise<string[]> {
  const files = renderProvisioning();
  for (const [path, text] of files) {
    const target = join(directory, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  const boards = await readdir(join(directory, 'dashboards/json'));
  for (const name of boards) {
    if (!files.has(`dashboards/json/${name}`)) await rm(join(directory, 'dashboards/json', name));
  }
  return [...files.keys()];
}

/** Grafana expands `$NAME` and `${NAME}` from its own environment. */
function datasource(): object {
  return {
    apiVersion: 1,
    datasources: [
      {
        name: 'Heliograph',
        uid: 'heliograph',
        type: DATASOURCE_TYPE,
        access: 'proxy',
        editable: false,
        jsonData: {
          host: '$HELIOGRAPH_HOST',
          port: 7070,
          protocol: 'http',
          path: 'clickhouse',
          username: 'grafana',
          defaultDatabase: 'boards',
          // The exporter's own table names and columns, so that Explore and trace links need no further set-up.
          traces: {
            defaultDatabase: 'boards',
            defaultTable: 'otel_traces',
            otelEnabled: true,
            otelVersion: 'latest',
            durationUnit: 'nanoseconds',
          },
          queryTimeout: '30',
          maxOpenConns: '8',
        },
        secureJsonData: { password: '$HELIOGRAPH_TOKEN' },
      },
    ],
  };
}

function provider(): object {
  return {
    apiVersion: 1,
    providers: [
      {
        name: 'heliograph',
        orgId: 1,
        type: 'file',
        folder: 'Heliograph',
        disableDeletion: true,
        allowUiUpdates: false,
        updateIntervalSeconds: 30,
        options: { path: '/etc/grafana/provisioning/dashboards/json' },
      },
    ],
  };
}

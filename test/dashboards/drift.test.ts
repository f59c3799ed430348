import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { assetPath } from '../../core/paths.ts';
import { BOARDS_FOLDER, renderProvisioning } from '../../dashboards/export.ts';

test('the committed provisioning is what the code exports (npm run boards)', () => {
  for (const [path, text] of renderProvisioning()) {
    expect(readFileSync(assetPath(`dashboards/provisioning/${path}`), 'utf8'), path).toBe(text);
  }
});

test('no board lies in provisioning that the code does not know', () => {
  const exported = [...renderProvisioning().keys()]
    .filter((path) => path.endsWith('.json'))
    .map((path) => path.split('/').at(-1));
  expect(readdirSync(assetPath(BOARDS_FOLDER)).sort()).toEqual(exported.sort());
});

test('the data source goes to the read-only face, by a name that Grafana fills in', () => {
  const file = parse(renderProvisioning().get('datasources/heliograph.yaml') ?? '') as {
    datasources: { type: string; jsonData: Record<string, unknown>; secureJsonData: Record<string, string> }[];
  };
  const [source] = file.datasources;
  expect(source?.type).toBe('grafana-clickhouse-datasource');
  expect(source?.jsonData).toMatchObject({ protocol: 'http', path: 'clickhouse', defaultDatabase: 'boards' });
  expect(source?.secureJsonData['password']).toBe('$HELIOGRAPH_TOKEN');
});

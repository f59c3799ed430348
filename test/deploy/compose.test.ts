import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { SETTINGS_LIST } from '../../app/config/schema.ts';
import { DEFAULT_FILE, FILE_VARIABLE, loadConfig } from '../../app/config/load.ts';
import { assetPath } from '../../core/paths.ts';
import { renderProvisioning } from '../../dashboards/export.ts';
import { alerting, compose, type ComposeService, dockerfile, dockerIgnored, read, readYaml } from './support.ts';

const services = Object.entries(compose.services);
const everyService = [...services, ...Object.entries(alerting.services)];

/** `./here:/there:ro` of what is mounted from this folder; named volumes aside. */
function mounts({
  volumes = [],
}: Partial<ComposeService>): { source: string; target: string; mode: string | undefined }[] {
  return volumes
    .filter((volume) => volume.startsWith('./'))
    .map((volume) => {
      const [source = '', target = '', mode] = volume.split(':');
      return { source: source.slice(2), target, mode };
    });
}

test('everything that is mounted exists, and cannot be written to', () => {
  const found = everyService.flatMap(([, service]) => mounts(service));
  expect(found.length).toBeGreaterThan(5);
  expect(found.filter(({ source }) => !existsSync(assetPath(source)))).toEqual([]);
  expect(found.filter(({ mode }) => mode !== 'ro')).toEqual([]);
});

test('named volumes are declared, and each is used', () => {
  const used = services.flatMap(([, { volumes = [] }]) =>
    volumes.filter((volume) => !volume.startsWith('.')).map((volume) => volume.split(':')[0]),
  );
  expect(used.toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
});

test('every image is pinned to a version', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const bases = dockerfile()
    .filter(({ name }) => name === 'FROM')
    .map(({ rest }) => rest.split(' ')[0] ?? '');
  for (const image of [...services.map(([, service]) => service.image), ...bases])
    expect(image, image).toMatch(/^[a-z/-]+:v?\d+[\w.-]*$/);
  expect(compose.services['heliograph']?.image).toBe(`heliograph:${version}`);
});

test('nothing listens beyond this machine, and ClickHouse not even there', () => {
  const ports = services.flatMap(([, service]) => service.ports ?? []);
  expect(ports.length).toBeGreaterThan(3);
  expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  expect(compose.services['clickhouse']?.ports).toBeUndefined();
});

test('what is depended on exists and has a way to be healthy', () => {
  for (const [name, { depends_on: others = {} }] of services) {
    for (const [other, { condition }] of Object.entries(others)) {
      expect(condition).toBe('service_healthy');
      expect(compose.services[other]?.healthcheck, `${name} needs ${other}`).toBeDefined();
    }
  }
});

test('the variables of Heliograph are its settings, and with them it starts beyond loopback', () => {
  const { environment = {} } = compose.services['heliograph'] ?? {};
  const names = Object.keys(environment);
  const known = [FILE_VARIABLE, ...SETTINGS_LIST.map(({ variable }) => variable)];
  expect(names.filter((name) => !known.includes(name))).toEqual([]);
  const fromImage = dockerfile()
    .filter(({ name, rest }) => name === 'ENV' && rest.startsWith('HELIOGRAPH_'))
    .map(({ rest }) => rest.split('=') as [string, string]);
  expect(fromImage.filter(([name]) => !known.includes(name))).toEqual([]);

  const file = mounts(compose.services['heliograph'] ?? {}).find(({ target }) => target.endsWith(DEFAULT_FILE));
  expect(environment[FILE_VARIABLE]).toBe(file?.target);
  const env = Object.fromEntries(
    Object.entries({ ...Object.fromEntries(fromImage), ...environment }).map(([name, value]) => [name, filled(value)]),
  );
  const readFile = (path: string) => (path === file?.target ? read(file.source) : undefined);
  const { config } = loadConfig({ flags: {}, env, cwd: '/app', readFile });
  expect(config).toMatchObject({ bind: '0.0.0.0', token: 'secret', dataDir: '/var/lib/heliograph' });
  expect(config.clickhouseUrl).toBe('http://heliograph:secret@clickhouse:8123');
  expect(config.alerts.receivers).toEqual([
    { name: 'receiver', url: 'http://receiver:9095/alerts', secretFile: '/run/secrets/webhook_secret' },
  ]);
  expect(compose.services['receiver']?.command).toEqual(
    expect.arrayContaining(['9095', '/run/secrets/webhook_secret']),
  );
  expect(compose.services['clickhouse']?.environment).toMatchObject({ CLICKHOUSE_USER: 'heliograph' });
});

/** What compose makes of `${NAME:?reason}` where every secret is `secret`. */
function filled(value: string): string {
  return value.replace(/\$\{\w+:\?[^}]*\}/g, 'secret');
}

test('the line that makes .env makes every variable that is asked for', () => {
  const text = read('compose.yaml');
  const made = /for name in ([A-Z_ ]+); do/.exec(text)?.[1]?.split(' ') ?? [];
  const asked = [...text.matchAll(/\$\{(\w+):\?/g)].map((match) => match[1] ?? '');
  const secrets = Object.values(compose.secrets).map(({ environment }) => environment);
  expect([...new Set([...asked, ...secrets])].toSorted()).toEqual(made.toSorted());
  expect(read('.gitignore').split('\n')).toContain('.env');
  expect(dockerIgnored).toContain('.env');
});

test('every secret that a file or a command names is given to its service', () => {
  const given = (name: string) => compose.services[name]?.secrets ?? [];
  const named = (text: string) => [...text.matchAll(/\/run\/secrets\/(\w+)/g)].map((match) => match[1] ?? '');
  expect(given('heliograph').toSorted()).toEqual(named(read('deploy/heliograph.yaml')).toSorted());
  expect(given('prometheus')).toEqual(named(read('deploy/prometheus.yml')));
  expect(given('receiver')).toEqual(named(compose.services['receiver']?.command?.join(' ') ?? ''));
  for (const [, { secrets = [] }] of services)
    expect(secrets.filter((name) => compose.secrets[name] === undefined)).toEqual([]);
});

test('Grafana finds data source and boards where the exported provisioning says', () => {
  const grafana = compose.services['grafana'];
  const at = (source: string) => mounts(grafana ?? {}).find((mount) => mount.source === source)?.target;
  const provisioning = '/etc/grafana/provisioning';
  expect(at('dashboards/provisioning/datasources')).toBe(`${provisioning}/datasources`);
  expect(at('dashboards/provisioning/dashboards')).toBe(`${provisioning}/dashboards`);
  const files = renderProvisioning();
  const { providers } = parse(files.get('dashboards/heliograph.yaml') ?? '') as {
    providers: { options: { path: string } }[];
  };
  const folder = providers[0]?.options.path ?? '';
  expect(folder).toBe(`${provisioning}/dashboards/json`);
  const home = grafana?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
  expect([...files.keys()]).toContain(home.replace(`${provisioning}/`, ''));

  const source = files.get('datasources/heliograph.yaml') ?? '';
  for (const [, name = ''] of source.matchAll(/: \$([A-Z_]+)$/gm)) expect(grafana?.environment).toHaveProperty(name);
  expect(source).toContain(`type: ${grafana?.environment?.['GF_PLUGINS_PREINSTALL'] ?? 'none'}\n`);
  expect(compose.services).toHaveProperty(grafana?.environment?.['HELIOGRAPH_HOST'] ?? 'none');
});

test('Grafana’s own alerting is apart: rules, and no policies that would replace the team’s', () => {
  expect(Object.keys(alerting.services)).toEqual(['grafana']);
  const [mount] = mounts(alerting.services['grafana'] ?? {});
  expect(mount?.target).toBe('/etc/grafana/provisioning/alerting');
  expect(read('compose.yaml')).not.toContain('provisioning/alerting');
  const points = readYaml('deploy/grafana/alerting/contact-points.yaml') as {
    contactPoints: { name: string; receivers: { settings: { url: string } }[] }[];
  };
  expect(existsSync(assetPath('deploy/grafana/alerting/policies.yaml'))).toBe(false);
  const variable = points.contactPoints[0]?.receivers[0]?.settings.url.slice(1) ?? '';
  expect(alerting.services['grafana']?.environment).toHaveProperty(variable);
});

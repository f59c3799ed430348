import { describe, expect, test } from 'vitest';
import { loadConfig, readConfig } from '../../../app/config/load.ts';
import { maskedList, shownList } from '../../../app/config/lists.ts';
import { SETTINGS_LIST } from '../../../app/config/schema.ts';

const read = (yaml: string, env: Record<string, string> = {}) =>
  readConfig({
    flags: {},
    env,
    cwd: '/home/dev',
    file: 'conf/heliograph.yaml',
    readFile: () => yaml,
  });

test('a list in the file is read, its defaults filled in, its paths seen from the file', () => {
  const { config, problems } = read(`
git: { repositories: [{ path: ../shop }, { name: a/b, url: "https://git.internal/a/b.git" }] }
targets:
  - { name: checkout-1, url: "http://127.0.0.1:6060", every: 5s, headers: { authorization: Bearer x } }
alerts: { receivers: [{ name: team, url: "http://127.0.0.1:9/x", secretFile: s.key }] }
`);
  expect(problems).toEqual([]);
  expect(config.git.repositories).toEqual([
    { path: '/home/dev/shop' },
    { name: 'a/b', url: 'https://git.internal/a/b.git' },
  ]);
  expect(config.targets).toEqual([
    {
      name: 'checkout-1',
      url: 'http://127.0.0.1:6060',
      headers: { authorization: 'Bearer x' },
      every: 5_000,
      cpuEvery: 600_000,
      cpuDuration: 10_000,
    },
  ]);
  expect(config.alerts.receivers[0]?.secretFile).toBe('/home/dev/conf/s.key');
});

test('a variable holds a list as YAML or JSON and goes before the file', () => {
  const { config, problems, origins } = read('targets: [{ name: a, url: "http://a" }]', {
    HELIOGRAPH_TARGETS: '[{"name": "b", "url": "http://b:1"}]',
  });
  expect(problems).toEqual([]);
  expect(config.targets.map(({ name }) => name)).toEqual(['b']);
  expect(origins['targets']).toEqual({ source: 'environment', detail: 'HELIOGRAPH_TARGETS' });
});

describe('what is wrong in a list is said by place, field and rule', () => {
  test.each([
    ['targets: [{ url: "http://a" }]', 'targets[0].name: is required'],
    [
      'targets: [{ name: a, url: "ftp://a" }]',
      'targets[0].url: ftp://a is refused, it must be an http:// or https:// URL',
    ],
    ['targets: [{ name: a, url: "http://a", evry: 5s }]', 'targets[0].evry: is unknown; did you mean every?'],
    [
      'targets: [{ name: a, url: "http://a", every: soon }]',
      'targets[0].every: soon is refused, it must be a duration',
    ],
    ['targets: [{ name: a, url: "http://a" }, { name: a, url: "http://b" }]', 'targets[1].name: "a" stands twice'],
    ['targets: { name: a }', 'targets: must be a list of name, url'],
    ['targets: [a]', 'targets[0]: must be a mapping of name, url'],
    ['targets: [{ name: a, url: "http://a", headers: { x: 1 } }]', 'targets[0].headers: ******** is refused'],
    ['targets: [{ name: heliograph, url: "http://a" }]', "targets[0].name: heliograph is Heliograph's own target"],
    [
      'targets: [{ name: a, url: "http://a", cpuEvery: 10s, cpuDuration: 20s }]',
      'targets[0].cpuDuration: must be shorter',
    ],
    ['git: { repositories: [{ name: a }] }', 'git.repositories[0]: takes a path or a url'],
  ])('%s', (yaml, problem) => {
    expect(read(yaml).problems.join('\n')).toContain(problem);
  });
});

test('secrets of a list are masked wherever it is shown', () => {
  const { config } = loadConfig({
    flags: {},
    env: { HELIOGRAPH_TARGETS: '[{ name: a, url: "http://a", headers: { authorization: Bearer sesame } }]' },
    cwd: '/',
    readFile: () => undefined,
  });
  const schema = SETTINGS_LIST.find(({ key }) => key === 'targets')?.schema;
  if (schema === undefined) throw new Error('no targets');
  expect(shownList(schema, config.targets as never)).not.toContain('sesame');
  expect(JSON.stringify(maskedList(schema, config.targets as never))).toContain('********');
});

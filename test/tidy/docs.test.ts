import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig } from '../../app/config/load.ts';
import { COMMANDS } from '../../app/cli/commands.ts';
import { assetPath } from '../../core/paths.ts';
import { ROOMS } from '../support/source-tree.ts';

const read = (path: string): string => readFileSync(assetPath(path), 'utf8');
const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs/ARCHITECTURE.md', 'docs/BENCHMARKS.md'];

test('every link to a file of the project leads to one', () => {
  const broken = PAGES.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#:]+)\)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !existsSync(assetPath(page.startsWith('docs/') ? `docs/${target}` : target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test('every npm script that a page names exists, and so does every file', () => {
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts);
  const text = PAGES.map(read).join('\n');
  const named = [...text.matchAll(/(?:^|`)npm (?:run )?([a-z]+)\b/gm)].map((match) => match[1] ?? '');
  const known = [...scripts, 'ci', 'install', 'run'];
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
  const files = [
    ...text.matchAll(/`((?:core|collectors|ingest|store|analyzers|dashboards|app|test|bench|scripts)\/[\w./-]*)`/g),
  ].map((match) => match[1] ?? '');
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((path) => !existsSync(assetPath(path)) && !existsSync(assetPath(`${path}.test.ts`)))).toEqual([]);
});

test('every heliograph command that the README names exists', () => {
  const named = [...read('README.md').matchAll(/heliograph ([a-z]+)/g)].map((match) => match[1] ?? '');
  const known = COMMANDS.map((command) => command.name.split(' ')[0]);
  const prose = ['is', 'watches', 'refuses', 'cd'];
  expect(named.filter((name) => !known.includes(name) && !prose.includes(name))).toEqual([]);
});

test('the README names the default ports and folder', () => {
  const { config } = loadConfig({ flags: {}, env: {}, cwd: '/nowhere', readFile: () => undefined });
  const text = read('README.md');
  expect(text).toContain(`http://127.0.0.1:${config.port}`);
  expect(text).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:${config.otlp.httpPort}`);
  expect(config.dataDir).toBe('/nowhere/.heliograph');
});

test('the architecture page names every room, and only rooms', () => {
  const table = [...read('docs/ARCHITECTURE.md').matchAll(/^\| `(\w+)\/`/gm)].map((match) => match[1]);
  expect(table).toEqual([...ROOMS, 'test']);
});

test('every bench is named in the benchmarks page', () => {
  const benches = readdirSync(assetPath('bench'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -3));
  const page = read('docs/BENCHMARKS.md');
  expect(benches.filter((name) => !page.includes(`npm run bench -- ${name}`))).toEqual([]);
});

test('every analyzer explains itself: definition, bias, every view', async () => {
  const { ANALYZERS } = await import('../../analyzers/index.ts');
  for (const { name } of ANALYZERS) {
    const readme = read(`analyzers/${name}/README.md`);
    expect(readme).toContain('**Known bias.**');
  }
});

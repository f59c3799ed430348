import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, ROOMS, sourceFiles } from '../support/source-tree.ts';

/** Which rooms a room may import, besides itself. */
const ARROWS: Record<string, readonly string[]> = {
  core: [],
  collectors: ['core'],
  ingest: ['core'],
  store: ['core'],
  analyzers: ['core'],
  dashboards: ['core', 'analyzers'],
  alerts: ['core', 'analyzers'],
  app: ['core', 'collectors', 'ingest', 'store', 'analyzers', 'dashboards', 'alerts'],
};

/** The registries, and an analyzer's own index, are the only files that may gather others. */
const REGISTRIES = ['collectors/index.ts', 'analyzers/index.ts', 'dashboards/index.ts'];

interface Edge {
  from: string;
  to: string;
}

const files = sourceFiles(ROOMS);

function relativeEdges(): Edge[] {
  return files.flatMap((file) =>
    importsOf(file.text)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => ({ from: file.path, to: posix.join(posix.dirname(file.path), specifier) })),
  );
}

test('imports run only along the arrows of the rooms table', () => {
  const forbidden = relativeEdges().filter(({ from, to }) => {
    const [fromRoom, toRoom] = [from.split('/')[0] ?? '', to.split('/')[0] ?? ''];
    return fromRoom !== toRoom && !(ARROWS[fromRoom] ?? []).includes(toRoom);
  });
  expect(files.length).toBeGreaterThan(10);
  expect(forbidden).toEqual([]);
});

test('no file imports itself through others', () => {
  const next = new Map<string, string[]>();
  for (const { from, to } of relativeEdges()) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const cycles: string[][] = [];
  const visit = (path: string, trail: string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path]);
    if (trail.includes(path) || done.has(path)) return;
    for (const to of next.get(path) ?? []) visit(to, [...trail, path]);
    done.add(path);
  };
  for (const path of next.keys()) visit(path, []);
  expect(cycles).toEqual([]);
});

test('relative imports name their .ts file, and no file only re-exports others', () => {
  const wrong = relativeEdges().filter(
    ({ from, to }) => !to.endsWith('.ts') && !from.startsWith('dashboards/viewer/page/'),
  );
  expect(wrong).toEqual([]);
  const barrels = files
    .filter((file) => /^export (\*|\{[^}]*\}) from /m.test(file.text) && !REGISTRIES.includes(file.path))
    .map((file) => file.path);
  expect(barrels).toEqual([]);
});

test('collectors do not import one another', () => {
  const across = relativeEdges().filter(({ from, to }) => {
    const [a, b] = [from.split('/'), to.split('/')];
    return a[0] === 'collectors' && b[0] === 'collectors' && a.length > 2 && b.length > 2 && a[1] !== b[1];
  });
  expect(across).toEqual([]);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { loadProfiles, rowsOf, type SeedProfile } from '../../support/profile-rows.ts';

const FROM_S = 1_790_000_000;
const WINDOW = `from = toDateTime(${FROM_S}), to = toDateTime(${FROM_S + 3600})`;

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

const cpu = (service: string, target: string, seconds: number, stacks: Record<string, number>): SeedProfile => ({
  service,
  target,
  atMs: (FROM_S + seconds) * 1000,
  profile: 'cpu',
  sampleType: 'cpu',
  unit: 'nanoseconds',
  stacks,
});

interface Node {
  level: number;
  value: number;
  self: number;
  label: string;
}

async function flame(service: string, more = ''): Promise<Node[]> {
  const args = `${WINDOW}, service = '${service}', target = '', profile = 'cpu', sample_type = 'cpu'`;
  const merged = more === '' ? args : args.replace(new RegExp(`${more.split(' = ')[0]} = '[^']*'`), more);
  return (await rowsOf(engine, `SELECT * FROM boards.flame_graph(${merged})`)) as unknown as Node[];
}

const lines = (nodes: readonly Node[]): string[] =>
  nodes.map(({ level, value, self, label }) => `${'  '.repeat(level)}${label} ${value} ${self}`);

/** The same tree, built the plain way. */
function expectedTree(stacks: ReadonlyMap<string, number>): Node[] {
  const root: Node & { children: Map<string, unknown> } = {
    level: 0,
    value: 0,
    self: 0,
    label: 'total',
    children: new Map(),
  };
  type Tree = typeof root;
  for (const [folded, value] of stacks) {
    let node: Tree = root;
    node.value += value;
    for (const label of folded.split(';')) {
      const found = node.children.get(label) as Tree | undefined;
      const child = found ?? { level: node.level + 1, value: 0, self: 0, label, children: new Map<string, unknown>() };
      node.children.set(label, child);
      child.value += value;
      node = child;
    }
    node.self += value;
  }
  const rows: Node[] = [];
  const visit = ({ level, value, self, label, children }: Tree): void => {
    if (value < root.value * 0.001) return;
    rows.push({ level, value, self, label });
    for (const key of [...children.keys()].toSorted((a, b) => (a < b ? -1 : 1))) visit(children.get(key) as Tree);
  };
  if (stacks.size > 0) visit(root);
  return rows;
}

describe('flame_graph', () => {
  test('merges targets and time into one tree, parents before children', async () => {
    await loadProfiles(engine, [
      cpu('merge', 'm-1', 10, { 'main.main;main.a': 5, 'main.main;main.a;main.b': 7, 'main.main': 1 }),
      cpu('merge', 'm-2', 10, { 'main.main;main.a;main.b': 3, 'main.z': 4 }),
      cpu('merge', 'm-1', 700, { 'main.main;main.a.x': 2 }),
      cpu('merge', 'm-1', 3600, { 'main.main;main.late': 100 }),
      cpu('other', 'o-1', 10, { 'main.main;main.other': 100 }),
    ]);
    expect(lines(await flame('merge'))).toEqual([
      'total 22 0',
      '  main.main 18 1',
      '    main.a 15 5',
      '      main.b 10 10',
      '    main.a.x 2 2',
      '  main.z 4 4',
    ]);
    expect(lines(await flame('merge', "target = 'm-2'"))).toEqual([
      'total 7 0',
      '  main.main 3 0',
      '    main.a 3 0',
      '      main.b 3 3',
      '  main.z 4 4',
    ]);
  });

  test('leaves out what is below a thousandth, and no node loses its parent by it', async () => {
    await loadProfiles(engine, [
      cpu('prune', 'p-1', 10, {
        'a;b;thin;deep': 9,
        'a;b;wide': 5000,
        'a;edge': 10,
        'thin1;x': 9,
        'z;y': 4972,
      }),
    ]);
    expect(lines(await flame('prune'))).toEqual([
      'total 10000 0',
      '  a 5019 0',
      '    b 5009 0',
      '      wide 5000 5000',
      '    edge 10 10',
      '  z 4972 0',
      '    y 4972 4972',
    ]);
  });

  test('recursion nests, and stacks that are prefixes of others keep their own share', async () => {
    await loadProfiles(engine, [cpu('recurse', 'r-1', 10, { 'f;f;f': 4, 'f;f': 2, f: 1, 'f;g;f': 3 })]);
    expect(lines(await flame('recurse'))).toEqual([
      'total 10 0',
      '  f 10 1',
      '    f 6 2',
      '      f 4 4',
      '    g 3 0',
      '      f 3 3',
    ]);
  });

  test('levels are averaged over the profiles of each target, amounts added up', async () => {
    await loadProfiles(
      engine,
      [10, 40].flatMap((seconds, round): SeedProfile[] => [
        {
          service: 'level',
          target: 'l-1',
          atMs: (FROM_S + seconds) * 1000,
          stacks: round === 0 ? { a: 2, b: 1 } : { a: 4 },
        },
        { service: 'level', target: 'l-2', atMs: (FROM_S + seconds) * 1000, stacks: { a: 10 } },
      ]),
    );
    const call = `${WINDOW}, service = 'level', target = '', profile = 'goroutine', sample_type = 'goroutine'`;
    const rows = (await rowsOf(engine, `SELECT * FROM boards.flame_graph(${call})`)) as unknown as Node[];
    expect(lines(rows)).toEqual(['total 13.5 0', '  a 13 13', '  b 0.5 0.5']);
    expect(
      await rowsOf(engine, `SELECT * FROM boards.profile_types(${WINDOW}) WHERE service = 'level' ORDER BY target`),
    ).toEqual([
      {
        service: 'level',
        target: 'l-1',
        profile: 'goroutine',
        sample_type: 'goroutine',
        unit: 'count',
        profiles: 2,
        total: 3.5,
      },
      {
        service: 'level',
        target: 'l-2',
        profile: 'goroutine',
        sample_type: 'goroutine',
        unit: 'count',
        profiles: 2,
        total: 10,
      },
    ]);
  });

  test('equals a tree built the plain way, on five thousand stacks', async () => {
    let state = 11;
    const random = (below: number): number => {
      state = (state * 48271) % 2147483647;
      return state % below;
    };
    const stacks = new Map<string, number>();
    while (stacks.size < 5000) {
      const depth = 3 + random(38);
      const frames = Array.from({ length: depth }, (_, level) => `pkg/of.level${level}.f${random(level < 4 ? 3 : 2)}`);
      stacks.set(frames.join(';'), 1 + random(1000) ** 2);
    }
    await loadProfiles(engine, [cpu('large', 'x-1', 10, Object.fromEntries(stacks))]);
    const rows = await flame('large');
    expect(rows.length).toBeGreaterThan(500);
    expect(rows).toEqual(expectedTree(stacks));
  });

  test('an empty window has no rows', async () => {
    expect(await flame('nobody')).toEqual([]);
    expect(await flame('merge', "sample_type = 'alloc_space'")).toEqual([]);
  });
});

test('profile_types adds up amounts, each target and sample type apart', async () => {
  await loadProfiles(engine, [cpu('types', 't-1', 1, { a: 5 }), cpu('types', 't-1', 601, { a: 7, b: 1 })]);
  expect(await rowsOf(engine, `SELECT * FROM boards.profile_types(${WINDOW}) WHERE service = 'types'`)).toEqual([
    {
      service: 'types',
      target: 't-1',
      profile: 'cpu',
      sample_type: 'cpu',
      unit: 'nanoseconds',
      profiles: 2,
      total: 13,
    },
  ]);
});

test.each([
  ['main.main;main.wait;runtime.gopark', 'main.wait'],
  ['main.main;time.Sleep', 'main.main'],
  [
    'main.main;main.(*Pool).get;sync.(*Mutex).Lock;internal/sync.(*Mutex).lockSlow;sync.runtime_SemacquireMutex',
    'main.(*Pool).get',
  ],
  [
    'main.main;net.(*conn).Read;internal/poll.(*FD).Read;internal/poll.runtime_pollWait;runtime.netpollblock',
    'net.(*conn).Read',
  ],
  ['example.com/internal/db.Query;runtime.chanrecv1', 'example.com/internal/db.Query'],
  ['runtime/debug.Stack;runtime.main', 'runtime/debug.Stack'],
  ['main.syncAll;syncthing/lib.Run', 'syncthing/lib.Run'],
])('the stack %s is named %s', async (folded, named) => {
  await loadProfiles(engine, [cpu('named', 'n-1', 1, { [folded]: 1 })]);
  const rows = await rowsOf(
    engine,
    `SELECT function, location FROM boards.stacks WHERE service = 'named' AND functions = splitByChar(';', '${folded}')`,
  );
  expect(rows).toEqual([{ function: named, location: `main.go:${folded.split(';').indexOf(named) + 1}` }]);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findView } from '../../analyzers/index.ts';
import { BOARDS } from '../../dashboards/index.ts';
import { sqlString } from '../../dashboards/query/escape.ts';
import { type Board, dataPanels, type Panel } from '../../dashboards/shared/model.ts';
import { ANNOTATION_COLUMNS } from '../../dashboards/shared/supported.ts';
import { buildTree } from '../../dashboards/viewer/page/flame-tree.ts';
import { columnKind, type PanelData, timeMs } from '../../dashboards/viewer/page/frames.ts';
import { type BoardServer, seed, startBoardServer } from './support/board-server.ts';

const RANGES = {
  empty: 'from=2001-01-01&to=2001-01-02',
  short: 'from=now-1h&to=now',
  month: 'from=now-30d&to=now',
} as const;
type RangeName = keyof typeof RANGES;
/** Runs and commits are rare: their boards' short range is longer. */
const SHORT: Readonly<Record<string, string>> = {
  'heliograph-ci': 'from=now-2d&to=now',
  'heliograph-contributors': 'from=now-14d&to=now',
};
const rangeOf = (board: Board, name: RangeName) => (name === 'short' ? SHORT[board.uid] : undefined) ?? RANGES[name];
const VALUES = [
  'var-service=checkout&var-route=$__all&var-target=$__all&var-expvar=queue.depth&var-profile=cpu&var-sample_type=cpu',
  'var-repository=$__all&var-workflow=$__all',
].join('&');

const boards = BOARDS.map((build) => build());
const cases = boards.flatMap((board) =>
  dataPanels(board)
    .filter(({ type }) => type !== 'text')
    .map((panel) => [`${board.uid} ${panel.id} ${panel.title}`, board, panel] as const),
);

let server: BoardServer;
/** What every panel answered while the store held nothing. */
const unseeded: [string, PanelData][] = [];
beforeAll(async () => {
  server = await startBoardServer();
  for (const [title, board, panel] of cases)
    unseeded.push([title, await load(board, panel, `${RANGES.short}&${VALUES}`)]);
  await seed(server.engine, 20_000);
});
afterAll(() => server.stop());

async function load(board: Board, panel: Panel, query: string): Promise<PanelData> {
  const answer = await server.app.inject(`/api/boards/${board.uid}/panels/${panel.id}?${query}`);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<PanelData>();
}

/** Figures that do not depend on the range, and so are there when it is empty. */
const OUTSIDE_RANGES = ['Newest span'];

test('before anything is stored every panel is empty, and says so', () => {
  expect(unseeded).toHaveLength(99);
  for (const [title, { targets, meta }] of unseeded) {
    expect(targets[0]?.rows, title).toEqual([]);
    expect(meta.asOf).toBeNull();
    expect(meta.coverage).toBeNull();
  }
});

describe.each(Object.keys(RANGES) as RangeName[])('every panel over the range %s', (name) => {
  test.each(cases)('%s', async (_title, board, panel) => {
    const { targets, meta } = await load(board, panel, `${rangeOf(board, name)}&${VALUES}`);
    expect(targets).toHaveLength(1);
    const [{ rows, columns } = { rows: [], columns: [] }] = targets;
    if (name === 'empty' && !OUTSIDE_RANGES.includes(panel.title)) {
      expect(rows).toEqual([]);
      expect(meta.n === null || meta.n === 0).toBe(true);
      return;
    }
    expect(rows.length).toBeGreaterThan(0);
    checkContract(panel, columns, rows);
    if (!OUTSIDE_RANGES.includes(panel.title)) {
      const source = findView(/boards\.(\w+)/.exec(panel.targets?.[0]?.rawSql ?? '')?.[1] ?? '')?.source;
      expect(source === null ? 1 : meta.coverage).toBeGreaterThan(0.5);
      const oldest = source === 'otlp_traces' || source === 'targets' ? 600_000 : 10_800_000;
      expect(source === null ? meta.to : Date.parse(meta.asOf ?? '')).toBeGreaterThan(meta.to - oldest);
    }
    if (panel.targets?.some((target) => target.hide)) {
      expect(meta.n).toBeGreaterThan(0);
      expect(meta.counted).toMatch(/^[a-z]+$/);
    }
  });
});

/** What Grafana and the page each need of a result, by panel type. */
function checkContract(
  panel: Panel,
  columns: readonly { name: string; type: string }[],
  rows: readonly unknown[][],
): void {
  const kinds = columns.map((column) => columnKind(column.type));
  if (panel.type === 'timeseries' || panel.type === 'heatmap') {
    expect(columns[0]).toMatchObject({ name: 'time', type: 'DateTime' });
    expect(kinds.filter((kind) => kind === 'time')).toHaveLength(1);
    expect(kinds).toContain('number');
    const times = rows.map((row) => timeMs(row[0]) ?? Number.NaN);
    expect(times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0))).toBe(true);
    const keys = rows.map((row) => row.filter((_, index) => kinds[index] !== 'number').join('|'));
    expect(new Set(keys).size).toBe(rows.length);
  }
  if (panel.type === 'heatmap') {
    expect(columns.map(({ name }) => name)).toEqual(['time', 'le', 'Value']);
    expect(rows.every((row) => Number.isFinite(Number(row[1])))).toBe(true);
  }
  if (panel.type === 'flamegraph') {
    const tree = buildTree({ refId: 'A', columns: [...columns], rows: [...rows], truncated: false });
    expect(tree.nodes.filter(({ parent }) => parent < 0).map(({ label }) => label)).toEqual(['total']);
    expect(tree.unit).toBe('nanoseconds');
    const below = tree.nodes.map(() => 0);
    for (const { parent, value } of tree.nodes) if (parent >= 0) below[parent] = (below[parent] ?? 0) + value;
    for (const { index, value, self } of tree.nodes) expect(self + (below[index] ?? 0)).toBeLessThanOrEqual(value);
  }
  if (panel.type === 'stat') {
    expect(rows).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'number')).toHaveLength(1);
    expect(rows[0]?.[kinds.indexOf('number')]).toEqual(expect.any(Number));
  }
  if (panel.type === 'table') {
    const described = panel.fieldConfig?.overrides.map((override) => override.matcher.options) ?? [];
    expect(columns.map(({ name }) => name)).toEqual(described);
    expect(rows.length).toBeLessThanOrEqual(500);
  }
}

test.each(boards.filter(({ annotations }) => annotations.list.length > 1).map((board) => [board.uid, board] as const))(
  '%s answers its deploys, and none outside the range',
  async (uid) => {
    const ask = async (range: string) => {
      const answer = await server.app.inject(`/api/boards/${uid}/annotations/Deploys?${range}&${VALUES}`);
      expect(answer.statusCode, answer.body).toBe(200);
      return answer.json<{ columns: { name: string; type: string }[]; rows: unknown[][] }>();
    };
    const { columns, rows } = await ask(RANGES.month);
    expect(columns.map(({ name }) => name)).toEqual([...ANNOTATION_COLUMNS]);
    expect(rows.length).toBeGreaterThan(0);
    for (const [time, text, title, tags] of rows) {
      expect(timeMs(time)).toBeLessThan(Date.now());
      expect(String(text)).toContain(String(title));
      expect(tags).toContain('production');
    }
    expect((await ask(RANGES.empty)).rows).toEqual([]);
  },
);

test('the whole-range figures are those of the view asked directly', async () => {
  const [from, to] = [Date.now() - 3_600_000, Date.now() - 60_000];
  const board = BOARDS.map((build) => build()).find(({ uid }) => uid === 'heliograph-service-latency');
  const panels = board === undefined ? [] : dataPanels(board).filter((panel) => panel.type === 'stat');
  const answer = await server.app.inject(`/api/query/latency_by_service?from=${from}&to=${to}&step=4000000000`);
  const { rows } = answer.json<{ rows: Record<string, unknown>[] }>();
  const checkout = rows.find((row) => row['service'] === 'checkout');
  for (const panel of panels) {
    const { targets } = await load(board as Board, panel, `from=${from}&to=${to}&${VALUES}`);
    const column = targets[0]?.columns[0]?.name ?? '';
    expect(targets[0]?.rows[0]?.[0], panel.title).toBe(checkout?.[column]);
  }
  expect(panels).toHaveLength(6);
});

test('hostile values come back from the engine as they went in', async () => {
  const values = [
    "'",
    '\\',
    "\\'",
    "a'b\\c",
    'nul\0nul',
    'é🌞',
    '\n\t',
    "'; DROP TABLE x --",
    '${a}',
    '\\0',
    '%',
    '`"',
  ];
  for (const value of values) {
    const { rows } = await server.engine.store.query({
      sql: `SELECT ${sqlString(value)}, length(${sqlString(value)})`,
    });
    expect(rows).toEqual([[value, Buffer.byteLength(value)]]);
  }
});

test('a hostile variable selects nothing and breaks nothing', async () => {
  const board = BOARDS.map((build) => build())[1] as Board;
  const panel = dataPanels(board).find(({ title }) => title === 'Routes') as Panel;
  for (const value of ["' OR 1=1 --", "\\' OR 1=1 --", '$__fromTime', '${service:singlequote}']) {
    const { targets } = await load(
      board,
      panel,
      `${RANGES.short}&var-service=checkout&var-route=${encodeURIComponent(value)}`,
    );
    expect(targets[0]?.rows).toEqual([]);
  }
});

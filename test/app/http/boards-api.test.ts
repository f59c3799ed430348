import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VIEWS } from '../../../analyzers/index.ts';
import { assetPath } from '../../../core/paths.ts';
import { type BoardServer, seed, startBoardServer } from '../../dashboards/support/board-server.ts';

let server: BoardServer;
beforeAll(async () => {
  server = await startBoardServer();
  await seed(server.engine, 2_000);
});
afterAll(() => server.stop());

const get = (url: string) => server.app.inject(url);

test('boards are listed, and served byte for byte as provisioned', async () => {
  const { boards } = (await get('/api/boards')).json<{ boards: { uid: string; panels: number; title: string }[] }>();
  expect(boards.map(({ title }) => title)).toEqual([
    'Overview',
    'CI and deploys',
    'Contributors',
    'Flame graph',
    'Go runtime and goroutines',
    'Pipeline',
    'Service latency',
  ]);
  expect(boards[0]).toMatchObject({ title: 'Overview', tags: ['heliograph', 'latency'], panels: 14 });
  for (const { uid } of boards) {
    const file = readFileSync(assetPath(`dashboards/provisioning/dashboards/json/${uid}.json`), 'utf8');
    expect((await get(`/api/boards/${uid}`)).body).toBe(file);
  }
});

test('variables answer their options, chained', async () => {
  const services = await get('/api/boards/heliograph-service-latency/variables/service?from=now-1h&to=now');
  expect(services.json()).toMatchObject({
    options: expect.arrayContaining(['storefront', 'checkout', 'nightly-report']),
  });
  const routes = await get(
    '/api/boards/heliograph-service-latency/variables/route?from=now-1h&to=now&var-service=mailer',
  );
  expect(routes.json()).toMatchObject({ options: ['orders process'] });
  const source = await get('/api/boards/heliograph-service-latency/variables/datasource');
  expect(source.json()).toEqual({ options: [] });
});

test('an annotation answers its events with the values of the request', async () => {
  const path = '/api/boards/heliograph-service-latency/annotations/Deploys?from=now-1h&to=now';
  const { columns, rows, truncated } = (await get(`${path}&var-service=checkout`)).json<{
    columns: { name: string }[];
    rows: unknown[][];
    truncated: boolean;
  }>();
  expect(columns.map(({ name }) => name)).toEqual(['time', 'text', 'title', 'tags']);
  expect(rows).toEqual([
    [expect.stringMatching(/^\d{4}-.*Z$/), 'checkout 1.42.0', '1.42.0', 'checkout,production,success'],
  ]);
  expect(truncated).toBe(false);
  expect((await get(`${path}&var-service=' OR 1=1 --`)).json()).toMatchObject({ rows: [] });
});

test('All of a single value is what the board says it stands for', async () => {
  const path = '/api/boards/heliograph-flamegraph/panels/3?var-service=checkout&var-profile=cpu&var-sample_type=cpu';
  const merged = async (target: string) =>
    (await get(`${path}&var-target=${target}`)).json<{ targets: { rows: number[][] }[] }>().targets[0]?.rows[0]?.[0] ??
    0;
  const each = await Promise.all(['checkout-1', 'checkout-2', 'checkout-canary'].map(merged));
  expect(each.every((profiles) => profiles > 0)).toBe(true);
  expect(await merged('$__all')).toBe(each.reduce((sum, profiles) => sum + profiles, 0));
});

test.each([
  ['/api/boards/heliograph-overview/annotations/nope', 404, 'has no annotation nope'],
  ['/api/boards/heliograph-overview/annotations/Annotations%20%26%20Alerts', 404, 'has no annotation Annotations'],
  ['/api/boards/heliograph-overview/annotations/constructor', 404, 'has no annotation constructor'],
  ['/api/boards/heliograph-service-latency/annotations/Deploys', 400, 'var-service is required'],
  ['/api/boards/heliograph-overview/annotations/Deploys?from=yesterday', 400, "from: 'yesterday' is not a time"],
  ['/api/boards/nope', 404, 'there is no board nope'],
  ['/api/boards/heliograph-overview/panels/999', 404, 'has no panel 999'],
  ['/api/boards/heliograph-overview/panels/constructor', 404, 'has no panel constructor'],
  ['/api/boards/heliograph-overview/panels/1001', 404, 'has no panel 1001'],
  ['/api/boards/heliograph-overview/variables/__proto__', 404, 'has no variable'],
  ['/api/boards/heliograph-overview/panels/1?from=yesterday', 400, "from: 'yesterday' is not a time"],
  ['/api/boards/heliograph-overview/panels/1?from=now&to=now-1h', 400, 'must be earlier'],
  ['/api/boards/heliograph-overview/panels/1?from=now-1h&from=now-2h', 400, 'from is given more than once'],
  [
    '/api/boards/heliograph-overview/panels/7?maxDataPoints=0',
    400,
    "maxDataPoints: '0' is not an integer from 1 to 4000",
  ],
  ['/api/boards/heliograph-service-latency/panels/7', 400, 'var-service is required'],
  ['/api/boards/heliograph-service-latency/variables/route', 400, 'var-service is required'],
  ['/api/query/nope', 404, 'there is no view nope'],
  ['/api/query/toString', 404, 'there is no view toString'],
  ['/api/query/services?step=60', 400, 'step: services has no such parameter; it takes from, to'],
  ['/api/query/latency_by_route?step=1.5', 400, "step: '1.5' is not an integer"],
  ['/api/query/latency_by_route?from=x', 400, "from: 'x' is not a time"],
  ['/api/query/trace_spans', 400, 'trace_id is required (String)'],
  [`/api/query/trace_spans?trace_id=${'a'.repeat(2_000)}`, 400, 'trace_id is longer than 1024'],
])('%s answers %d', async (url, status, message) => {
  const answer = await get(url);
  expect(answer.statusCode).toBe(status);
  expect(answer.json<{ error: { code: string; message: string } }>().error.message).toContain(message);
});

test('views are listed with parameters, columns and units', async () => {
  const { views } = (await get('/api/query')).json<{ views: { name: string; columns: object[] }[] }>();
  expect(views.map(({ name }) => name)).toEqual(VIEWS.map(({ name }) => name));
  expect(views[0]?.columns[0]).toMatchObject({ name: 'time', type: 'DateTime', unit: '' });
});

test('every view with a window answers with the columns it names, and says what it counted', async () => {
  for (const view of VIEWS.filter(({ parameters }) => parameters.some(({ name }) => name === 'from'))) {
    const service = view.parameters.some(({ name }) => name === 'service') ? '&service=checkout' : '';
    const answer = await get(`/api/query/${view.name}?from=now-2h${service}`);
    expect(answer.statusCode, answer.body).toBe(200);
    const { columns, rows, meta } = answer.json<{
      columns: { name: string }[];
      rows: Record<string, unknown>[];
      meta: { n: number };
    }>();
    expect(columns.map(({ name }) => name)).toEqual(view.columns.map(({ name }) => name));
    expect(rows.length).toBeGreaterThan(0);
    const counted = rows.reduce(
      (sum, row) => sum + (view.countColumn === undefined ? 1 : Number(row[view.countColumn])),
      0,
    );
    expect(meta.n).toBe(counted);
  }
});

test('times are ISO, relative or Unix ms, and mean the same', async () => {
  const to = Math.floor(Date.now() / 60_000) * 60_000;
  const from = to - 3_600_000;
  const iso = (ms: number) => new Date(ms).toISOString();
  const [unix, text] = await Promise.all([
    get(`/api/query/services?from=${from}&to=${to}`),
    get(`/api/query/services?from=${iso(from)}&to=${iso(to)}`),
  ]);
  expect(unix.json<{ rows: object[] }>().rows).toEqual(text.json<{ rows: object[] }>().rows);
  expect(unix.json()).toMatchObject({ meta: { coverage: expect.any(Number), asOf: expect.stringMatching(/Z$/) } });
});

test('a value is bound: a hostile trace id finds nothing', async () => {
  const answer = await get(`/api/query/trace_spans?trace_id=${encodeURIComponent("' OR '1'='1")}`);
  expect(answer.json()).toMatchObject({ rows: [], meta: { n: 0 } });
});

test('steps are sorted by time, then by name', async () => {
  const { rows } = (await get('/api/query/latency_by_route?step=600')).json<{
    rows: { time: string; service: string; route: string }[];
  }>();
  const keys = rows.map(({ time, service, route }) => `${time} ${service} ${route}`);
  expect(keys).toEqual(keys.toSorted());
});

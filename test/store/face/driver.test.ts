import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assetPath } from '../../../core/paths.ts';
import { seed } from '../../dashboards/support/board-server.ts';
import { peerTest } from '../../support/peers.ts';
import { boardQueries } from './board-queries.ts';
import { type FaceServer, startFaceServer, TOKEN } from './face-server.ts';
import { type Exchange, readAnswer, replay, startRecorder } from './wire.ts';

const FIXTURES = assetPath('test/store/face/transcripts');
const TYPED = readFileSync(assetPath('test/store/face/typed.sql'), 'utf8');
const REFUSED = "SELECT file('/etc/hostname')";
/** Fixture -> the statement that the driver sent. */
const KEPT = {
  hello: 'SELECT displayName(), version(), revision(), timezone()',
  ping: 'SELECT 1',
  typed: TYPED,
  refused: REFUSED,
};

let server: FaceServer;
beforeAll(async () => {
  server = await startFaceServer();
  await seed(server.engine, 5_000);
});
afterAll(() => server.stop());

interface Driven {
  server: string;
  typed: { name: string; type: string; value: string }[];
  refused: Failure;
  denied: Failure;
  queries: { name: string; rows: number; columns: string[] | null; error?: string }[];
}
interface Failure {
  typed: boolean;
  code: number;
  text: string;
}

/** What the driver makes of each column, as JSON. A slice of bytes is base64 there, hence 'Ag==' for [2]. */
const EXPECTED: readonly (readonly [type: string, value: string])[] = [
  ['LowCardinality(String)', '"svc"'],
  ['String', '"text"'],
  ['UInt8', '1'],
  ['UInt16', '2'],
  ['UInt32', '3'],
  ['UInt64', '18446744073709551615'],
  ['Int8', '-1'],
  ['Int16', '-2'],
  ['Int32', '-3'],
  ['Int64', '-9223372036854775808'],
  ['Float32', '0.5'],
  ['Float64', '0.25'],
  ['DateTime', '"2026-01-02T03:04:05Z"'],
  ['DateTime64(9)', '"2026-01-02T03:04:05.123456789Z"'],
  ['DateTime64(3)', '"2026-01-02T03:04:05.123Z"'],
  ['Date', '"2026-01-02T00:00:00Z"'],
  ['Bool', 'true'],
  ['Nullable(Float64)', 'null'],
  ['Nullable(Float64)', '1.5'],
  ['LowCardinality(Nullable(String))', '"x"'],
  ['Array(String)', '["a","b"]'],
  ['Array(LowCardinality(String))', '["x","y"]'],
  ['Map(String, String)', '{"k":"v"}'],
  ['Map(LowCardinality(String), String)', '{"k":"v"}'],
  ['Array(Map(String, String))', '[{"k":"v"}]'],
  ['Map(Int16, UInt64)', '{"-1":7}'],
  ['Tuple(String, UInt8, Array(UInt8))', '["a",1,"Ag=="]'],
  ['Tuple(name String, n UInt64)', '{"n":1,"name":"a"}'],
  ['Array(DateTime64(9))', '["2026-01-02T03:04:05.1Z"]'],
  ['UUID', '"11111111-2222-3333-4444-555555555555"'],
  ["Enum8('a' = 1, 'b' = 2)", '"b"'],
  ['FixedString(2)', '"ab"'],
  ['Decimal(18, 2)', '"1.25"'],
];

peerTest('go', "Grafana's driver connects, pings, scans every type, shows errors and runs every board", async () => {
  const binary = join(server.engine.dir, 'clickhouse-go');
  const built = spawnSync('go', ['build', '-o', binary, '.'], {
    cwd: assetPath('test/peers/clickhouse-go'),
    encoding: 'utf8',
  });
  expect(built.stderr).toBe('');
  const recorder = await startRecorder(server.port);
  const driven = await drive(binary, recorder.port);
  await recorder.close();

  expect(driven.server).toBe(`heliograph ${server.face.version().split('.').slice(0, 3).join('.')} 0 UTC`);
  expect(driven.typed.map(({ type, value }) => [type, value])).toEqual(EXPECTED);
  expect(driven.refused).toMatchObject({ typed: true, code: 497, text: expect.stringContaining('(ACCESS_DENIED)') });
  expect(driven.denied).toMatchObject({
    typed: true,
    code: 516,
    text: expect.stringContaining('the password is the token'),
  });
  for (const { name, error, rows, columns } of driven.queries) {
    expect({ name, error }).toEqual({ name, error: undefined });
    // An empty result has no block at all, and the driver takes it for one without columns.
    if (rows > 0) expect(columns?.length, name).toBeGreaterThan(0);
    expect(rows, name).toBeLessThanOrEqual(1_000); // the `limit` that the driver was told to ask for
  }
  expect(driven.queries.filter(({ rows }) => rows > 0).length).toBeGreaterThan(driven.queries.length / 2);

  const kept = pickKept(recorder.exchanges());
  if (process.env['UPDATE_TRANSCRIPTS'] === '1') writeFixtures(kept);
});

function drive(binary: string, port: number): Promise<Driven> {
  const queries = [
    ...boardQueries(Date.now()),
    { name: 'otel_traces', sql: 'SELECT * FROM boards.otel_traces' },
    { name: 'tables', sql: 'SHOW TABLES FROM "boards"' },
    { name: 'columns', sql: 'DESC TABLE "boards"."otel_traces"' },
    { name: 'nothing', sql: 'SELECT * FROM boards.otel_traces WHERE 0' },
  ];
  const input = {
    address: `127.0.0.1:${port}`,
    path: 'clickhouse',
    password: TOKEN,
    typed: TYPED,
    refused: REFUSED,
    queries,
  };
  return new Promise((resolve, reject) => {
    const child = execFile(binary, [], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as Driven);
      else reject(new Error(stderr, { cause: error }));
    });
    child.stdin?.end(JSON.stringify(input));
  });
}

function pickKept(exchanges: readonly Exchange[]): Map<string, Exchange> {
  return new Map(
    Object.entries(KEPT).map(([name, sql]) => {
      const found = exchanges.find(({ request }) => request.toString('utf8').endsWith(`\r\n\r\n${sql}`));
      if (found === undefined) throw new Error(`the driver did not send ${name}`);
      return [name, found];
    }),
  );
}

function writeFixtures(kept: ReadonlyMap<string, Exchange>): void {
  for (const [name, { request, answer }] of kept) {
    writeFileSync(join(FIXTURES, `${name}.request`), request);
    writeFileSync(join(FIXTURES, `${name}.answer`), answer);
  }
}

/** The engine's, when the fixtures were written; it stands in the hello and in each error. */
const RECORDED_VERSION = '26.7.2.1';
/** Different every time. */
const UNSTABLE = ['date', 'x-clickhouse-query-id', 'x-clickhouse-summary', 'content-length'];

test.each(Object.keys(KEPT))("the driver's own bytes get the answer that it understood: %s", async (name) => {
  const recorded = readAnswer(readFileSync(join(FIXTURES, `${name}.answer`)));
  const answer = readAnswer(await replay(server.port, readFileSync(join(FIXTURES, `${name}.request`))));
  for (const header of UNSTABLE) {
    delete recorded.headers[header];
    delete answer.headers[header];
  }
  const expected = recorded.body.toString('latin1').replaceAll(RECORDED_VERSION, server.face.version());
  expect(answer.body.toString('latin1')).toBe(expected);
  expect({ ...answer, body: undefined }).toEqual({ ...recorded, body: undefined });
});
